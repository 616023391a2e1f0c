"""Supported stages as rows: written, sealed and compared with the facts.

A supported stage is one row of `PastSupportedStage`. The database derives `SupportedStage` and `SupportedStagePeriod`
from it (migration 0057), and the application cannot write these two. Each span carries a seal under the secret key of
the installation, because the login of the database can add a `PastSupportedStage` and does not have that key
(docs/adr/0072).
"""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from itertools import zip_longest
from typing import Any

from django.conf import settings

from governance import clock
from governance.database import prepared_statements
from governance.database.request_memo import one_look
from governance.gates import criteria, turning_points
from governance.models import Rulebook
from governance.transparency_log import recomputation
from initiatives.contributions import Contribution
from initiatives.lifecycle.facts import initiative_rows, open_requirements, rulebook_in_effect, wording
from initiatives.lifecycle.facts.supported_stage import (
    asked,
    facts_of,
    gap_counts,
    next_expiry,
    to_verify,
    under,
)
from initiatives.models import Initiative, SupportedStage, SupportedStagePeriod
from initiatives.models.initiative import VIEWS

AT_ONCE = 50  # initiatives that are read together
SEAL = "seal"  # the field of a difference that is in the seal alone
# What a span says of its initiative. The seal covers the first three, which the decision API reads.
SAID = (
    "supported",
    "unsupported_stages",
    "label",
    "governance",
    "integration",
    "adoption",
    "runs_without",
    "held",
    "gaps",
    "open_requirements",
    "profile",
    "to_verify",
    "next_expiry_on",
)


# --- Written ----------------------------------------------------------------------------------------------------------

_KEYS = """
SELECT ARRAY(SELECT nextval(pg_get_serial_sequence('initiatives_pastsupportedstage', 'id'))
         FROM generate_series(1, %s::int)),
       ARRAY(SELECT nextval(pg_get_serial_sequence('initiatives_supportedstageperiod', 'id'))
         FROM generate_series(1, %s::int))
"""
# The trigger `supported_stage_follows` writes the spans and the newest supported stage from these rows.
_SAY = """
INSERT INTO initiatives_pastsupportedstage (id, initiative_id, rulebook_id, computed_at, valid_until, spans)
SELECT id, initiative_id, rulebook_id, computed_at, valid_until, spans
  FROM jsonb_to_recordset(%s) AS told(id bigint, initiative_id bigint, rulebook_id bigint, computed_at timestamptz,
                                      valid_until timestamptz, spans jsonb)
"""


def rewrite(initiatives: list[Initiative]) -> tuple[dict[int, criteria.Support], dict[int, list[dict]]]:
    """Rewrite the supported stages from now on, in the change's transaction.

    Returns the present support by key of the initiative, and what waits for verification (`to_verify`). The rows read
    for it are kept during `one_look`.
    """
    now = clock.now()
    support, told = {}, []
    with one_look():
        initiative_rows.read_together(initiatives)
        for initiative in initiatives:
            rulebook, spans, support[initiative.pk] = _foreseen(initiative, now)
            told.append((initiative.pk, rulebook, spans))
    _say(told, now)
    return support, {pk: spans[0]["to_verify"] or [] for pk, _, spans in told}


def rewrite_alike(initiatives: list[Initiative]) -> None:
    """Write the supported stage of initiatives alike for gates, computed once."""
    now = clock.now()
    rulebook, spans, _ = _foreseen(initiatives[0], now)
    _say([(initiative.pk, rulebook, spans) for initiative in initiatives], now)


def _foreseen(initiative: Initiative, now: datetime) -> tuple[Rulebook, list[dict], criteria.Support]:
    """Return the deciding version, the spans from now on, and the support."""
    facts, versions = facts_of(initiative), rulebook_in_effect.deciding_from(initiative, now)
    spans: list[dict] = []
    supported: list[criteria.Support] = []
    ends = [since for since, _ in versions[1:]]
    for (start, rulebook), end in zip_longest(versions, ends):
        outlook = turning_points.outlook(under(facts, initiative, rulebook.parsed), rulebook.parsed, start)
        supported.append(outlook[0].support)
        _add_spans(spans, [one for one in outlook if end is None or one.at < end])
    return versions[0][1], spans, supported[0]


def _add_spans(rows: list[dict], outlook: list[criteria.Judged]) -> None:
    """Add the outlook as the columns of spans, with equal neighbours joined."""
    for judged in outlook:
        facts, rulebook, support = judged.facts, judged.rulebook, judged.support
        ahead = open_requirements.by_rulebook_in_force(judged)
        row = {
            "supported": support.supported,
            "unsupported_stages": support.unsupported_stages,
            "label": support.label,
            "governance": support.tests["governance"],
            "integration": support.tests["integration"],
            "adoption": support.tests["adoption"],
            "runs_without": list(support.runs_without),
            "held": bool(criteria.holds_at(facts, rulebook, judged.at)),
            "gaps": gap_counts(judged),
            "open_requirements": open_requirements.by_role(judged, ahead),
            "profile": wording.profile_of(judged.states, asked(facts, rulebook)),
            "to_verify": to_verify(judged, ahead),
            "next_expiry_on": next_expiry(judged.states, clock.local_day(judged.at)),
        }
        if rows and row.items() <= rows[-1].items():
            continue
        if rows:
            rows[-1]["until_at"] = judged.at
        rows.append({**row, "from_at": judged.at, "until_at": None})


def _say(told: list[tuple[int, Rulebook, list[dict]]], now: datetime) -> None:
    with prepared_statements.cursor() as cursor:
        cursor.execute(_KEYS, [len(told), sum(len(spans) for _, _, spans in told)])
        keys, span_keys = map(iter, cursor.fetchone())
        rows = [
            {
                "id": key,
                "initiative_id": initiative,
                "rulebook_id": rulebook.pk,
                "computed_at": now,
                "valid_until": spans[0]["until_at"],
                "spans": [
                    {
                        **span,
                        "id": next(span_keys),
                        "initiative_id": initiative,
                        "past_supported_stage_id": key,
                        "seal": seal_of(key, initiative, span),
                    }
                    for span in spans
                ],
            }
            for key, (initiative, rulebook, spans) in zip(keys, told, strict=True)
        ]
        cursor.execute(_SAY, [_json(rows)])


def _json(said: Any) -> str:
    return json.dumps(said, default=lambda moment: moment.isoformat())


# --- Sealed -----------------------------------------------------------------------------------------------------------


def seal_of(past_supported_stage: int, initiative: int, span: Mapping[str, Any]) -> str:
    """Return the seal of a span: a code under the secret key over its supported stage, its initiative, its time and
    what it says.

    The key of the supported stage is in it, so that a span of an earlier supported stage does not count again.
    """
    said = (
        f"{past_supported_stage} {initiative} {span['from_at'].timestamp():.6f} "
        f"{span['until_at'].timestamp() if span['until_at'] else 0:.6f} "
        f"{span['unsupported_stages']} {span['supported']} {span['label']}"
    )
    return hmac.digest(_key_of(settings.SECRET_KEY), said.encode(), "sha256").hex()


def is_sealed(initiative: int, span: Mapping[str, Any]) -> bool:
    """Return True if this installation wrote the span of this initiative. `span` has the sealed columns of
    `SupportedStagePeriod`.
    """
    return hmac.compare_digest(
        seal_of(span["past_supported_stage_id"], initiative, span).encode(), span["seal"].encode()
    )


@cache
def _key_of(secret: str) -> bytes:
    """Return a key for this purpose alone."""
    return hashlib.sha256(f"plumbline supported stage {secret}".encode()).digest()


# --- Compared ---------------------------------------------------------------------------------------------------------

# Rows that are not those of the newest supported stage of their initiative. A supported stage has the key of its
# initiative beside its own.
_UNLIKE = """
WITH kept AS (SELECT {columns} FROM {table}), right_ones AS (SELECT {columns} FROM ({newest}) newest)
SELECT {key}, initiative_id FROM (TABLE kept EXCEPT TABLE right_ones) changed
UNION ALL
SELECT {key}, initiative_id FROM (TABLE right_ones EXCEPT TABLE kept) gone ORDER BY 1
"""


@dataclass(frozen=True)
class Difference:
    """A supported stage that differs from the facts, with the right value."""

    initiative: Initiative
    span: int | None
    field: str
    kept: str
    right: str

    @property
    def words(self) -> str:
        """Return the difference as a sentence."""
        return (
            f"The supported stage of {self.initiative.ref} has {self.field} {self.kept}. The facts support "
            f"{self.right}."
        )


def differing(keys: list[int]) -> Iterator[Difference]:
    """Yield the supported stages that differ from their present facts.

    Missing supported stages, and those older than the rulebook, are left to `periodic.recompute`. An initiative has
    at most one difference. The caller uses one look at the database, or locks the initiatives.
    """
    current, now = Rulebook.objects.in_force(), clock.now()
    if current is None:
        return
    known = SupportedStage.objects.filter(initiative__in=keys, computed_at__gte=current.published_at)
    initiatives = list(
        Initiative.objects.filter(pk__in=known.values("initiative")).select_related("unit").order_by("pk")
    )
    kept: dict[int, list[dict]] = {}
    for row in SupportedStagePeriod.objects.filter(initiative__in=initiatives).order_by("from_at").values():
        kept.setdefault(row["initiative_id"], []).append(row)
    with one_look():
        initiative_rows.read_together(initiatives)
        for initiative in initiatives:
            spans = kept.get(initiative.pk, [])
            found = _difference(initiative, _ahead(spans, now), _ahead(_foreseen(initiative, now)[1], now))
            broken = next((span for span in spans if not is_sealed(initiative.pk, span)), None)
            if found is None and broken is not None:
                found = Difference(initiative, broken["id"], SEAL, "a seal of another key", "the same")
            if found is not None:
                yield found


def _ahead(spans: list[dict], now: datetime) -> list[dict]:
    """Return the spans from now on, with equal neighbours joined."""
    rows: list[dict] = []
    for span in spans:
        if span["until_at"] is not None and span["until_at"] <= now:
            continue
        if rows and all(rows[-1][name] == span[name] for name in SAID):
            continue
        rows.append(span | {"from_at": max(span["from_at"], now)})
    return rows


def _difference(initiative: Initiative, kept: list[dict], right: list[dict]) -> Difference | None:
    for pair in zip_longest(kept, right):
        mine, other = pair
        if mine is None or other is None:
            moment = clock.moment_in_words((mine or other)["from_at"])
            said = [
                f"{one['supported']} from {moment}" if one else f"no change from {moment}" for one in pair
            ]
            return Difference(initiative, mine and mine["id"], "supported", *said)
        for name in ("from_at", *SAID):
            if _plain(mine[name]) != _plain(other[name]):
                return Difference(initiative, mine["id"], name, _plain(mine[name]), _plain(other[name]))
    return None


def _plain(value: Any) -> str:
    """Return a value of a span as text, equal before and after it is stored."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=date.isoformat)


def unlike(using: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield words, table, key and field of each supported stage that differs.

    It differs from its entries or its facts. On a database other than the default one, the rows are only compared
    with the audit log, because the rules read the default one.
    """
    refs = {
        pk: Initiative.ref_of(number)
        for pk, number in Initiative.objects.using(using).values_list("pk", "number")
    }
    for model, key in ((SupportedStage, "initiative_id"), (SupportedStagePeriod, "id")):
        table = model._meta.db_table
        columns = [one.column for one in model._meta.concrete_fields if one.column != "id" or key == "id"]
        query = _UNLIKE.format(
            table=table,
            key=key,
            columns=", ".join(columns),
            newest=VIEWS[table].format(known="true"),
        )
        for row, initiative in recomputation.stream(using, query, []):
            yield (
                f"the row differs from the newest supported stage of {refs[initiative]}",
                table,
                str(row),
                "",
            )
    if using != "default":
        return
    keys = sorted(refs)
    for start in range(0, len(keys), AT_ONCE):
        yield from _unlike_facts(keys[start : start + AT_ONCE], refs)


def _unlike_facts(keys: list[int], refs: dict[int, str]) -> Iterator[tuple[str, str, str, str]]:
    """Yield supported stages here that differ from their facts. Unreadable facts are named alone."""
    try:
        found = [one for one in differing(keys) if one.field != SEAL]
    except (KeyError, TypeError, ValueError) as trouble:
        if len(keys) > 1:
            for key in keys:
                yield from _unlike_facts([key], refs)
        else:
            words = f"the facts of {refs[keys[0]]} cannot be read: {trouble}"
            yield words, Initiative._meta.db_table, str(keys[0]), ""
        return
    for one in found:
        yield one.words, SupportedStagePeriod._meta.db_table, str(one.span or ""), one.field


CONTRIBUTION = Contribution(derived=[unlike])
