"""Pages of no noun: signing in, help, the rulebook, status, health, errors, looking back at a day."""
