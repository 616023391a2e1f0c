"""One initiative from idea to retirement: stages, facts, requirements, evidence, reviews, roles."""
