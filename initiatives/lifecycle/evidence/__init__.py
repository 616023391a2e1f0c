"""Evidence: adding, covering, withdrawing and capturing."""
