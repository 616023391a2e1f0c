"""Outputs that the audit log's seed draws, judged if they trace to sources."""
