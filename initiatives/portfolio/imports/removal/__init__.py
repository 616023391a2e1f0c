"""Discarded files without live rows, and undone imports that no one works on."""
