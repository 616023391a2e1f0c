"""What came of the cases: measures, behaviour reports, incidents, post-mortems, lessons."""
