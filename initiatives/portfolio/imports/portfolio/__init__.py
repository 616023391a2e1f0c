"""The existing portfolio of an organisation: a sheet read into its initiatives."""
