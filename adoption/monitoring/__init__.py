"""Monitoring of an initiative: alerts, days with data, drafts of incidents."""
