"""What an initiative is: its name, problem, risk tier, and what it is not similar to."""
