"""Library, search, matching, answers."""
