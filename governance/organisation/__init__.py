"""Units, boards and people as admins keep them: acts, import of people, accounts."""
