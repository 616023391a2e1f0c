"""Requests of persons about what AI systems reported of them."""
