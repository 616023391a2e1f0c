"""What waits for one person, read in a few queries."""
