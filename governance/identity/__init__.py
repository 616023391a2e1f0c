"""Who somebody is: second factors of local accounts, and the proofs by which they sign."""
