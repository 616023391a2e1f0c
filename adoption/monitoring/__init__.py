"""What the monitoring of a case sends: alerts, days on which it was heard of, drafts of incidents."""
