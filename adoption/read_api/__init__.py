"""The read API: what the pages of a person show, as JSON for programs."""
