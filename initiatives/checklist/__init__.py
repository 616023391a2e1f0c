"""Answers, checklist rows, waivers, crosswalk."""
