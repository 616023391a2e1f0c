"""How definitions of one term are compared: facets, identifier standards and masks; no prose is read (ADR 0048)."""
