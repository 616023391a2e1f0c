"""Identity: providers of the house, one human one account, second factors, and the proofs by which people sign."""
