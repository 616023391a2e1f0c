"""Comparison of definitions by facets, identifier standards and masks (ADR 0048). Prose is not read."""
