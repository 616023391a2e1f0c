"""Inventories of other organisations, read from a file as reported stages. They are never evidence."""
