"""What systems did against what they were allowed to do."""
