"""What came of the cases: measures, signals, incidents, post-mortems, lessons."""
