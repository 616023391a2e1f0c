"""Performance promises of an initiative: durations and errors of its calls."""
