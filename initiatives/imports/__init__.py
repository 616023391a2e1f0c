"""Inventories of other organisations: read from a file, mapped to claims, never to evidence."""
