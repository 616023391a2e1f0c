"""The acts of systems, compared with what they were allowed to do."""
