"""The components that initiatives run: deployments of versions, their end of life."""
