"""Attacks on the product, each named after the letter under which it was first made; bounded, on the embedded base."""
