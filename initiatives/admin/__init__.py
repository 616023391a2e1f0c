"""The Django admin of the cases and of what touches them: read-only for cases; acts on people, seats and units."""

from initiatives.admin import cases, integration, people, rulebooks, systems, units

__all__ = ["cases", "integration", "people", "rulebooks", "systems", "units"]
