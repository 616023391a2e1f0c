"""Rows about what systems did: interactions selected for a purpose, and requests of persons about themselves."""
