"""How definitions of one term are compared: facets, identifier standards and masks; no prose is read (ADR 0048).

The names of the facets stand here, below the models that keep them.
"""

# What a definition states beside its prose, each in a field of its own; blank: not stated.
COUNTING = {
    "counted_unit": "Counted unit",
    "includes": "Includes",
    "excludes": "Excludes",
    "as_of": "As of",
    "unit_or_currency": "Unit or currency",
    "time_window": "Time window",
    "population": "Population",
}
IDENTIFIER = {"identifier_standard": "Identifier standard", "identifier_mask": "Identifier mask"}
STATED = COUNTING | IDENTIFIER
# The facet of a difference in words alone.
WORDING = "wording"
