"""Drafts, forecast on initiatives, publication."""
