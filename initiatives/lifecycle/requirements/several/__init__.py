"""Many requirements in one form, answered in words."""
