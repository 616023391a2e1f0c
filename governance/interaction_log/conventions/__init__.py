"""Spans and log records as interactions, by the conventions that their senders follow."""
