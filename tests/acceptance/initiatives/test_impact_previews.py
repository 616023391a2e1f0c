"""What is told before an edit is what then happens: every preview is compared with the real act after it."""

from datetime import timedelta

import pytest
from django.db import transaction

from adoption.demo import initiative_acts
from governance import clock
from governance.models import Notification
from governance.models.audit_log import Entry
from initiatives.contracts.documents import actions as contract_actions
from initiatives.contracts.documents import preview as contract_preview
from initiatives.integration.components import actions as components_actions
from initiatives.integration.deployments import preview as deployment_preview
from initiatives.lifecycle.changes import actions as change_actions
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.details import preview as detail_preview
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.evidence import preview as evidence_preview
from initiatives.lifecycle.initiative import impact_preview
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.lifecycle.requirements import preview as requirement_preview
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.lifecycle.roles import preview as role_preview
from initiatives.lifecycle.scope import actions as scope_actions
from initiatives.models import ChangeRecord, Evidence, Voiding
from tests.support import factories
from tests.support.initiatives.open_reviews import signed_off

pytestmark = pytest.mark.django_db


def then_happens(initiative, act) -> list[str]:
    """What the real act does, seen the same way; undone, so that the next one starts from the same initiative."""
    with transaction.atomic():
        before = impact_preview.sight(initiative)
        act()
        lines = impact_preview.effects(before, impact_preview.sight(initiative))
        transaction.set_rollback(True)
    return lines


def evidence(initiative, key) -> Evidence:
    return initiative.evidence.filter(coverage__requirement=key).order_by("-id").first()


SCOPE = {
    "users": "Account managers of every team",
    "departments": ["Account management", "Sales"],
    "places": ["Zurich"],
    "data_classes": ["customer notes"],
    "user_count": 400,
    "ends_on": None,
    "rollout": True,
    "live_data": True,
}


def test_what_is_told_is_what_happens(cast):
    review = signed_off(cast)
    initiative, owner = initiative_acts.fresh(review.initiative), cast.owner
    old = evidence(initiative, "mvp.problem")
    fail = {"kind": "test_report", "result": "fail", "condition": "bounded_real", "title": "Drill of today"}
    key = next(
        key
        for key, asked in review.rulebook.parsed.requirements.items()
        if "test_report" in asked.evidence and evidence(initiative, key) and key.startswith("mvp.")
    )
    risk = cast.seat_risk

    def new_contract():
        contract_actions.save_contract(
            initiative=initiative, clauses=[*initiative_acts.CLAUSES, initiative_acts.CLAUSES[0]], by=owner
        )
        return contract_actions.propose_contract(initiative=initiative, by=owner)

    def tier_confirmed():
        detail_actions.propose_tier(
            initiative=initiative, tier="high", worst_credible_harm="Somebody is refused care.", by=owner
        )
        detail_actions.confirm_tier(initiative=initiative, tier="high", by=risk)

    def accepted(role, person):
        assignment = role_actions.propose_role(initiative=initiative, role=role, person=person, by=owner)
        role_actions.accept_role(assignment=assignment, by=person)

    version = new_contract()

    def in_force():
        for seat in review.rulebook.parsed.contract.seats:
            contract_actions.approve_contract(
                version=version, seat=seat, digest=version.digest, by=cast.team.seats[seat]
            )

    edits = {
        "answer": (
            requirement_preview.of_answer(
                initiative, "mvp.problem", by=owner, kind="answered", text="Another problem."
            ),
            lambda: requirement_actions.answer(
                initiative=initiative,
                requirement="mvp.problem",
                kind="answered",
                text="Another problem.",
                by=owner,
            ),
        ),
        "answer no": (
            requirement_preview.of_answer(
                initiative, "mvp.problem", by=owner, kind="no", text="There is none."
            ),
            lambda: requirement_actions.answer(
                initiative=initiative, requirement="mvp.problem", kind="no", text="There is none.", by=owner
            ),
        ),
        "superseding": (
            evidence_preview.of_evidence(
                initiative, covers=["mvp.problem"], kind=old.kind, result=old.result, supersedes=old, by=owner
            ),
            lambda: evidence_actions.add_evidence(
                initiative=initiative,
                kind=old.kind,
                title="the new item",
                observed_on=clock.today(),
                covers=["mvp.problem"],
                result=old.result,
                condition=old.condition,
                link="https://example.org/new",
                supersedes=old,
                by=owner,
            ),
        ),
        "failing": (
            evidence_preview.of_evidence(initiative, covers=[key], by=owner, **fail),
            lambda: evidence_actions.add_evidence(
                initiative=initiative,
                observed_on=clock.today(),
                covers=[key],
                link="https://example.org/fail",
                by=owner,
                **fail,
            ),
        ),
        "withdrawing": (
            evidence_preview.of_withdrawal(initiative, old, by=owner),
            lambda: evidence_actions.withdraw_evidence(evidence=old, reason="Wrong file.", by=owner),
        ),
        "change": (
            deployment_preview.of_change(
                initiative, ["data_source", "workflow"], what="The source moved", by=owner
            ),
            lambda: change_actions.report_change(
                initiative=initiative, triggers=["data_source", "workflow"], what="The source moved", by=owner
            ),
        ),
        "component": (
            deployment_preview.of_component(
                initiative, layer="model", name="Language model", version="m-9", by=owner
            ),
            lambda: components_actions.record_component(
                initiative=initiative, layer="model", name="Language model", version="m-9", by=owner
            ),
        ),
        "scope": (
            deployment_preview.of_scope(initiative, SCOPE, for_stage="mvp"),
            lambda: scope_actions.record_scope(initiative=initiative, for_stage="mvp", by=owner, **SCOPE),
        ),
        "contract": (contract_preview.of_contract(initiative, version), in_force),
        "asked": (
            role_preview.of_role(initiative, "sponsor", cast.seat_risk, accepted=False),
            lambda: role_actions.propose_role(
                initiative=initiative, role="sponsor", person=cast.seat_risk, by=owner
            ),
        ),
        "owner": (
            role_preview.of_role(initiative, "owner", cast.sponsor),
            lambda: accepted("owner", cast.sponsor),
        ),
        "role end": (
            role_preview.of_role_end(initiative.roles.get(role="support_owner"), by=owner),
            lambda: role_actions.revoke_role(
                assignment=initiative.roles.get(role="support_owner"), reason="Left", by=owner
            ),
        ),
        "tier": (detail_preview.of_tier(initiative, "high"), tier_confirmed),
    }
    told = {name: lines for name, (lines, _) in edits.items()}
    assert told == {name: then_happens(initiative, act) for name, (_, act) in edits.items()}
    assert all(told[name] for name in edits), told
    assert any("goes stale: the answer changed" in line for line in told["answer"])
    assert "The supported stage falls from MVP to prototype." in told["answer no"]
    assert any(
        line.startswith("Rollout bounded is no longer met: ") for line in told["scope"] + told["change"]
    )
    assert any("Ines Okafor is proposed as sponsor" in line for line in told["asked"])


def test_nothing_is_left_of_looking_ahead(cast):
    initiative = factories.make_prototype(cast)
    initiative_acts.staff(initiative, cast.team)
    initiative_acts.plan_scope(initiative, cast.team)
    item = evidence(initiative, "proto.question")

    def left():
        models = (Entry, Notification, Evidence, Voiding, ChangeRecord)
        histories = (Evidence.history.model, type(initiative).history.model)
        return [model.objects.count() for model in models + histories], initiative_acts.fresh(
            initiative
        ).scopes.count()

    before = left()
    requirement_preview.of_answer(initiative, "proto.question", by=cast.owner)
    evidence_preview.of_evidence(
        initiative, covers=["proto.question"], kind=item.kind, result="", supersedes=item
    )
    deployment_preview.of_change(initiative, ["data_source"])
    deployment_preview.of_scope(initiative, SCOPE, for_stage="mvp")
    role_preview.of_role(initiative, "owner", cast.sponsor)
    detail_preview.of_tier(initiative, "high")
    assert left() == before


def test_an_edit_that_would_be_refused_changes_nothing(cast):
    initiative = factories.make_initiative(cast)
    entries = Entry.objects.acts().count()
    assert requirement_preview.of_answer(initiative, "proto.question", by=cast.outsider) == []
    assert requirement_preview.of_answer(initiative, "no.such_question", by=cast.owner) == []
    past = SCOPE | {"ends_on": clock.today() - timedelta(days=1)}
    assert deployment_preview.of_scope(initiative, past) == []
    assert Entry.objects.acts().count() == entries


def test_a_initiative_without_review_loses_support_and_is_held(cast):
    initiative = factories.make_mvp(cast)
    assignment = initiative.roles.get(role="owner")
    told = role_preview.of_role_end(assignment, by=cast.owner)
    assert told == then_happens(
        initiative, lambda: role_actions.revoke_role(assignment=assignment, reason="Left", by=cast.owner)
    )
    assert any(line.startswith("The initiative is held: ") for line in told)
    assert any(line.startswith("The supported stage falls from MVP to") for line in told)
