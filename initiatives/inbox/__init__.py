"""What waits for one person: tasks, the digest, the calendar, absences."""
