"""What the monitoring of an initiative sends: alerts, days on which it was heard of, drafts of incidents."""
