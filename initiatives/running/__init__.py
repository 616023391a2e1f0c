"""Pages of components, scope, reported changes."""
