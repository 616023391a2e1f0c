"""The standing of a case as it was computed by a day: views over what `PastStanding` kept."""

# The newest standing of each case among those known by that day; `{known}` is the condition on its transaction. Cases
# are never deleted, so the table of today has the keys of all there ever were: each is one step down an index.
NEWEST = """
  FROM public.initiatives_initiative i CROSS JOIN LATERAL
       (SELECT k.id FROM public.initiatives_paststanding k WHERE k.initiative_id = i.id AND {known}
         ORDER BY k.id DESC LIMIT 1) newest JOIN public.initiatives_paststanding p ON p.id = newest.id
"""
INDEXES = {
    "initiatives_paststanding": "CREATE INDEX IF NOT EXISTS initiatives_paststanding_newest"
    " ON initiatives_paststanding (initiative_id, id, xact)"
}
VIEWS = {
    "initiatives_standing": "SELECT p.id, i.id AS initiative_id, p.rulebook_id, p.computed_at, p.valid_until"
    + NEWEST,
    "initiatives_span": (
        "SELECT span.id, i.id AS initiative_id, span.from_at, span.until_at, span.supported, span.shortfall,"
        " span.label, span.governance, span.integration, span.adoption, span.held, span.gaps, span.next_stale_on"
        + NEWEST
        + " CROSS JOIN LATERAL jsonb_populate_recordset(NULL::public.initiatives_span, p.spans) span"
    ),
}
