"""Findings of all nouns synchronised to rows and holds, and alerts to everybody they reach."""
