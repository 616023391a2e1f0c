"""Retention, legal holds, subject access, erasure and its replay."""
