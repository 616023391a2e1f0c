"""Due matters, notifications, emails, preferences, the calendar and the inbox."""
