"""Evidence opened and verified by people outside the team."""
