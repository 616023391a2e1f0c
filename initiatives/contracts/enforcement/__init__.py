"""The API systems ask, its cache, keys, kill switch, decision pages."""
