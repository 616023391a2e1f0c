"""Identity: providers, one account for each person, second factors, and proofs."""
