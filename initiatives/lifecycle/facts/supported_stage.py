"""The supported stage of an initiative: facts judged by the pure rules."""

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import lru_cache

from governance import clock
from governance.database.request_memo import once, one_look
from governance.gates import criteria, remarks
from governance.gates.criteria import Judged
from governance.gates.gate_inputs import (
    AcceptedRiskFact,
    ConditionFact,
    ContractState,
    Declared,
    DeploymentFact,
    Facts,
    FindingFact,
    HoldFact,
    Item,
    Measured,
    ObjectionFact,
    ObligationFact,
    Reply,
    ScopeFact,
    StandsAlone,
    SteppedBack,
    Verification,
    Void,
    WaiverFact,
)
from governance.gates.requirement_state import BY_VERIFYING, NEXT_ACCEPTANCE, State
from governance.models import Rulebook
from governance.rulebook import ParsedRulebook
from governance.rulebook.parsed_rulebook import Gate
from governance.vocabulary import RUNNING_STAGES, STAGE_RANK, HoldKind, Stage, model_names
from initiatives.lifecycle.facts import drawn_requirements, finding_rules, initiative_rows, rulebook_in_effect
from initiatives.models import Initiative, PastSupportedStage, StageChange
from initiatives.models.initiative import gate_out_of

# States that stand on items which age: met, or at a level that one gate asks for and a later one does not.
CURRENT = ("met", "below")
BLOCKING_OBLIGATIONS = ("post_mortem", "retrospective", "criterion")


def judged(initiative: Initiative, facts: Facts | None = None, at: datetime | None = None) -> Judged:
    """Judge an initiative by its deciding rulebook, now or at `at`. Read facts are reused."""
    return judged_by(rulebook_in_effect.rulebook_of(initiative, at), initiative, facts, at)


def judged_by(
    rulebook: Rulebook, initiative: Initiative, facts: Facts | None = None, at: datetime | None = None
) -> Judged:
    """Judge an initiative by a version of the rulebook. A running look judges once by each, unless `at` is given."""

    def judge() -> Judged:
        return criteria.judge(facts or facts_of(initiative), rulebook.parsed, at or clock.now())

    return judge() if at else once(("judged", initiative.pk, rulebook.pk), judge)


def facts_of(initiative: Initiative) -> Facts:
    """Return all facts that gates need, read now. The number of queries is fixed for any initiative."""
    with one_look():
        return once(("facts", initiative.pk), lambda: _read(initiative))


def _read(initiative: Initiative) -> Facts:
    rows, roles = initiative_rows.around(initiative), initiative_rows.roles(initiative)
    in_force = {role.role: role.person for role in roles if role.in_force}
    owner = in_force.get("owner")
    reopened = max(
        (change.at for change in rows["stage_changes"] if change.basis == "reopened"), default=None
    )
    reviews = [
        review
        for review in initiative_rows.reviews(initiative)
        if review.approved and (reopened is None or review.ended_at > reopened)
    ]
    return Facts(
        ref=initiative.ref,
        title=initiative.title,
        problem=initiative.problem,
        platform=initiative.platform,
        harm=initiative.worst_credible_harm,
        confidential=initiative.confidential,
        approved_stage=initiative.stage,
        imported=initiative.imported,
        tier=initiative.tier,
        proposed_tier=initiative.proposed_tier,
        answers=_answers(rows["answers"]),
        items=_items(initiative, rows, roles),
        deployments=tuple(
            DeploymentFact(
                d.pk,
                d.part,
                d.version.layer,
                str(d),
                d.runs_from,
                d.runs_to,
                frozenset(model_names.names_of(d.version.name, d.version.version)),
            )
            for d in rows["deployments"]
        ),
        contracts=_contracts(rows["contract_versions"]),
        holds=tuple(
            HoldFact(
                hold.kind, HoldKind(hold.kind).label, hold.reason, HoldKind(hold.kind).cap, hold.blocking
            )
            for hold in rows["holds"]
        ),
        waivers=tuple(
            WaiverFact(w.key, w.granted_at, w.until, w.reason) for w in rows["waivers"] if w.granted_at
        ),
        accepted_risks=tuple(
            AcceptedRiskFact(
                row.pk, row.title, row.risk.full_name, row.risk_at, row.until, row.review_by, row.ends_at
            )
            for row in rows["accepted_risks"]
        ),
        conditions=_conditions(rows["unmet_conditions"], reviews),
        stepped_back=_stepped_back(rows["stage_changes"]),
        objections=tuple(
            ObjectionFact(row.seat, frozenset(row.criteria), row.reason) for row in rows["objections"]
        ),
        obligations=_obligations(initiative),
        declared={p.key: Declared(p.key, p.declared, p.result) for p in rows["declared_goals"]},
        decided={review.gate: clock.local_day(review.ended_at) for review in reviews},
        reattest_by=reattest_by(initiative),
        scopes=tuple(
            ScopeFact(s.pk, _scope_words(s), s.user_count, s.ends_on, s.starts_at is None)
            for s in rows["scopes"]
            if s.ended_at is None or s.ended_at > clock.now()
        ),
        requirement_findings=tuple(
            FindingFact(
                one.requirement,
                one.words,
                one.fix,
                one.who,
                one.since,
                one.until,
                one.hold,
                HoldKind.word(one.hold),
                HoldKind(one.hold).cap if one.hold else None,
            )
            for one in (
                *rows["requirement_findings"],
                *finding_rules.unless_found(rows["requirement_findings"]),
            )
        ),
        measured=tuple(
            Measured(row.requirement, row.way, row.words, row.since, row.until)
            for row in rows["measured_answers"]
        ),
        described=tuple((link.at, link.ended_at) for link in rows["links"]),
        alone=tuple(StandsAlone(*one) for row in rows["standalone"] for one in row.acceptances),
        drawn=drawn_requirements.drawn_of(initiative),
        round=drawn_requirements.current_round(initiative),
        tier_scope=initiative.tier_scope or 0,
        tier_outdated=_tier_outdated(initiative, rows["scopes"]),
        people={role: person.full_name for role, person in in_force.items()},
        owner_id=owner.pk if owner else None,
    )


def _tier_outdated(initiative: Initiative, scopes: list) -> tuple[tuple[datetime, datetime | None], ...]:
    spans: list[tuple[datetime, datetime | None]] = [
        (scope.starts_at, scope.ended_at)
        for scope in initiative.scopes_without_tier(scopes)
        if scope.starts_at
    ]
    if initiative.purpose_changed_at is not None:
        spans.append((initiative.purpose_changed_at, None))
    return tuple(sorted(spans, key=lambda span: span[0]))


def _answers(rows: list) -> dict[str, Reply]:
    return {
        key: Reply(
            kind,
            text,
            version,
            datetime.fromisoformat(at),
            clock.local_day(datetime.fromisoformat(accepted_at)) if accepted_at else None,
            by,
            frozenset(filter(None, accepted_by)),
        )
        for row in rows
        for key, kind, text, version, at, accepted_at, by, *accepted_by in row.replies
    }


def _conditions(rows: list, reviews) -> tuple[ConditionFact, ...]:
    """Return the unmet conditions of these decisions, decision by decision, by day."""
    decided = {review.pk for review in reviews}
    unmet = [row for row in rows if row.review_id in decided]
    unmet.sort(key=lambda row: (row.review_id, row.due))
    return tuple(ConditionFact(row.text, row.owner_name, row.due, row.seat or "") for row in unmet)


def _items(initiative: Initiative, rows: dict[str, list], roles) -> tuple[Item, ...]:
    """Return the evidence in the form of the rules. It uses plain rows for speed."""
    voids: dict[int, dict[str, tuple[Void, ...]]] = {}
    for row in rows["voidings"]:
        of_item = voids.setdefault(row.evidence_id, {})
        void = Void(row.effective_at, row.trigger, row.cause)
        of_item[row.requirement] = (*of_item.get(row.requirement, ()), void)
    superseded_by = {row.supersedes_id: row.pk for row in rows["evidence"] if row.supersedes_id}
    by_key = {role.pk: role for role in roles}
    layer_of = {row.pk: row.version.layer for row in rows["deployments"]}
    known = initiative_rows.known_names(initiative)
    links = {link.pk for link in rows["links"] if link.ended_at is None}
    return tuple(
        _item(
            row,
            superseded_by.get(row.pk),
            by_key.get(row.acceptance_id),
            voids.get(row.pk, {}),
            _verifications(initiative, row),
            layer_of,
            known,
            links,
        )
        for row in rows["evidence"]
    )


def _verifications(initiative: Initiative, row) -> dict[str, tuple[Verification, ...]]:
    """Return by requirement the verdicts of people outside the team throughout."""
    found: dict[str, tuple[Verification, ...]] = {}
    for by, name, at, key, version, fingerprint, shows, words, seat, place, opened, first in row.verdicts:
        then = datetime.fromisoformat(at)
        if not initiative_rows.inside(initiative, by, then):
            opened_at = datetime.fromisoformat(opened)
            second = first is not None
            said = Verification(
                by, name, then, version, fingerprint, shows, words, seat, place, opened_at, second
            )
            found[key] = (*found.get(key, ()), said)
    return found


def _item(row, superseded_by, acceptance, voids, verifications, layer_of, known, links) -> Item:
    return Item(
        id=row.pk,
        kind=row.kind,
        title=row.title,
        author_id=row.author_id,
        observed_on=row.observed_on,
        added_at=row.added_at,
        fingerprint=row.sha256 or f"item:{row.pk}",
        covers=dict(row.covers),
        result=row.result,
        condition=row.condition,
        voids=voids,
        withdrawn_at=row.withdrawn_at,
        superseded_by=superseded_by,
        missing=row.missing_since is not None,
        generated=row.generated,
        of_pipeline=row.of_pipeline is not None,
        measures=frozenset(row.measures or ()),
        unverified=bool(row.link) and not row.sha256,
        tested=row.details.get("tested", ""),
        acceptance_role=acceptance.role if acceptance else "",
        acceptance_open=bool(acceptance and not acceptance.ended_at and acceptance.person.is_active),
        clause_of=row.clause_of,
        clause_kind=row.clause_kind or "",
        rows=remarks.rows_of(row.kind, row.details),
        remarks=remarks.of_item(row.kind, row.title, row.details, known),
        link=row.drilled if row.drilled in links else None,
        models=tuple(row.details.get("models", ())),
        register=row.details.get("register", ""),
        components=frozenset(version for version, _ in row.named if version),
        layers=frozenset(
            layer_of[version] if version else ("scope" if scope else "contract")
            for version, scope in row.named
        ),
        verifications=verifications,
    )


def _contracts(rows: list) -> tuple[ContractState, ...]:
    return tuple(
        ContractState(
            v.pk,
            v.number,
            v.digest,
            v.starts_at,
            v.ends_at,
            tuple((clause["number"], clause["sentence"]) for clause in v.unmapped),
        )
        for v in rows
        if v.starts_at
    )


def _stepped_back(changes: list[StageChange]) -> tuple[SteppedBack, ...]:
    """Return the step backs since the last promotion, oldest first."""
    promoted = max((change.at for change in changes if change.basis == "decision"), default=None)
    return tuple(
        SteppedBack(
            change.from_stage,
            change.to_stage,
            change.at,
            change.by_name or "",
            change.reason,
            open=any(one["at"] is None for one in change.answers),
            answer=next((one["note"] for one in change.answers if one["at"]), ""),
            answered_by=next((one["by"] or "" for one in change.answers if one["at"]), ""),
        )
        for change in changes
        if change.basis == "step back" and (promoted is None or change.at > promoted)
    )


def _obligations(initiative: Initiative) -> tuple[ObligationFact, ...]:
    return tuple(
        ObligationFact(
            obligation.pk,
            obligation.kind,
            obligation.text,
            obligation.responsible_id,
            obligation.due,
            Initiative.ref_of(obligation.initiative_number),
            initiative_rows.excused(obligation, initiative),
            person.full_name,
            secret=obligation.of_confidential and obligation.initiative_id != initiative.pk,
        )
        for person in initiative_rows.answering(initiative)
        for obligation in initiative_rows.obligations_of(person, BLOCKING_OBLIGATIONS)
    )


def reattest_by(initiative: Initiative, rulebook: ParsedRulebook | None = None) -> date | None:
    """Return the day by which production must be accepted again, or None.

    The day follows this rulebook, else the one that decides for the initiative. Imported stages have no obligations.
    """
    if initiative.stage != Stage.PRODUCTION or initiative.imported:
        return None
    start = max(filter(None, [initiative.since, initiative.reattested_at]))
    rule = (rulebook or rulebook_in_effect.rulebook_of(initiative).parsed).stages["production"]
    days = rule.reattest_days_high if initiative.high_risk else rule.reattest_days
    return clock.local_day(start) + timedelta(days=days)


def review_by(initiative: Initiative, continued: list[date] | None = None) -> date | None:
    """Return the day by which the chair decides to continue or stop, or None.

    See docs/domain.md, "Never". The day follows from the maximum age of the stage, or is the end that the chair set
    since. Imported stages have no obligations. `continued` has the ends that the chair set in this stage, if they
    were read already.
    """
    if initiative.stage not in (Stage.PROTOTYPE, Stage.MVP) or initiative.imported or initiative.withdrawn_at:
        return None
    most = rulebook_in_effect.rulebook_of(initiative).parsed.stages[initiative.stage].max_days_before_review
    if most is None:
        return None
    if continued is None:
        continued = [
            row.until
            for row in initiative_rows.rows(initiative, "continuations")
            if row.at >= initiative.since
        ]
    return max([clock.local_day(initiative.since) + timedelta(days=most), *continued])


def decision_due(initiative: Initiative) -> date | None:
    """Return the day to continue or stop, or None before its first reminder."""
    ends = review_by(initiative)
    warn = max(Rulebook.objects.current().parsed.freshness.warn_days_before)
    return ends if ends is not None and clock.today() >= ends - timedelta(days=warn) else None


def said_on(initiative: Initiative, on: date) -> tuple[str, str, str]:
    """Return approved and supported stage at the end of a day, with the gap's label.

    Today is computed from the facts. An earlier day is read from `PastSupportedStage`. All three are "" for a day
    before the initiative was registered here.
    """
    if on >= clock.today():
        support = judged(initiative).support
        return initiative.stage, support.supported, support.label
    end = clock.midnight_after(on)
    if initiative.registered_at >= end:
        return "", "", ""
    moved = StageChange.objects.filter(initiative=initiative, at__lt=end).order_by("-pk").first()
    kept = (
        PastSupportedStage.objects.filter(initiative=initiative, computed_at__lt=end).order_by("-pk").first()
    )
    last = end - timedelta(microseconds=1)
    span = next((span for span in kept.spans if _covers(span, last)), None) if kept else None
    approved_stage = moved.to_stage if moved else "proposed"
    return approved_stage, span["supported"] if span else "", span["label"] if span else ""


def _covers(span: dict, moment: datetime) -> bool:
    until = span["until_at"]
    return datetime.fromisoformat(span["from_at"]) <= moment and (
        until is None or datetime.fromisoformat(until) > moment
    )


def _scope_words(scope) -> str:
    places = ", ".join([*scope.departments, *scope.places])
    until = f" until {scope.ends_on:%-d %B %Y}" if scope.ends_on else ""
    return f"{scope.user_count} users" + (f" in {places}" if places else "") + until


def under(facts: Facts, initiative: Initiative, rulebook: ParsedRulebook) -> Facts:
    """Return the facts as this rulebook reads them. One day in them depends on it."""
    return replace(facts, reattest_by=reattest_by(initiative, rulebook))


def gap_counts(judged: Judged) -> dict[str, int]:
    """Return the number of requirements missing for the approved stage, by layer."""
    gaps = criteria.gaps_to(judged, judged.facts.approved_stage)
    return Counter(judged.rulebook.requirements[key].layer for key in gaps)


def to_verify(judged: Judged, judged_next: Judged) -> list[dict] | None:
    """Return the unverified answers of the approved stage and the next gate for `to_verify`, or None.

    `judged_next` is as in `open_requirements.open_keys`. `on` is the day from which an answer waits.
    """
    stage = judged.facts.approved_stage
    passed = {*RUNNING_STAGES[1 : STAGE_RANK.get(stage, 0) + 1], NEXT_ACCEPTANCE}
    found = {key: one for key in _asked(judged.rulebook, stage) if (one := _waiting(judged, key, passed))}
    if (ahead := next_gate(judged_next)) is not None:
        later = judged_next.rulebook.deferred(ahead)
        for key in ahead.requirements():
            if key not in found and key not in later and (one := _waiting(judged_next, key, {ahead.key})):
                found[key] = one
    return [*found.values()] or None


def next_gate(judged_next: Judged) -> Gate | None:
    """Return the gate to the next stage. An initiative that ended, or is in production, has none."""
    ahead = judged_next.rulebook.gates.get(gate_out_of(judged_next.facts.approved_stage))
    return ahead if ahead is not None and ahead.to in RUNNING_STAGES else None


def _waiting(judged: Judged, key: str, gates: set[str]) -> dict | None:
    """Return the seats that can verify the answer for one of these gates, and who cannot, or None."""
    state = judged.states[key]
    items = [item for item in state.items if key in item.covers and not item.unverified]
    if state.place != BY_VERIFYING or not (state.satisfied or state.below & gates) or not items:
        return None
    authors = {item.author_id for item in items}
    alone = authors if len(authors) == 1 else set()
    reply = judged.facts.answers.get(key)
    since = max([*(item.added_at for item in items), *([reply.at] if reply else [])])
    return {
        "seats": list(judged.rulebook.seats_asking(key)),
        "not": sorted(state.verifiers | alone),
        "on": clock.local_day(since).isoformat(),
    }


def asked(facts: Facts, rulebook: ParsedRulebook) -> list[str]:
    """Return the requirements up to the approved stage, once each, in order."""
    return list(_asked(rulebook, facts.approved_stage))


@lru_cache(maxsize=64)
def _asked(rulebook: ParsedRulebook, approved_stage: str) -> tuple[str, ...]:
    """Return these requirements, cached because every rewrite needs them."""
    keys: dict[str, None] = {}
    for stage in RUNNING_STAGES[1 : STAGE_RANK.get(approved_stage, 0) + 1]:
        gate = rulebook.gate_to(stage)
        later = rulebook.deferred(gate)
        for key in gate.requirements():
            if key not in later:
                keys.setdefault(key)
    return tuple(keys)


def next_expiry(states: dict[str, State], day):
    """Return the first day on which evidence now in use is expired."""
    ends = (state.last_day for state in states.values() if state.state in CURRENT and state.last_day)
    return min((end + timedelta(days=1) for end in ends if end >= day), default=None)
