"""Reports on behaviour, of users and of the monitoring: received, judged, an incident or not; sealed reporters."""
