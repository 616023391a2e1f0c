"""Rows of who somebody is: second factors, and the proofs of what was signed."""
