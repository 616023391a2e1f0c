"""The log of each call of AI systems: reported, encrypted, sealed and compared."""
