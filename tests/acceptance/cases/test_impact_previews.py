"""What is told before an edit is what then happens: every preview is compared with the real act after it."""

from datetime import timedelta

import pytest
from django.db import transaction

from adoption.demo import case_acts
from governance import clock
from governance.models import Notice
from governance.models.ledger import Entry
from initiatives.cases import impact_preview
from initiatives.checklist import actions as checklist_actions
from initiatives.checklist import preview as checklist_preview
from initiatives.components import actions as components_actions
from initiatives.contracts import actions as contract_actions
from initiatives.contracts import preview as contract_preview
from initiatives.evidence import actions as evidence_actions
from initiatives.evidence import preview as evidence_preview
from initiatives.models import ChangeRecord, Evidence, Voiding
from initiatives.registration import actions as registration_actions
from initiatives.registration import preview as registration_preview
from initiatives.roles import actions as role_actions
from initiatives.roles import preview as role_preview
from initiatives.running import preview as running_preview
from tests.support import factories
from tests.support.cases.open_reviews import voted

pytestmark = pytest.mark.django_db


def then_happens(case, act) -> list[str]:
    """What the real act does, seen the same way; undone, so that the next one starts from the same case."""
    with transaction.atomic():
        before = impact_preview.sight(case)
        act()
        lines = impact_preview.effects(before, impact_preview.sight(case))
        transaction.set_rollback(True)
    return lines


def proof(case, key) -> Evidence:
    return case.evidence.filter(coverage__requirement=key).order_by("-id").first()


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
    review = voted(cast)
    case, owner = case_acts.fresh(review.initiative), cast.owner
    old = proof(case, "mvp.problem")
    fail = {"kind": "test_report", "result": "fail", "condition": "bounded_real", "title": "Drill of today"}
    key = next(
        key
        for key, asked in review.rulebook.book.requirements.items()
        if "test_report" in asked.evidence and proof(case, key) and key.startswith("mvp.")
    )
    risk = cast.seat_risk

    def new_contract():
        contract_actions.save_contract(
            case=case, clauses=[*case_acts.CLAUSES, case_acts.CLAUSES[0]], by=owner
        )
        return contract_actions.propose_contract(case=case, by=owner)

    def tier_confirmed():
        registration_actions.propose_tier(
            case=case, tier="high", worst_credible_harm="Somebody is refused care.", by=owner
        )
        registration_actions.confirm_tier(case=case, tier="high", by=risk)

    def accepted(role, person):
        assignment = role_actions.propose_role(case=case, role=role, person=person, by=owner)
        role_actions.accept_role(assignment=assignment, by=person)

    version = new_contract()

    def in_force():
        for seat in review.rulebook.book.contract.seats:
            contract_actions.approve_contract(
                version=version, seat=seat, digest=version.digest, by=cast.team.seats[seat]
            )

    edits = {
        "answer": (
            checklist_preview.of_answer(
                case, "mvp.problem", by=owner, kind="answered", text="Another problem."
            ),
            lambda: checklist_actions.answer(
                case=case, requirement="mvp.problem", kind="answered", text="Another problem.", by=owner
            ),
        ),
        "answer no": (
            checklist_preview.of_answer(case, "mvp.problem", by=owner, kind="no", text="There is none."),
            lambda: checklist_actions.answer(
                case=case, requirement="mvp.problem", kind="no", text="There is none.", by=owner
            ),
        ),
        "superseding": (
            evidence_preview.of_evidence(
                case, covers=["mvp.problem"], kind=old.kind, result=old.result, supersedes=old, by=owner
            ),
            lambda: evidence_actions.add_evidence(
                case=case,
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
            evidence_preview.of_evidence(case, covers=[key], by=owner, **fail),
            lambda: evidence_actions.add_evidence(
                case=case,
                observed_on=clock.today(),
                covers=[key],
                link="https://example.org/fail",
                by=owner,
                **fail,
            ),
        ),
        "withdrawing": (
            evidence_preview.of_withdrawal(case, old, by=owner),
            lambda: evidence_actions.withdraw_evidence(evidence=old, reason="Wrong file.", by=owner),
        ),
        "change": (
            running_preview.of_change(case, ["data_source", "workflow"], what="The source moved", by=owner),
            lambda: components_actions.report_change(
                case=case, triggers=["data_source", "workflow"], what="The source moved", by=owner
            ),
        ),
        "component": (
            running_preview.of_component(case, layer="model", name="Language model", version="m-9", by=owner),
            lambda: components_actions.record_component(
                case=case, layer="model", name="Language model", version="m-9", by=owner
            ),
        ),
        "scope": (
            running_preview.of_scope(case, SCOPE, for_stage="mvp"),
            lambda: components_actions.record_scope(case=case, for_stage="mvp", by=owner, **SCOPE),
        ),
        "contract": (contract_preview.of_contract(case, version), in_force),
        "asked": (
            role_preview.of_role(case, "sponsor", cast.seat_risk, accepted=False),
            lambda: role_actions.propose_role(case=case, role="sponsor", person=cast.seat_risk, by=owner),
        ),
        "owner": (
            role_preview.of_role(case, "owner", cast.sponsor),
            lambda: accepted("owner", cast.sponsor),
        ),
        "role end": (
            role_preview.of_role_end(case.roles.get(role="support_owner"), by=owner),
            lambda: role_actions.end_role(
                assignment=case.roles.get(role="support_owner"), reason="Left", by=owner
            ),
        ),
        "tier": (registration_preview.of_tier(case, "high"), tier_confirmed),
    }
    told = {name: lines for name, (lines, _) in edits.items()}
    assert told == {name: then_happens(case, act) for name, (_, act) in edits.items()}
    assert all(told[name] for name in edits), told
    assert any("goes stale: the answer changed" in line for line in told["answer"])
    assert "The supported stage falls from MVP to prototype." in told["answer no"]
    assert any(
        line.startswith("Rollout bounded is no longer met: ") for line in told["scope"] + told["change"]
    )
    assert any("Ines Okafor is proposed as sponsor" in line for line in told["asked"])


def test_nothing_is_left_of_looking_ahead(cast):
    case = factories.make_prototype(cast)
    case_acts.staff(case, cast.team)
    case_acts.plan_scope(case, cast.team)
    item = proof(case, "proto.question")

    def left():
        models = (Entry, Notice, Evidence, Voiding, ChangeRecord)
        histories = (Evidence.history.model, type(case).history.model)
        return [model.objects.count() for model in models + histories], case_acts.fresh(case).scopes.count()

    before = left()
    checklist_preview.of_answer(case, "proto.question", by=cast.owner)
    evidence_preview.of_evidence(case, covers=["proto.question"], kind=item.kind, result="", supersedes=item)
    running_preview.of_change(case, ["data_source"])
    running_preview.of_scope(case, SCOPE, for_stage="mvp")
    role_preview.of_role(case, "owner", cast.sponsor)
    registration_preview.of_tier(case, "high")
    assert left() == before


def test_an_edit_that_would_be_refused_changes_nothing(cast):
    case = factories.make_case(cast)
    entries = Entry.objects.acts().count()
    assert checklist_preview.of_answer(case, "proto.question", by=cast.outsider) == []
    assert checklist_preview.of_answer(case, "no.such_question", by=cast.owner) == []
    past = SCOPE | {"ends_on": clock.today() - timedelta(days=1)}
    assert running_preview.of_scope(case, past) == []
    assert Entry.objects.acts().count() == entries


def test_a_case_without_review_loses_support_and_is_held(cast):
    case = factories.make_mvp(cast)
    assignment = case.roles.get(role="owner")
    told = role_preview.of_role_end(assignment, by=cast.owner)
    assert told == then_happens(
        case, lambda: role_actions.end_role(assignment=assignment, reason="Left", by=cast.owner)
    )
    assert any(line.startswith("The initiative is held: ") for line in told)
    assert any(line.startswith("The supported stage falls from MVP to") for line in told)
