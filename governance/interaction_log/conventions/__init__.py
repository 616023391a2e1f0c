"""Spans and log records as interactions, by the conventions of their senders."""
