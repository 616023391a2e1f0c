"""Systems from a table, for instance of a CMDB: each line as it is read, all new lines at once or none."""
