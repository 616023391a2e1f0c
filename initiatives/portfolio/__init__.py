"""Many initiatives: registration, imports, lists, search, units, rulebook changes, insights."""
