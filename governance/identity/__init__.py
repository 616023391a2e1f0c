"""Identity: signing in with identity providers, one human one account, break-glass accounts."""
