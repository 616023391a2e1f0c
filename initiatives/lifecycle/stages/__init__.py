"""Stage changes, expiry."""
