"""Recipients and wording of reminders. Each noun finds what is due."""
