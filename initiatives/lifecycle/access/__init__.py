"""Permissions and visibility of initiatives, and their lookup for a request."""
