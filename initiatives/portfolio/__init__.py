"""Many initiatives: registration, imports, search, units, rulebooks and insights."""
