"""What runs: deployments of component versions, and their end of life."""
