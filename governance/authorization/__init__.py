"""The policy decision point: requests, decisions, the log of decisions and its queries, dry runs, the client."""
