"""Roles accepted in person, handovers, leaving."""
