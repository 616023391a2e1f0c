"""What systems of a case did: the API that takes their reports, the pages of the interaction log."""
