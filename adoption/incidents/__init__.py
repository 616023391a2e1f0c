"""Incidents, runbook, reporting deadlines."""
