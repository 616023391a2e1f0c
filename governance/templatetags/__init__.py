"""Words, days and components for templates."""
