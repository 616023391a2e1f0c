"""The first steps of a new installation, and the first month of a person."""
