"""Draft clauses from what an incident taught."""
