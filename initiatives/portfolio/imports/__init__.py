"""Inventories of other organisations: read from a file, mapped to reported stages, never to evidence."""
