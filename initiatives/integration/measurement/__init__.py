"""Measurement of data by result files, table counts and value patterns. No database, no web."""
