"""What runs: components and their versions, scope, reported changes."""
