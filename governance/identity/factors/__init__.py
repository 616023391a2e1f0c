"""Second factors of local accounts: passkeys, one-time codes, recovery codes, and their reset by somebody else."""
