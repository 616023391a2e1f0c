"""The script that checks an export without Plumbline."""
