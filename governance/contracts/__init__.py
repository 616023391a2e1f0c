"""Pure rules of clauses: wording, completeness, overlaps, templates, Cedar."""
