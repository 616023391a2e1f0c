"""Drafts, forecast on initiatives, back-test on decisions, publication."""
