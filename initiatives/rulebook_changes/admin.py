"""Drafts of the rulebook and what they would do, in the Django admin: read-only."""

from governance.web.admin_base import read_only
from initiatives import models

SUBJECT = "rules"

read_only(
    models.RulebookDraft,
    (SUBJECT, "Drafts"),
    list_display=("version", "base", "number", "said", "by", "at", "loaded", "dropped_at"),
    list_filter=("loaded", "dropped_at"),
    search_fields=("version", "said", "by__full_name"),
    list_select_related=("base", "by", "loaded"),
)
read_only(
    models.Forecast,
    (SUBJECT, "What drafts would do"),
    list_display=("version", "kind", "state", "in_force", "day", "by", "asked_at", "seconds"),
    list_filter=("kind", "state", "in_force"),
    search_fields=("version", "digest", "by__full_name"),
    list_select_related=("in_force", "by"),
)
read_only(
    models.Foreseen,
    (SUBJECT, "What was foreseen"),
    list_display=("forecast", "what", "initiative", "before", "after", "debt", "due"),
    list_filter=("what", "debt", "before", "after"),
    search_fields=("initiative__title", "=initiative__number", "forecast__version"),
    list_select_related=("forecast", "initiative"),
)
