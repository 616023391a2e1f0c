"""Changes of an initiative, and the evidence that they void."""
