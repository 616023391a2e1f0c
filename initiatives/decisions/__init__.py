"""Register of all decisions, ideas side by side."""
