"""What runs: deployments of component versions, their end of life, scope, reported changes."""
