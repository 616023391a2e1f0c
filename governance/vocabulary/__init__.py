"""Closed sets of words, as enumerations: what they are called in the record and in the database, and in words."""
