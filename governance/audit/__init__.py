"""Search, samples, rights on a day, the record's pages."""
