"""Registering a case, withdrawing it, its title and tier."""
