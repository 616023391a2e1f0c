"""The needs of a process: environment, secrets, logs, redaction, children, clock."""
