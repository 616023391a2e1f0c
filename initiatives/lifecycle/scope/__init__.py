"""The scope of an initiative: users, places, data and end."""
