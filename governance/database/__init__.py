"""The database: its catalogue, batched reads, text search and migration operations."""
