"""The comparison of both logs of an initiative for a day."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import Count, Min, Q, QuerySet

from governance import clock
from governance.authorization.decision import GOOD_FOR
from governance.interaction_log.reconciliation import LONGEST, Act, Decided, Found, Verdict, reconciled
from governance.interaction_log.shape import ACTS, Kind, act_name
from governance.models import Interaction, OutcomeReport, PolicyDecision, ServiceKey
from governance.models.sign_in import ALERTS, EVALUATE
from governance.vocabulary import DecisionOutcome, OutcomeKind
from governance.vocabulary.model_names import is_declared
from initiatives.interactions.comparison import day_figures
from initiatives.interactions.comparison.act_names import Names
from initiatives.interactions.comparison.day_figures import CallFigures
from initiatives.models import Initiative

MOST_NAMES = 50  # of unmapped acts that a day keeps, the most frequent ones
PART = 2_000  # calls asked about at a time
NO_KEY = 0  # an unknown key


@dataclass(frozen=True)
class OtherModel:
    """An unrecorded model that answered on a day: from when, and in which interaction."""

    label: str
    at: datetime
    interaction: int


@dataclass(frozen=True)
class Day:
    """The comparison of both logs for one day, with figures for `ReconciledDay`.

    The field `named` counts allows that only a plain call names, without an act: the call was what was allowed. A
    denial that only a plain call names is not a finding, because the call may explain the denial to a person.
    """

    acts: tuple[Found, ...] = ()
    named: int = 0
    not_done: int = 0
    open: int = 0
    sampling: bool = False
    unnamed: Counter = field(default_factory=Counter)
    calls: int = 0
    expected: int = 0
    logged: int = 0
    models: tuple[OtherModel, ...] = ()
    figures: CallFigures = field(default_factory=CallFigures)

    @property
    def findings(self) -> list[Found]:
        """Return the acts without permission, by time, with probable ones."""
        return [found for found in self.acts if found.verdict != Verdict.DONE]


@dataclass(frozen=True)
class _Row:
    """The fields that are read of one interaction."""

    pk: int
    at: datetime
    key: int | None
    action: str
    decision: bytes
    sampled: float | None
    call: bytes
    conversation: bytes | None
    whole: frozenset[str]


_WHOLE = frozenset({"input", "output", "actor", "time", "version"})


def read_day(initiative: Initiative, day: date, names: Names, now: datetime) -> Day:
    """Compare both logs of an initiative for a day (local), as they are at `now`.

    The comparison reads LONGEST over both ends of the day, because an act may follow its decision over midnight. Only
    acts of the day are returned. An action that was asked about is compared, even if the contract does not know its
    name.
    """
    start, end = clock.midnight_before(day), clock.midnight_after(day)
    systems = _systems(initiative)
    decided = list(_decided(initiative, systems, start - 2 * LONGEST, end + LONGEST))
    actions = {row.action: row.action for row in decided} | dict(names.actions)
    for name in names.ignored:
        actions.pop(name, None)
    rows = _rows(initiative, start - LONGEST, end + LONGEST, actions)
    acts = [
        Act(
            f"i{row.pk}",
            row.at,
            systems.get(row.key, NO_KEY),
            row.action,
            row.decision,
            sampled=row.sampled,
        )
        for row in rows.values()
        if row.action in actions
    ]
    acts += _outcomes(initiative, systems, {row.id: row for row in decided}, start - LONGEST, end + LONGEST)
    found = reconciled(decided, acts, actions=actions, now=now)
    inside = tuple(one for one in found.acts if start <= one.act.at < end)
    allowed = {row.id: row for row in decided if row.allowed and start <= row.at < end}
    expected = allowed.keys() - _failed(initiative, start, end)
    rests = defaultdict(set)
    for row in rows.values():
        rests[row.decision].add(row.pk)
    for one in found.of(Verdict.DONE):
        for name in (one.act.id, one.act.span):
            if name.startswith("i"):
                rests[one.decision].add(int(name[1:]))
    # A file that a person imported shows what was done, but not that a system logs it.
    sent = {pk for pk, row in rows.items() if row.key is not None}
    needed = {pk for decision in expected for pk in rests.get(decision, ()) if pk in sent}
    whole = _whole(initiative, [rows[pk] for pk in needed], start - LONGEST, end + LONGEST)
    left = [decision for decision in found.not_done if decision in allowed]
    named = sum(1 for decision in left if decision in rests)
    figures = day_figures.of_day(initiative.number, day, over=end <= now)
    return Day(
        acts=inside,
        named=named,
        not_done=len(left) - named,
        open=sum(1 for moment in found.waiting if start <= moment < end),
        sampling=bool(found.sampling) or figures.sampling,
        unnamed=_unnamed(initiative, start, end, actions, names),
        calls=_of_day(initiative, start, end).filter(kind=Kind.CALL).count(),
        expected=len(expected),
        logged=sum(1 for decision in expected if rests.get(decision, set()) & whole),
        models=tuple(_other_models(initiative, start, end, names)),
        figures=figures,
    )


def _of_day(initiative: Initiative, start: datetime, end: datetime) -> QuerySet[Interaction]:
    return Interaction.objects.filter(initiative_number=initiative.number, at__gte=start, at__lt=end)


def _systems(initiative: Initiative) -> dict[int | None, int]:
    """Return by key the number of its system. Keys with the same name are one system.

    A system that reports and never asks, such as a collector, counts as the only asking system. If several ask, all
    keys of the initiative are one system, because the reports do not show whose acts they are. Keys for alerts alone
    are left out.
    """
    rows = ServiceKey.objects.filter(contract=initiative.contract_id).exclude(scopes=[ALERTS])
    keys = list(rows.order_by("pk")) if initiative.contract_id else []
    first: dict[str, int] = {}
    for key in keys:
        first.setdefault(key.system, key.pk)
    asking = {first[key.system] for key in keys if EVALUATE in key.scopes}
    if not {first[key.system] for key in keys} - asking:
        return {key.pk: first[key.system] for key in keys}
    if len(asking) > 1:
        return {key.pk: first[keys[0].system] for key in keys}
    (one,) = asking or {first[keys[0].system]}
    return {key.pk: one for key in keys}


def _decided(
    initiative: Initiative, systems: dict[int | None, int], start: datetime, end: datetime
) -> Iterator[Decided]:
    rows = PolicyDecision.objects.calls().filter(
        initiative_number=initiative.number, at__gte=start, at__lt=end, key_id__isnull=False
    )
    for digest, at, key, action, outcome in rows.values_list(
        "digest", "at", "key_id", "action", "outcome"
    ).iterator():
        allowed = outcome == DecisionOutcome.ALLOW
        yield Decided(
            bytes(digest),
            at,
            systems.get(key, NO_KEY),
            act_name(action),
            allowed,
            at + GOOD_FOR if allowed else None,
        )


def _rows(initiative: Initiative, start: datetime, end: datetime, actions: Iterable[str]) -> dict[int, _Row]:
    """Return the interactions that are acts of the contract or name a decision."""
    wanted = _of_day(initiative, start, end).filter(
        Q(action__in=list(actions)) | Q(decision__isnull=False), kind__in=ACTS
    )
    read = wanted.values_list(
        *("id", "at", "key_id", "action", "decision", "sampled", "call", "conversation"),
        *("has_input", "has_output", "subject", "version", "odd_clock"),
    )
    found = {}
    for pk, at, key, action, decision, sampled, call, conversation, *others in read.iterator():
        asked, answered, subject, version, odd_clock = others
        found[pk] = _Row(
            *(pk, at, key, action, bytes(decision) if decision else b"", sampled, bytes(call)),
            bytes(conversation) if conversation else None,
            _said(bool(asked), bool(answered), subject, str(version), not odd_clock),
        )
    return found


def _said(input: bool, output: bool, subject: object, version: str, time: bool = False) -> frozenset[str]:
    parts = {"input": input, "output": output, "actor": bool(subject), "version": bool(version), "time": time}
    return frozenset(name for name, there in parts.items() if there)


def _outcomes(
    initiative: Initiative,
    systems: dict[int | None, int],
    decided: dict[bytes, Decided],
    start: datetime,
    end: datetime,
) -> Iterator[Act]:
    """Yield the acts that systems reported as done, with the decision or without one."""
    rows = OutcomeReport.objects.filter(initiative_number=initiative.number, kind=OutcomeKind.DONE)
    for row in rows.filter(decided_at__gte=start, decided_at__lt=end).iterator():
        decision = decided.get(bytes(row.decision or b""))
        if decision is not None:
            key = systems.get(row.key_id, NO_KEY)
            yield Act(f"o{row.pk}", row.at or decision.at, key, decision.action, decision.id, outcome=True)
    for row in rows.filter(decision__isnull=True, at__gte=start, at__lt=end).iterator():
        key = systems.get(row.key_id, NO_KEY)
        yield Act(f"o{row.pk}", row.at or row.reported_at, key, act_name(row.action), outcome=True)


def _failed(initiative: Initiative, start: datetime, end: datetime) -> set[bytes]:
    rows = OutcomeReport.objects.filter(
        initiative_number=initiative.number,
        kind=OutcomeKind.FAILED,
        decided_at__gte=start,
        decided_at__lt=end,
    )
    return {bytes(decision or b"") for decision in rows.values_list("decision", flat=True)}


def _whole(initiative: Initiative, rows: list[_Row], start: datetime, end: datetime) -> set[int]:
    """Return the rows that are completely logged, with events that were sent apart by a key.

    A run of a tool contains no model and often no person, so those of the calls in its conversation count.
    """
    lacking = [row for row in rows if row.whole != _WHOLE]
    added: dict[bytes, frozenset[str]] = {}
    calls = list({row.call for row in lacking})
    for place in range(0, len(calls), PART):
        events = Interaction.objects.filter(
            initiative_number=initiative.number,
            key_id__isnull=False,
            call__in=calls[place : place + PART],
            kind=Kind.EVENTS,
        )
        for row in events.only("call", "has_input", "has_output", "subject", "version"):
            said = _said(row.has_input, row.has_output, row.subject, row.version)
            added[bytes(row.call)] = added.get(bytes(row.call), frozenset()) | said
    around: dict[bytes, frozenset[str]] = {}
    if any(row.conversation for row in lacking):
        spoken = _of_day(initiative, start, end).filter(
            kind=Kind.CALL, conversation__isnull=False, key_id__isnull=False
        )
        for name, there in (("version", ~Q(version="")), ("actor", Q(subject__isnull=False))):
            for conversation in (
                spoken.filter(there).values_list("conversation", flat=True).distinct().order_by()
            ):
                at = bytes(conversation or b"")
                around[at] = around.get(at, frozenset()) | {name}
    return {
        row.pk
        for row in rows
        if row.whole | added.get(row.call, frozenset()) | around.get(row.conversation or b"", frozenset())
        == _WHOLE
    }


def _unnamed(
    initiative: Initiative, start: datetime, end: datetime, actions: dict[str, str], names: Names
) -> Counter:
    """Count the acts without an action of the contract, by their name. Ignored names are left out."""
    known = {*actions, *names.ignored}
    counted: Counter = Counter()
    rows = _of_day(initiative, start, end).filter(Q(kind=Kind.TOOL) | ~Q(action=""), kind__in=ACTS)
    for name, count in rows.exclude(action__in=known).values_list("action").annotate(Count("id")).order_by():
        counted[name] += count
    unasked = OutcomeReport.objects.filter(
        initiative_number=initiative.number, decision__isnull=True, at__gte=start, at__lt=end
    )
    for name, count in unasked.values_list("action").annotate(Count("id")).order_by():
        if act_name(name) not in known:
            counted[act_name(name)] += count
    return counted


def _other_models(
    initiative: Initiative, start: datetime, end: datetime, names: Names
) -> Iterator[OtherModel]:
    """Yield models that answered without a recorded version that ran then or later."""
    calls = _of_day(initiative, start, end).filter(kind=Kind.CALL).exclude(model="", version="")
    declared = names.models_since(start)
    seen: dict[str, OtherModel] = {}
    for model, version, first in calls.values_list("model", "version").annotate(Min("at")).order_by():
        if is_declared(model, version, declared):
            continue
        label = version or model
        if label not in seen or first < seen[label].at:
            row = calls.filter(model=model, version=version, at=first).order_by("pk").first()
            seen[label] = OtherModel(label, first, row.pk if row else 0)
    yield from seen.values()
