"""The scope of an initiative: for whom, where, with which data, until when."""
