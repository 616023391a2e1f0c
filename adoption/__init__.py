"""What came of the initiatives: measures, behaviour reports, incidents, post-mortems, lessons."""
