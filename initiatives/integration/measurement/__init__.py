"""What data look like: result files of other tools, a count of a table, patterns of values. No database, no web."""
