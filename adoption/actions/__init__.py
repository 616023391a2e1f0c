"""Everything that changes what came of the cases, a module a noun: lock, re-read, ask, change, record."""
