"""Links between a case and systems: agreed to by owners, shut down after the case ended."""
