"""Acts in the name of people who may not, as true as a forger can write them: row, equal history, act in the audit log.

`ACTS` has each binding act on an initiative, and who may.
"""

from datetime import timedelta

from django.db import connection
from django.db.models.expressions import DatabaseDefault

from adoption.demo import initiative_acts
from governance import clock
from governance.audit_log import entries
from governance.database.row_history import acting
from governance.models import (
    LegalHold,
    ServiceKey,
)
from governance.privacy import retention
from initiatives.contracts.enforcement import kill_switch
from initiatives.lifecycle.holds import actions as hold_actions
from initiatives.lifecycle.holds import condition_deeds
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.lifecycle.requirements.waivers import WAIVERS
from initiatives.lifecycle.risks.accepted_risks import ACCEPTED_RISKS
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.models import (
    AcceptedRisk,
    Answer,
    Condition,
    Continuation,
    Excuse,
    Hold,
    KillSwitch,
    Pipeline,
    PipelineBar,
    Review,
    StandaloneDeclaration,
    Waiver,
)
from tests.support import factories
from tests.support.attacks.forged_statements import Scene, changed, row_of_history, stage_change, told
from tests.support.servers import pipeline_issuers

DAY = timedelta(days=1)
NEW = 990_001  # the key of a row that a forger makes


def inserted(row, key=NEW):
    """A new row by SQL, with its history where it is governed."""
    row.pk = key
    fields = [
        field
        for field in row._meta.concrete_fields
        if not isinstance(getattr(row, field.attname), DatabaseDefault)
    ]
    names = ", ".join(f'"{field.column}"' for field in fields)
    values = [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
    made = [
        (
            f"INSERT INTO public.{row._meta.db_table} ({names}) VALUES ({', '.join(['%s'] * len(values))})",
            values,
        )
    ]
    return made + ([row_of_history(type(row), key, "+")] if hasattr(type(row), "history") else [])


def prepared(scene: Scene) -> Scene:
    """The scene, with what others lift, release, answer and accept: made by acts."""
    cast = scene.cast
    scene.other = factories.make_initiative(cast, title="Beside it")
    initiative_acts.staff(initiative_acts.fresh(scene.other), cast.team)
    scene.other = initiative_acts.fresh(scene.other)
    scene.hold = hold_deeds.hold(initiative=scene.other, reason="A doubt.", by=cast.owner)
    scene.switch = kill_switch.switch_off(initiative=scene.initiative, reason="A doubt.", by=cast.owner)
    rulebook = scene.review.rulebook.parsed
    key = next(key for key in rulebook.requirements if rulebook.waivable_requirement(key))
    scene.waiver = WAIVERS.ask(
        scene.other, key=key, reason="Later.", until=clock.today() + 20 * DAY, by=cast.owner
    )
    scene.risk = factories.ask_risk(cast, scene.other)
    scene.accepted = ACCEPTED_RISKS.agree(
        row=factories.ask_risk(cast, scene.other, title="Old names"), by=cast.seat_risk
    )
    scene.proposed = role_actions.propose_role(
        initiative=scene.other, role="sponsor", person=cast.sponsor, by=cast.owner
    )
    with acting(by=cast.chair):
        said = {"owner": cast.owner, "due": clock.today() + DAY, "proposed_by": cast.chair}
        scene.condition = Condition(review=scene.review, text="Show it.", **said)
        scene.met = Condition(review=scene.review, text="Show more.", **said)
        scene.condition.save()
        scene.met.save()
        entries.record("condition fixed", initiative=scene.initiative)
        scene.obligation = hold_actions.open_obligation(
            scene.other,
            "vacancy",
            source="x",
            text="x",
            due=clock.today(),
            responsible=cast.owner,
        )
    condition_deeds.meet_condition(condition=scene.met, note="Shown.", by=cast.owner)
    scene.open = {"met_by_id": None, "met_at": None, "not_met_at": clock.now(), "not_met_reason": "x"}
    scene.key = factories.make_key(cast, initiative_acts.fresh(scene.initiative))[0]
    scene.pipeline = pipeline_issuers.make_pipeline(cast, scene.initiative)
    scene.legal_hold = retention.open_hold(person=cast.lead, reason="A claim.", by=cast.admin)
    return scene


def _risk(s, by):
    said = {"title": "x", "happens": "x", "limits": "x", "reason": "x", "review_days": 9}
    asked = {"requested_by": by, "requested_at": clock.now(), "until": clock.today() + 20 * DAY}
    return AcceptedRisk(initiative=s.initiative, **said, **asked)


def _stopped(s, by):
    return [
        told("stage changed", by, s.initiative, **{"from": "prototype", "to": "stopped"}),
        stage_change(s.initiative, "stopped", "stopped", by),
        *changed(s.initiative, stage="stopped", basis="stopped", since=clock.now()),
    ]


def _of(kind, statements, initiative):
    """The statements and their act."""
    return lambda s, by: [*statements(s, by), told(kind, by, initiative(s))]


def _initiative(s):
    return s.initiative


def _other(s):
    return s.other


def _review(s, by):
    now = clock.now()
    return Review(
        initiative=s.other,
        gate="prototype",
        rulebook=s.review.rulebook,
        opened_by=by,
        opened_at=now,
        expires_at=now + DAY,
    )


def _waiver(s, by):
    return Waiver(
        initiative=s.initiative,
        key=s.waiver.key,
        reason="x",
        requested_by=by,
        requested_at=clock.now(),
        until=clock.today() + DAY,
    )


def _answer(s, by):
    now = clock.now()
    said = {"accepted_by": by, "accepted_seat": "risk_compliance", "accepted_at": now}
    return Answer(
        initiative=s.other,
        requirement="mvp.users",
        kind="not_applicable",
        text="No.",
        by=s.cast.owner,
        at=now,
        **said,
    )


def _standalone(s, by):
    now = clock.now()
    said = {"accepted_by": by, "accepted_seat": "architecture_integration", "accepted_at": now}
    return StandaloneDeclaration(
        initiative=s.other, reason="x", declared_by=s.cast.owner, declared_at=now, **said
    )


def _key(s, by):
    now = clock.now()
    return ServiceKey(
        contract=s.initiative.contract,
        system="Mine",
        public="mine",
        secret_hash="0" * 64,
        scopes=["evaluate"],
        principal=by,
        made_by=by,
        made_at=now,
        expires_at=now + DAY,
    )


def _pipeline(s, by):
    row = s.pipeline
    return Pipeline(
        initiative=s.initiative,
        name="Mine",
        platform=row.platform,
        issuer=row.issuer,
        bound=row.bound,
        by=by,
        at=clock.now(),
    )


def _bar(s, by):
    return PipelineBar(
        initiative=s.initiative,
        pipeline=s.pipeline,
        requirement="layer.runtime",
        format="junit",
        tests=["a"],
        by=by,
        at=clock.now(),
    )


def _confirmed(by):
    now = clock.now()
    said = {"confirmed_by_id": by.pk, "confirmed_at": now, "confirmed_until": now + 9 * DAY}
    return said | {"confirmed_seat": "security_privacy"}


# By act: who may, the table of its row, what is written by somebody who may not.
ACTS = {
    "stop": ("owner or chair", "initiatives_stagechange", _stopped),
    "hold": (
        "whoever is on the initiative or its board",
        "initiatives_hold",
        _of(
            "hold opened",
            lambda s, by: inserted(
                Hold(initiative=s.initiative, kind="concern", reason="x", opened_by=by, opened_at=clock.now())
            ),
            _initiative,
        ),
    ),
    "hold lifted": (
        "chair",
        "initiatives_hold",
        _of(
            "hold lifted",
            lambda s, by: changed(s.hold, lifted_at=clock.now(), lifted_by_id=by.pk, lift_reason="x"),
            _other,
        ),
    ),
    "kill switch pressed": (
        "owner or chair",
        "initiatives_killswitch",
        _of(
            "switched off",
            lambda s, by: inserted(
                KillSwitch(initiative=s.other, reason="x", pressed_by=by, pressed_at=clock.now())
            ),
            _other,
        ),
    ),
    "kill switch released": (
        "owner or chair",
        "initiatives_killswitch",
        _of(
            "switched on",
            lambda s, by: changed(
                s.switch, released_at=clock.now(), released_by_id=by.pk, release_reason="x"
            ),
            _initiative,
        ),
    ),
    "tier confirmed": (
        "risk seat",
        "initiatives_initiative",
        _of(
            "risk tier confirmed",
            lambda s, by: changed(
                s.other, tier="minimal", tier_confirmed_by_id=by.pk, tier_confirmed_at=clock.now()
            ),
            _other,
        ),
    ),
    "accepted again": (
        "chair",
        "initiatives_initiative",
        _of("re-attested", lambda s, by: changed(s.initiative, reattested_at=clock.now()), _initiative),
    ),
    "withdrawn": (
        "owner, whoever registered it, chair",
        "initiatives_initiative",
        _of(
            "withdrawn",
            lambda s, by: changed(s.idea.initiative, withdrawn_at=clock.now(), withdrawn_reason="x"),
            lambda s: s.idea.initiative,
        ),
    ),
    "waiver requested": (
        "owner",
        "initiatives_waiver",
        _of("waiver requested", lambda s, by: inserted(_waiver(s, by)), _initiative),
    ),
    "waiver agreed as chair": (
        "chair",
        "initiatives_waiver",
        _of("waiver agreed", lambda s, by: changed(s.waiver, chair_id=by.pk, chair_at=clock.now()), _other),
    ),
    "waiver agreed as risk seat": (
        "risk seat",
        "initiatives_waiver",
        _of("waiver agreed", lambda s, by: changed(s.waiver, risk_id=by.pk, risk_at=clock.now()), _other),
    ),
    "waiver refused": (
        "chair or risk seat",
        "initiatives_waiver",
        _of(
            "waiver refused",
            lambda s, by: changed(
                s.waiver, refused_by_id=by.pk, refused_at=clock.now(), refused_reason="No."
            ),
            _other,
        ),
    ),
    "risk accepted": (
        "risk seat",
        "initiatives_acceptedrisk",
        _of("risk accepted", lambda s, by: changed(s.risk, risk_id=by.pk, risk_at=clock.now()), _other),
    ),
    "acceptance of a risk refused": (
        "risk seat",
        "initiatives_acceptedrisk",
        _of(
            "acceptance of a risk refused",
            lambda s, by: changed(s.risk, refused_by_id=by.pk, refused_at=clock.now(), refused_reason="No."),
            _other,
        ),
    ),
    "accepted risk reviewed": (
        "risk seat",
        "initiatives_acceptedrisk",
        _of(
            "accepted risk reviewed",
            lambda s, by: changed(
                s.accepted, reviewed_by_id=by.pk, reviewed_at=clock.now(), reviewed_words="x"
            ),
            _other,
        ),
    ),
    "accepted risk ended": (
        "risk seat",
        "initiatives_acceptedrisk",
        _of(
            "accepted risk ended",
            lambda s, by: changed(s.accepted, ended_by_id=by.pk, ended_at=clock.now(), ended_reason="x"),
            _other,
        ),
    ),
    "acceptance of a risk requested": (
        "the team or the board",
        "initiatives_acceptedrisk",
        _of(
            "acceptance of a risk requested",
            lambda s, by: inserted(_risk(s, by)),
            _initiative,
        ),
    ),
    "condition fixed": (
        "chair",
        "initiatives_condition",
        _of(
            "condition fixed",
            lambda s, by: inserted(
                Condition(review=s.review, text="x", owner=by, due=clock.today(), proposed_by=by)
            ),
            _initiative,
        ),
    ),
    "condition met": (
        "whoever owns it, or the owner",
        "initiatives_condition",
        _of(
            "condition met",
            lambda s, by: changed(s.condition, met_by_id=by.pk, met_at=clock.now(), met_note="x"),
            _initiative,
        ),
    ),
    "condition not met": (
        "chair, or the seat that set it",
        "initiatives_condition",
        _of("condition not met", lambda s, by: changed(s.met, not_met_by_id=by.pk, **s.open), _initiative),
    ),
    "obligation excused": (
        "chair",
        "initiatives_excuse",
        _of(
            "obligation excused",
            lambda s, by: inserted(
                Excuse(obligation=s.obligation, initiative=s.initiative, reason="x", by=by, at=clock.now())
            ),
            _initiative,
        ),
    ),
    "let go on": (
        "chair",
        "initiatives_continuation",
        _of(
            "continued",
            lambda s, by: inserted(
                Continuation(
                    initiative=s.initiative,
                    stage=s.initiative.stage,
                    until=clock.today() + DAY,
                    reason="x",
                    by=by,
                    at=clock.now(),
                )
            ),
            _initiative,
        ),
    ),
    "review opened": (
        "owner",
        "initiatives_review",
        _of("review opened", lambda s, by: inserted(_review(s, by)), _other),
    ),
    "review withdrawn": (
        "owner or chair",
        "initiatives_review",
        _of(
            "review withdrawn",
            lambda s, by: changed(
                s.review, outcome="withdrawn", ended_by_id=by.pk, ended_at=clock.now(), reason="x"
            ),
            _initiative,
        ),
    ),
    "role accepted": (
        "whoever was asked",
        "initiatives_roleassignment",
        _of(
            "role accepted",
            lambda s, by: changed(s.proposed, accepted_at=clock.now(), accepted_words="x"),
            _other,
        ),
    ),
    "not applicable accepted": (
        "a seat that signs for it",
        "initiatives_answer",
        _of("not applicable accepted", lambda s, by: inserted(_answer(s, by)), _other),
    ),
    "standalone accepted": (
        "a seat that signs for it",
        "initiatives_standalonedeclaration",
        _of("standalone accepted", lambda s, by: inserted(_standalone(s, by)), _other),
    ),
    "key made": (
        "owner or technical lead",
        "governance_servicekey",
        _of("key made", lambda s, by: inserted(_key(s, by)), _initiative),
    ),
    "key principal named": (
        "owner or technical lead",
        "governance_servicekey",
        _of("key principal named", lambda s, by: changed(s.key, principal_id=s.cast.sponsor.pk), _initiative),
    ),
    "pipeline declared": (
        "owner or technical lead",
        "initiatives_pipeline",
        _of("pipeline declared", lambda s, by: inserted(_pipeline(s, by)), _initiative),
    ),
    "pipeline ended": (
        "owner or technical lead",
        "initiatives_pipeline",
        _of(
            "pipeline ended",
            lambda s, by: changed(s.pipeline, ended_at=clock.now(), ended_by_id=by.pk, ended_reason="x"),
            _initiative,
        ),
    ),
    "pipeline confirmed": (
        "the security seat, not of the team",
        "initiatives_pipeline",
        _of("pipeline confirmed", lambda s, by: changed(s.pipeline, **_confirmed(by)), _initiative),
    ),
    "bar declared": (
        "owner or technical lead",
        "initiatives_pipelinebar",
        _of("bar declared", lambda s, by: inserted(_bar(s, by)), _initiative),
    ),
    "bar confirmed": (
        "a seat of the requirement, not of the team",
        "initiatives_pipelinebar",
        _of("bar confirmed", lambda s, by: changed(s.pipeline.bars.get(), **_confirmed(by)), _initiative),
    ),
    "legal hold opened": (
        "admin or auditor",
        "governance_legalhold",
        lambda s, by: [
            *inserted(LegalHold(person=s.cast.owner, reason="x", opened_by=by, opened_at=clock.now())),
            told("legal hold opened", by, hold=NEW),
        ],
    ),
    "legal hold lifted": (
        "admin or auditor",
        "governance_legalhold",
        lambda s, by: [
            *changed(s.legal_hold, lifted_by_id=by.pk, lifted_at=clock.now(), lift_reason="x"),
            told("legal hold lifted", by, hold=s.legal_hold.pk),
        ],
    ),
}
