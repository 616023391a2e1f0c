"""The portfolio that an organisation has already: its own sheet read into initiatives of its own units."""
