"""Metrics for leaders, by name and reason."""
