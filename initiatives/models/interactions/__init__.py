"""Rows of the performance that initiatives promise."""
