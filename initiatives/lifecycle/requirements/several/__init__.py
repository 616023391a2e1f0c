"""Many requirements in one form: answered by the contract or in words."""
