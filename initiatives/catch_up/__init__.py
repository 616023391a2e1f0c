"""Catch-up plans: by when an imported initiative means to show what it lacks for the stage it claims."""
