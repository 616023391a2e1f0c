"""Notes and effort of one initiative, typed or from a table."""
