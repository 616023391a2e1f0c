"""The policy decision point: requests, decisions and their log, dry runs, client."""
