"""Evidence added, covered, withdrawn, captured."""
