"""Post-mortems, written together and confirmed; causes."""
