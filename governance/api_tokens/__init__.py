"""Tokens of the read API: made, rotated and ended by their owners, seen and ended by admins."""
