"""Models that logs, samples and imports name but no initiative declares."""
