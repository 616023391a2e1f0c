"""Rows of identity: providers, directories, second factors, and the proofs of what was signed."""
