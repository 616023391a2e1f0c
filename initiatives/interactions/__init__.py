"""What systems of an initiative did: the API that takes their reports, the pages of the interaction log."""
