"""Filters and those that people saved, paging, metrics, charts, search, export."""
