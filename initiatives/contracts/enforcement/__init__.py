"""The API for systems, its cache, keys, kill switch, decision pages."""
