"""Links between an initiative and systems: agreed to by owners, shut down after the initiative ended."""
