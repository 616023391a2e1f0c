"""Absence and delegates."""
