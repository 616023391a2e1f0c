"""The inbox of one person: tasks, the weekly digest, the calendar and absences."""
