"""Drills, processes, trace samples."""
