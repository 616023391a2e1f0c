"""Contracts and systems of cases in the Django admin: words, comments, keys without what lets one in, the switch."""

from governance.models import (
    ClauseComment,
    DecisionBatch,
    InteractionBatch,
    KeyHeartbeat,
    ServiceKey,
    VocabularyWord,
)
from governance.web.admin_base import read_only
from initiatives.cases.admin_filters import BY_CASE, OF_STAGE
from initiatives.models import (
    ActName,
    DecisionDay,
    KillSwitch,
    LogFinding,
    LogFindingWithdrawal,
    ReconciledDay,
)

read_only(
    ServiceKey,
    ("contracts", "Keys of systems"),
    list_display=("system", "public", "contract", "principal", "made_at", "expires_at", "revoked_at"),
    list_filter=("expires_at", "revoked_at"),
    search_fields=("system", "public", "contract__title", "principal__full_name"),
    list_select_related=("contract", "principal"),
    # Whoever has the hash can try keys without asking us.
    never_shown=("secret_hash",),
)
read_only(
    KeyHeartbeat,
    ("contracts", "Heartbeats of systems"),
    list_display=("key", "day", "at"),
    list_filter=("day",),
    search_fields=("key__system", "key__public"),
    list_select_related=("key",),
)
read_only(
    DecisionDay,
    ("contracts", "Days of decisions"),
    list_display=("initiative", "key", "day", "asked", "allowed", "subjects"),
    list_filter=("day", *OF_STAGE),
    search_fields=(*BY_CASE, "key__system", "key__public"),
    list_select_related=("initiative", "key"),
)
read_only(
    ActName,
    ("contracts", "Names of acts"),
    list_display=("initiative", "name", "action", "by", "at", "taken_back_at"),
    list_filter=("at", *OF_STAGE),
    search_fields=(*BY_CASE, "name", "action"),
    list_select_related=("initiative", "by"),
)
read_only(
    ReconciledDay,
    ("contracts", "Days of both logs"),
    list_display=("initiative", "day", "done", "not_done", "never_asked", "after_denial", "open", "unmapped"),
    list_filter=("day", *OF_STAGE),
    search_fields=BY_CASE,
    list_select_related=("initiative",),
)
read_only(
    LogFinding,
    ("contracts", "Findings of the logs"),
    list_display=("initiative", "kind", "what", "at", "probable", "found_at", "withdrawal"),
    list_filter=("kind", "probable", "day", *OF_STAGE),
    search_fields=(*BY_CASE, "what", "=act", "=decision"),
    list_select_related=("initiative", "withdrawal"),
)
read_only(
    LogFindingWithdrawal,
    ("contracts", "Findings withdrawn"),
    list_display=("finding", "why", "at"),
    list_filter=("why", "at"),
    search_fields=("finding__what", "=finding__act"),
    list_select_related=("finding",),
)
read_only(
    DecisionBatch,
    ("record", "Batches of decisions"),
    list_display=("id", "count", "first_at", "last_at", "digest"),
    list_filter=("first_at",),
    search_fields=("=digest", "=spool"),
)
read_only(
    InteractionBatch,
    ("record", "Batches of interactions"),
    list_display=("id", "count", "first_at", "last_at", "day", "root"),
    list_filter=("first_at",),
    search_fields=("=root", "=spool"),
)
read_only(
    KillSwitch,
    ("owed", "Uses of the switch"),
    list_display=("initiative", "pressed_by", "pressed_at", "reason", "released_by", "released_at"),
    list_filter=("released_at", *OF_STAGE),
    search_fields=(*BY_CASE, "reason", "pressed_by__full_name"),
)
read_only(
    VocabularyWord,
    ("contracts", "Words of contracts"),
    list_display=("contract", "kind", "key", "words", "retired_at"),
    list_filter=("kind", "retired_at"),
    search_fields=("key", "words", "contract__title"),
    list_select_related=("contract",),
)
read_only(
    ClauseComment,
    ("contracts", "Comments on clauses"),
    list_display=("contract", "number", "by", "at", "settled_by", "settled_at"),
    list_filter=("at", "settled_at"),
    search_fields=("text", "contract__title", "by__full_name"),
    list_select_related=("contract", "by", "settled_by"),
)
