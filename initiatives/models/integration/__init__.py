"""Rows of the integration register."""
