"""Many requirements at once: in one form, and by the contract in force."""
