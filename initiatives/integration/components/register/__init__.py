"""The register of components: their versions as they are offered, end of life by region, who keeps it."""
