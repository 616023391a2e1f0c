"""One initiative from idea to retirement: stages, evidence, reviews, roles."""
