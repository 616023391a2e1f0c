"""Stage changes, expiry, the preview of what an act brings."""
