"""Ideas of people without an account: links of units, what came by them, what the chair made of it."""
