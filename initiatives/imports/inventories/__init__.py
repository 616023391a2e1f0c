"""Inventories of cases from other organisations, read as claims."""
