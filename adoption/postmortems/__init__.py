"""Post-mortems, written together and confirmed, and causes."""
