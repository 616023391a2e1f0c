"""Inventories of initiatives from other organisations, read as reported stages."""
