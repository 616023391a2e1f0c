"""The list of reviews: those that wait for the person who looks come first."""
