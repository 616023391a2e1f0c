"""How long interactions are kept: erasure of a person, legal holds, retention, copies of files and keys."""
