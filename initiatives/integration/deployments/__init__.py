"""Pages of deployments, scope and reported changes."""
