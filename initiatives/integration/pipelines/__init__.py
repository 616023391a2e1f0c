"""Pipelines: evidence that they file by the token of their platform, without a stored secret."""
