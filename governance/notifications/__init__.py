"""What is due, written, sent; preferences, calendar, the work list."""
