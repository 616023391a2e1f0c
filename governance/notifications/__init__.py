"""What is due, owed, sent; preferences, calendar, the work list."""
