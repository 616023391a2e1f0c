"""Reviews: their state, whose turn it is, the decision, their pages."""
