"""Systems, links, service accounts."""
