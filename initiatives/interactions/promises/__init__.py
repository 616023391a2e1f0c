"""What an initiative promises of its calls: how fast they come back, and how few of them fail."""
