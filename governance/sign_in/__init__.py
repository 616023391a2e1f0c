"""Signing in: sessions, throttling, passwords and their links, accounts."""
