"""Measurements: validation, import, batches, figures filed as evidence."""
