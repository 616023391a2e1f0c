"""Agenda, minutes, board pack."""
