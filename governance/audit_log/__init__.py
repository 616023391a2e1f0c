"""The audit log: who acts, entries of acts, history and capture of rows."""
