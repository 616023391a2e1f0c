"""Notes, effort, visible progress, the effort report."""
