"""Retention of interactions: erasure, legal holds, expiry, and copies of keys."""
