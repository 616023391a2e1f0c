"""Components, scope, reported changes."""
