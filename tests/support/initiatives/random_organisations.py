"""Organisations of any past for tests of the figures of Insights, put there as rows: arrange(cast, seed)."""

import random
from datetime import timedelta

from django.db import connection

from adoption.models import BehaviourReport, Incident, PostMortem
from adoption.models.reports import BEHAVIOUR_REPORT_KINDS, EXTENTS
from governance import clock
from governance.models import Contract, ContractVersion, Rulebook
from governance.vocabulary import Layer
from initiatives.lifecycle.stages.actions import STOP_REASONS
from initiatives.models import (
    Continuation,
    Coverage,
    Evidence,
    FundingDecision,
    Initiative,
    Obligation,
    RoleAssignment,
    ScopeVersion,
    StageChange,
    Voiding,
)
from tests.support.initiatives import told_supported_stages

RANK = {"proposed": 0, "prototype": 1, "mvp": 2, "production": 3}
TABLES = (
    Initiative,
    StageChange,
    ScopeVersion,
    Evidence,
    Coverage,
    Voiding,
    FundingDecision,
    Continuation,
    RoleAssignment,
    Contract,
    ContractVersion,
    PostMortem,
    Obligation,
    BehaviourReport,
    Incident,
)
INITIATIVES = 70


def arrange(cast, seed: int) -> None:
    """An organisation of any past, put there as rows: no acts lead to every past within a second."""
    draw = random.Random(seed)
    now, rulebook = clock.now(), Rulebook.objects.current()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table._meta.db_table} DISABLE TRIGGER USER")
    for place in range(1, INITIATIVES + 1):
        computed_at = now if draw.random() < 0.9 else rulebook.published_at - timedelta(days=1)
        _initiative(cast, draw, place, now, rulebook, computed_at)


def _initiative(cast, draw, place: int, now, rulebook, computed_at) -> None:
    def ago(most=700):
        return now - timedelta(days=draw.randrange(most), hours=draw.randrange(24))

    def sometimes(share=0.5):
        return draw.random() < share

    person = cast.second_admin
    stage = draw.choice([*RANK, "mvp", "mvp", "production", "stopped", "retired"])
    basis = "import" if sometimes(0.2) else "decision"
    (contract,) = Contract.objects.bulk_create([Contract()]) if sometimes(0.6) else (None,)
    initiative = Initiative(
        number=10_000 + place,
        title=f"Initiative {place}",
        problem="-",
        unit=cast.elsewhere if sometimes(0.3) else cast.unit,
        stage=stage,
        basis=basis if stage != "proposed" else "registered",
        since=ago(),
        registered_at=now - timedelta(days=800),
        registered_by=person,
        contract=contract,
        tier=draw.choice(["", "high"]),
        tier_confirmed_by=None,
        withdrawn_at=ago() if stage == "proposed" and sometimes(0.3) else None,
    )
    if initiative.tier:
        initiative.tier_confirmed_by, initiative.tier_confirmed_at = person, now
    Initiative.objects.bulk_create([initiative])
    moments = sorted(ago() for _ in range(4))
    path = ["proposed", "prototype", "mvp", "production"]
    for n in range(draw.randrange(4)):
        StageChange.objects.bulk_create(
            [
                StageChange(
                    initiative=initiative,
                    from_stage=path[n],
                    to_stage=path[n + 1],
                    at=moments[n],
                    by=person,
                    basis="import" if basis == "import" else "decision",
                    entry_id=1,
                )
            ]
        )
    if sometimes(0.4):
        old = draw.choice(path)
        new = {"production": "mvp"}.get(old, "stopped")
        why = STOP_REASONS[draw.choice(["answered_no", "cost"])]
        StageChange.objects.bulk_create(
            [
                StageChange(
                    initiative=initiative,
                    from_stage=old,
                    to_stage=new,
                    at=moments[3],
                    by=person,
                    entry_id=1,
                    basis="stopped" if new == "stopped" else "step back",
                    reason=f"{why}. So.",
                )
            ]
        )
    last = StageChange.objects.filter(initiative=initiative).order_by("pk").last()
    if last or stage != "proposed":
        end = {"stopped": "stopped", "proposed": "reopened"}.get(stage, "decision")
        StageChange.objects.bulk_create(
            [
                StageChange(
                    initiative=initiative,
                    from_stage=last.to_stage if last else "proposed",
                    to_stage=stage,
                    at=initiative.since,
                    by=person,
                    basis="import" if initiative.basis == "import" else end,
                    entry_id=1,
                )
            ]
        )
    approved_stage = RANK.get(stage, 0)
    reached = draw.randint(0, approved_stage)
    span = {
        "from_at": now - timedelta(days=1),
        "until_at": now + timedelta(days=1) if sometimes() else None,
        "supported": path[reached],
        "unsupported_stages": approved_stage - reached,
        "governance": "passes" if sometimes(0.7) else "not_yet",
        "integration": "passes" if sometimes(0.7) else "not_yet",
        "adoption": "passes" if sometimes(0.7) else "not_yet",
        "gaps": {layer: draw.randint(1, 4) for layer in Layer if sometimes(0.2)},
    }
    told_supported_stages.say(initiative, [span], rulebook=rulebook, at=computed_at)
    if sometimes():
        ScopeVersion.objects.bulk_create(
            [
                ScopeVersion(
                    initiative=initiative,
                    number=1,
                    users="-",
                    user_count=5,
                    rollout=sometimes(),
                    by=person,
                    starts_at=ago() if sometimes(0.8) else now + timedelta(days=3),
                    ended_at=ago() if sometimes(0.2) else None,
                )
            ]
        )
    for _ in range(draw.randrange(5)):
        seen = ago(400)
        item = Evidence(
            initiative=initiative,
            kind="telemetry",
            title="Reading",
            observed_on=clock.local_day(seen),
            author=person,
            added_at=seen + timedelta(hours=1),
            result=draw.choice(["pass", "pass", "fail", "partial", ""]),
            withdrawn_at=now if sometimes(0.15) else None,
            missing_since=now if sometimes(0.1) else None,
        )
        Evidence.objects.bulk_create([item])
        for key in draw.sample(["adopt.usage", "adopt.trust", "mvp.risk"], draw.randint(1, 2)):
            Coverage.objects.bulk_create([Coverage(evidence=item, requirement=key, added_at=seen)])
        if sometimes(0.15):
            when = now + timedelta(days=draw.choice([-2, 2]))
            Voiding.objects.bulk_create(
                [
                    Voiding(
                        evidence=item,
                        requirement="adopt.usage",
                        trigger="-",
                        cause="-",
                        effective_at=when,
                        recorded_at=now,
                    )
                ]
            )
    for _ in range(draw.randrange(3)):
        back = sometimes(0.2)
        FundingDecision.objects.bulk_create(
            [
                FundingDecision(
                    initiative=initiative,
                    by=person,
                    at=now,
                    decided_on=clock.local_day(ago()),
                    decided_by="X",
                    basis="-",
                    approved_stage="mvp",
                    supported="prototype",
                    label=draw.choice(["", "MVP: not supported by current evidence"]),
                    withdrawn_at=now if back else None,
                    withdrawn_by=person if back else None,
                    withdrawn_reason="-" if back else "",
                )
            ]
        )
    if stage in ("mvp", "prototype") and sometimes(0.3):
        Continuation.objects.bulk_create(
            [
                Continuation(
                    initiative=initiative,
                    stage=stage,
                    reason="-",
                    by=person,
                    at=ago(),
                    until=clock.today() + timedelta(days=draw.choice([-30, 30])),
                )
            ]
        )
    if sometimes(0.6):
        RoleAssignment.objects.bulk_create(
            [
                RoleAssignment(
                    initiative=initiative,
                    role="support_owner",
                    person=person,
                    proposed_by=person,
                    proposed_at=now,
                    accepted_at=ago() if sometimes(0.8) else None,
                    ended_at=now if sometimes(0.2) else None,
                )
            ]
        )
    if contract and sometimes(0.8):
        ContractVersion.objects.bulk_create(
            [
                ContractVersion(
                    contract=contract,
                    number=1,
                    author=person,
                    written_at=now,
                    state="in_force",
                    digest="-",
                    starts_at=ago(),
                )
            ]
        )
    for _ in range(draw.choice([0, 0, 0, 1, 2])):
        BehaviourReport.objects.bulk_create([_behaviour_report(draw, initiative, person, ago(400))])
    for _ in range(draw.choice([0, 0, 0, 1, 2])):
        Incident.objects.bulk_create([_incident(draw, initiative, person, ago(400))])


def _behaviour_report(draw, initiative, person, seen) -> BehaviourReport:
    day = clock.local_day(seen)
    row = BehaviourReport(
        initiative=initiative,
        kind=draw.choice(list(BEHAVIOUR_REPORT_KINDS)),
        group=draw.choice(["Team North", "Team South"]),
        extent=draw.choice(list(EXTENTS)),
        words="-",
        source="seen",
        observed_on=day,
        reported_on=day,
    )
    if draw.random() < 0.3:
        row.answer, row.judged_by, row.judged_at = "We look into it.", person, seen
    if draw.random() < 0.3:
        row.ended_at, row.ended_why = seen, "Over."
    return row


def _incident(draw, initiative, person, known) -> Incident:
    row = Incident(
        initiative=initiative,
        severity=draw.choice([1, 2, 3, 4]),
        title="Wrong answers",
        state=draw.choice(["open", "contained", "resolved", "closed"]),
        started_at=known - timedelta(days=draw.randrange(30)),
        detected_at=known,
        reported_by=person,
        opened_at=known,
    )
    if row.state in ("resolved", "closed"):
        row.resolved_at = known
    if row.state == "closed":
        row.closed_at, row.closed_words = known, "Over."
    return row
