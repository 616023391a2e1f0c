"""Drafts, forecast on cases, back-test on decisions, publication."""
