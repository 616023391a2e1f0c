"""Surveys: questions, anonymous answers, disclosure control."""
