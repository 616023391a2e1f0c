"""What the proof of a case supports: facts collected from rows, judged by the pure rules, kept with exact expiry."""

from datetime import date, datetime, timedelta

from governance import clock, gates
from governance.facts import (
    ConditionFact,
    ContractState,
    DebtFact,
    Declared,
    Facts,
    HoldFact,
    Item,
    Reply,
    Running,
    ScopeFact,
    Void,
    WaiverFact,
)
from governance.models import Rulebook
from governance.reading import once, one_look
from governance.rulebook import Book
from initiatives import sources
from initiatives.models import Initiative, PastStanding, Span, StageChange, Standing
from initiatives.models.holds import HOLD_KINDS

BLOCKING_DEBTS = ("post_mortem", "retrospective", "criterion")


def facts_of(case: Initiative) -> Facts:
    """Everything gates look at, read now. A fixed number of queries, whatever the size of the case."""
    with one_look():
        return once(("facts", case.pk), lambda: _read(case))


def _read(case: Initiative) -> Facts:
    roles = sources.roles(case)
    in_force = {role.role: role.person for role in roles if role.in_force}
    owner = in_force.get("owner")
    changes = sources.rows(case, "stage_changes")
    reopened = max((change.at for change in changes if change.basis == "reopened"), default=None)
    reviews = [
        review
        for review in sources.reviews(case)
        if review.approved and (reopened is None or review.ended_at > reopened)
    ]
    return Facts(
        ref=case.ref,
        title=case.title,
        claimed=case.stage,
        imported=case.imported,
        tier=case.tier,
        answers=_answers(case),
        items=_items(case, roles),
        running=tuple(
            Running(v.pk, v.component_id, v.layer, v.label(v.name), v.runs_from, v.runs_to)
            for v in sources.rows(case, "component_versions")
        ),
        contracts=_contracts(case),
        holds=tuple(
            HoldFact(
                hold.kind, HOLD_KINDS[hold.kind][0], hold.reason, HOLD_KINDS[hold.kind][1], hold.blocking
            )
            for hold in sources.rows(case, "holds")
        ),
        waivers=tuple(
            WaiverFact(w.key, w.granted_at, w.until, w.reason)
            for w in sources.rows(case, "waivers")
            if w.granted_at
        ),
        conditions=_conditions(case, reviews),
        debts=_debts(owner),
        declared={p.key: Declared(p.key, p.declared, p.result) for p in sources.rows(case, "proof_items")},
        decided={review.gate: clock.local_day(review.ended_at) for review in reviews},
        reattest_by=reattest_by(case),
        scopes=tuple(
            ScopeFact(s.pk, _scope_words(s), s.user_count, s.ends_on, s.starts_at is None)
            for s in sources.rows(case, "scopes")
            if s.ended_at is None or s.ended_at > clock.now()
        ),
        people={role: person.full_name for role, person in in_force.items()},
        owner_id=owner.pk if owner else None,
    )


def _answers(case: Initiative) -> dict[str, Reply]:
    return {
        row.requirement: Reply(
            row.kind,
            row.text,
            row.version,
            row.at,
            clock.local_day(row.accepted_at) if row.accepted_at else None,
        )
        for row in sources.rows(case, "answers")
    }


def _conditions(case: Initiative, reviews) -> tuple[ConditionFact, ...]:
    """What these decisions still ask for, decision by decision, by day."""
    decided = {review.pk for review in reviews}
    unmet = [row for row in sources.rows(case, "unmet_conditions") if row.review_id in decided]
    unmet.sort(key=lambda row: (row.review_id, row.due))
    return tuple(ConditionFact(row.text, row.owner_name, row.due) for row in unmet)


def _items(case: Initiative, roles) -> tuple[Item, ...]:
    """The evidence of the case as the rules see it, from plain rows, because this runs in every act."""
    voids: dict[int, dict[str, tuple[Void, ...]]] = {}
    for row in sources.rows(case, "voidings"):
        of_item = voids.setdefault(row.evidence_id, {})
        void = Void(row.effective_at, row.trigger, row.cause)
        of_item[row.requirement] = (*of_item.get(row.requirement, ()), void)
    rows = sources.rows(case, "evidence")
    superseded_by = {row.supersedes_id: row.pk for row in rows if row.supersedes_id}
    by_key = {role.pk: role for role in roles}
    return tuple(
        _item(row, superseded_by.get(row.pk), by_key.get(row.acceptance_id), voids.get(row.pk, {}))
        for row in rows
    )


def _item(row, superseded_by, acceptance, voids) -> Item:
    return Item(
        id=row.pk,
        kind=row.kind,
        title=row.title,
        author_id=row.author_id,
        observed_on=row.observed_on,
        added_at=row.added_at,
        fingerprint=row.sha256 or f"item:{row.pk}",
        covers={cover["key"]: cover["pk"] for cover in row.covers},
        result=row.result,
        condition=row.condition,
        voids=voids,
        withdrawn_at=row.withdrawn_at,
        superseded_by=superseded_by,
        missing=row.missing_since is not None,
        generated=row.generated,
        unverified=bool(row.link) and not row.sha256,
        acceptance_role=acceptance.role if acceptance else "",
        acceptance_open=bool(acceptance and not acceptance.ended_at and acceptance.person.is_active),
        clause_of=row.clause_of,
        components=frozenset(name["version"] for name in row.named if name["version"]),
        layers=frozenset(name["layer"] or ("scope" if name["scope"] else "contract") for name in row.named),
    )


def _contracts(case: Initiative) -> tuple[ContractState, ...]:
    return tuple(
        ContractState(v.pk, v.number, v.digest, v.starts_at, v.ends_at)
        for v in sources.rows(case, "contract_versions")
        if v.starts_at
    )


def _debts(owner) -> tuple[DebtFact, ...]:
    if owner is None:
        return ()
    return tuple(
        DebtFact(
            debt.pk,
            debt.kind,
            debt.text,
            debt.debtor_id,
            debt.due,
            Initiative.ref_of(debt.case_number),
            debt.excused_at is not None,
        )
        for debt in sources.debts_of(owner, BLOCKING_DEBTS)
    )


def reattest_by(case: Initiative) -> date | None:
    """The day by which production must be accepted again; none for imported claims, which owe nothing."""
    if case.stage != "production" or case.imported:
        return None
    start = max(filter(None, [case.since, case.reattested_at]))
    rule = Rulebook.objects.current().book.stages["production"]
    days = rule.reattest_days_high if case.high_risk else rule.reattest_days
    return clock.local_day(start) + timedelta(days=days)


def review_by(case: Initiative, continued: list[date] | None = None) -> date | None:
    """The day by which the chair says *continue or stop*; None where nobody has to (domain.md, "Never").

    It is the stage's maximum age, or the end that the chair set since; imported claims owe nothing. `continued`: the
    ends that the chair set in this stage, where they have been read already.
    """
    if case.stage not in ("prototype", "mvp") or case.imported or case.withdrawn_at:
        return None
    most = Rulebook.objects.current().book.stages[case.stage].max_days_before_review
    if most is None:
        return None
    if continued is None:
        continued = [row.until for row in sources.rows(case, "continuations") if row.at >= case.since]
    return max([clock.local_day(case.since) + timedelta(days=most), *continued])


def decision_due(case: Initiative) -> date | None:
    """The day by which the chair says *continue or stop*, once its first reminder is due; None before that."""
    ends = review_by(case)
    warn = max(Rulebook.objects.current().book.freshness.warn_days_before)
    return ends if ends is not None and clock.today() >= ends - timedelta(days=warn) else None


def said_on(case: Initiative, on: date) -> tuple[str, str, str]:
    """What the case claimed at the end of a day, what the product said its proof supported, and the shortfall's name.

    For today it is worked out from the facts; for an earlier day it is what was said then, as `PastStanding` kept it.
    All three are "" for a day before the case was registered here.
    """
    if on >= clock.today():
        book, now = Rulebook.objects.current().book, clock.now()
        facts = facts_of(case)
        support = gates.support(facts, book, now, gates.states_at(facts, book, now))
        return case.stage, support.supported, support.label
    end = clock.midnight_after(on)
    if case.registered_at >= end:
        return "", "", ""
    moved = StageChange.objects.filter(initiative=case, at__lt=end).order_by("-pk").first()
    kept = PastStanding.objects.filter(initiative=case, computed_at__lt=end).order_by("-pk").first()
    last = end - timedelta(microseconds=1)
    span = next((span for span in kept.spans if _covers(span, last)), None) if kept else None
    claimed = moved.to_stage if moved else "proposed"
    return claimed, span["supported"] if span else "", span["label"] if span else ""


def _covers(span: dict, moment: datetime) -> bool:
    until = span["until_at"]
    return datetime.fromisoformat(span["from_at"]) <= moment and (
        until is None or datetime.fromisoformat(until) > moment
    )


def _scope_words(scope) -> str:
    places = ", ".join([*scope.departments, *scope.places])
    until = f" until {scope.ends_on:%-d %B %Y}" if scope.ends_on else ""
    return f"{scope.user_count} users" + (f" in {places}" if places else "") + until


def rewrite(case: Initiative, book: Book | None = None) -> gates.Support:
    """Write the standing of the case anew, from now on, in the transaction of the change. Returns what holds now."""
    rulebook = Rulebook.objects.current()
    book = book or rulebook.book
    now = clock.now()
    facts = facts_of(case)
    outlook = gates.outlook(facts, book, now)
    spans = _spans(case, facts, book, outlook)
    Span.objects.filter(initiative=case).delete()
    Span.objects.bulk_create(spans)
    standing, _ = Standing.objects.update_or_create(
        initiative=case,
        defaults={"rulebook": rulebook, "computed_at": now, "valid_until": spans[0].until_at},
    )
    PastStanding.objects.bulk_create([_kept(standing, spans)])
    return outlook[0][1]


def _kept(standing: Standing, spans: list[Span]) -> PastStanding:
    """The standing as the record keeps it, for whoever asks later what it was."""
    return PastStanding(
        initiative_id=standing.initiative_id,
        rulebook_id=standing.rulebook_id,
        computed_at=standing.computed_at,
        valid_until=standing.valid_until,
        spans=[_columns(span) for span in spans],
    )


def _columns(row: Span) -> dict:
    return {
        field.column: value.isoformat() if isinstance(value := getattr(row, field.attname), date) else value
        for field in Span._meta.concrete_fields
    }


def _spans(case: Initiative, facts: Facts, book: Book, outlook) -> list[Span]:
    """The outlook as rows, neighbours that say the same joined."""
    rows: list[Span] = []
    for moment, support, states in outlook:
        row = Span(
            initiative=case,
            from_at=moment,
            supported=support.supported,
            shortfall=support.shortfall,
            label=support.label,
            governance=support.tests["governance"],
            integration=support.tests["integration"],
            adoption=support.tests["adoption"],
            held=bool(gates.holds_at(facts, moment)),
            gaps=gap_counts(facts, book, states),
            next_stale_on=next_stale(states, clock.local_day(moment)),
        )
        if rows and _same(rows[-1], row):
            continue
        if rows:
            rows[-1].until_at = moment
        rows.append(row)
    return rows


def _same(one: Span, other: Span) -> bool:
    fields = ("supported", "label", "governance", "integration", "adoption", "held", "gaps", "next_stale_on")
    return all(getattr(one, name) == getattr(other, name) for name in fields)


def gap_counts(facts: Facts, book: Book, states: dict[str, gates.State]) -> dict[str, int]:
    """How many requirements stand between the case and what it claims, by layer."""
    counts: dict[str, int] = {}
    for key in asked(facts, book):
        if not states[key].grounded and book.requirements[key].blocking:
            layer = book.requirements[key].layer
            counts[layer] = counts.get(layer, 0) + 1
    return counts


def asked(facts: Facts, book: Book) -> list[str]:
    """Requirements that the gates up to the claimed stage ask for, in the rulebook's order, each once."""
    keys: dict[str, None] = {}
    for stage in gates.STAGES[1 : gates.RANK.get(facts.claimed, 0) + 1]:
        gate = book.gate_to(stage)
        later = book.deferred(gate)
        for key in gate.requirements():
            if key not in later:
                keys.setdefault(key)
    return list(keys)


def next_stale(states: dict[str, gates.State], day):
    """The first day on which something that grounds a requirement now has aged out."""
    ends = [state.last_day for state in states.values() if state.state == "grounded" and state.last_day]
    upcoming = [end + timedelta(days=1) for end in ends if end >= day]
    return min(upcoming, default=None)


def rewrite_alike(cases: list[Initiative]) -> None:
    """Write the standing of cases without standing that differ in nothing that gates look at: worked out once."""
    rewrite(cases[0])
    first = Standing.objects.get(initiative=cases[0])
    spans = list(Span.objects.filter(initiative=cases[0]).values())
    standings = [
        Standing(
            initiative=case,
            rulebook_id=first.rulebook_id,
            computed_at=first.computed_at,
            valid_until=first.valid_until,
        )
        for case in cases[1:]
    ]
    alike = {
        case.pk: [Span(**{**span, "id": None, "initiative_id": case.pk}) for span in spans]
        for case in cases[1:]
    }
    Standing.objects.bulk_create(standings, batch_size=1000)
    Span.objects.bulk_create([row for rows in alike.values() for row in rows], batch_size=1000)
    PastStanding.objects.bulk_create(
        [_kept(standing, alike[standing.initiative_id]) for standing in standings], batch_size=1000
    )
