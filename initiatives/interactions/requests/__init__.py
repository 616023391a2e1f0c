"""Requests of persons about what AI systems reported of them, from receipt to the erasure."""
