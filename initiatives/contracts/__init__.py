"""What an initiative may do: contract documents, API access, approvals of single calls."""
