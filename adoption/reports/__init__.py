"""Reports on behaviour, of users and of monitoring. They are received and judged, and reporters are sealed."""
