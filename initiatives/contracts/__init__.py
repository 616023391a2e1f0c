"""Contracts of initiatives: documents, API access, approvals of single calls."""
