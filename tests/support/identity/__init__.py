"""Software authenticators, for tests of what a browser and its passkeys would send."""
