"""Registering an initiative, withdrawing it, its title and tier."""
