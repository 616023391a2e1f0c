"""Contract documents: drafting, approval, comments, control mapping."""
