"""Filters, paging, metrics, charts, search, export."""
