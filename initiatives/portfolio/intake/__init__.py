"""Ideas of people without an account: links of units, what came by them, the answers; waiting ideas side by side."""
