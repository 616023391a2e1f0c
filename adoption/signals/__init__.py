"""Signals and their sealed reporter."""
