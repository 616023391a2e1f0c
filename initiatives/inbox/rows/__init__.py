"""The rows of one person's inbox, read in a few queries."""
