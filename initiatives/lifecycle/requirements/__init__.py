"""Answers, requirements rows, waivers, crosswalk."""
