"""Rows of what came of the cases."""

from adoption.models.postmortems import Lesson, PostMortem

__all__ = ["Lesson", "PostMortem"]
