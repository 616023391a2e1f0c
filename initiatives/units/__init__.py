"""Moving and merging units."""
