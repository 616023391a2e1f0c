"""Operation of the installation: status, heartbeats, readiness, corrections, tasks."""
