"""Pages that belong to no noun: any day, entries, health, the rulebook, status, errors."""
