"""Rows of interactions selected for a purpose, and of requests of persons."""
