"""Roles accepted in person, one or several in a batch, and handovers."""
