"""One person's work items, weekly digest, first steps."""
