"""Acts on one initiative: their frame, review state and rehearsal. Page frame, similar initiatives."""
