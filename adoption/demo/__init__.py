"""Initiatives that live through the real actions: for demonstrations, and for tests that need an initiative with a
life.
"""
