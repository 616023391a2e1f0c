"""Selections of interactions for a purpose, and bulk readings of them."""
