"""Second factors of local accounts: passkeys, codes, recovery codes, and resets."""
