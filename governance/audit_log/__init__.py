"""The record: who acts, entries of acts, history and capture of rows."""
