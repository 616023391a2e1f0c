"""Filters and those that people saved, paging, search, export."""
