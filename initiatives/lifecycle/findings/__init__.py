"""Findings of all nouns as rows and holds, and alerts to people affected."""
