"""What AI systems did, call by call, as they report it: read by the standard, kept encrypted, sealed, compared."""
