"""Attacks that got through at a review, each done again: it is refused, or found (docs/threats.md)."""
