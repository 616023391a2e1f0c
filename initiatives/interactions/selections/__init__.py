"""Interactions selected for a purpose, by a text or at random, and read together only after a second person agreed."""
