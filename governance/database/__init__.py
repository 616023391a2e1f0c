"""What stands in the database and how it is read: catalogue, batched reads, text search, migration operations."""
