"""Search, samples, rights on a day, the audit log's pages."""
