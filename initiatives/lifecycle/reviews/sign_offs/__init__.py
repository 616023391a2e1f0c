"""Sign-offs: the statement, the signature, its withdrawal."""
