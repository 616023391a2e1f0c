"""The register as text and evidence."""
