"""The embedded PostgreSQL, the folder of files, backup and restore."""
