"""Holds, obligations, gaps, dependants."""
