"""Events for other systems: receivers, signed messages, deliveries, and the audit log by syslog."""
