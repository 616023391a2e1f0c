"""The search over initiatives and what belongs to them."""
