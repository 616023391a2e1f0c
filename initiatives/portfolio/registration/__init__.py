"""Registering an initiative, and stating its business case."""
