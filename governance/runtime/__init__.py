"""What each process of the installation needs: its environment, secrets, logs, redaction, child processes, clock."""
