"""What is handed out to check an export without Plumbline."""
