"""Terms, definitions, conflicts."""
