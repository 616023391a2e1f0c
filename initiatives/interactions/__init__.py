"""The interaction log of an initiative: its pages, and the API for reports."""
