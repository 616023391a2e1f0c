"""To whom reminders go and in which words; what is due is asked by each noun."""
