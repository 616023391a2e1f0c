"""Vendors, terms, policies, regions, the rule."""
