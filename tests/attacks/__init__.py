"""Every attack of the review of 22 November 2026 that got through, run again: each is refused, or found."""
