"""Results of initiatives: measures, reports, incidents, post-mortems, lessons."""
