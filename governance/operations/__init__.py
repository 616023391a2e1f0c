"""Whether the installation runs: status, heartbeats, readiness, the clock, logging, the web server."""
