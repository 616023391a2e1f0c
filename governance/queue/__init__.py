"""The task queue: its address, the broker in files, what every task has in common."""
