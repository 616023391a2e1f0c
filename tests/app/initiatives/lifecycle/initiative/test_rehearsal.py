"""What a page says before an act is what then happens, nothing is left of a rehearsal, and nothing skips it."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import transaction

from adoption.demo import artefacts, initiative_acts
from governance import clock
from governance.models import Notification, SignatureProof
from governance.models.audit_log import Entry
from initiatives.contracts.documents import actions as contract_actions
from initiatives.integration.components import actions as components_actions
from initiatives.lifecycle.changes import actions as change_actions
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.initiative import rehearsal
from initiatives.lifecycle.initiative.rehearsal import rehearse
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.lifecycle.scope import actions as scope_actions
from initiatives.models import ChangeRecord, Evidence, Voiding
from tests.support import factories
from tests.support.initiatives.initiative_pages import acts, at, text_of
from tests.support.initiatives.open_reviews import signed_off
from tests.support.web.confirming import asked

pytestmark = pytest.mark.django_db


def then_happens(initiative, act) -> list[str]:
    """What the real act does, seen the same way; undone, so that the next one starts from the same initiative."""
    with transaction.atomic():
        before = rehearsal.sight(initiative)
        act()
        lines = rehearsal.effects(before, rehearsal.sight(initiative))
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
        "answer": lambda: requirement_actions.answer(
            initiative=initiative,
            requirement="mvp.problem",
            kind="answered",
            text="Another problem.",
            by=owner,
        ),
        "answer no": lambda: requirement_actions.answer(
            initiative=initiative, requirement="mvp.problem", kind="no", text="There is none.", by=owner
        ),
        "superseding": lambda: evidence_actions.add_evidence(
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
        "failing": lambda: evidence_actions.add_evidence(
            initiative=initiative,
            observed_on=clock.today(),
            covers=[key],
            link="https://example.org/fail",
            by=owner,
            **fail,
        ),
        "withdrawing": lambda: evidence_actions.withdraw_evidence(
            evidence=old, reason="Wrong file.", by=owner
        ),
        "change": lambda: change_actions.report_change(
            initiative=initiative, triggers=["data_source", "workflow"], what="The source moved", by=owner
        ),
        "component": lambda: components_actions.record_component(
            initiative=initiative, layer="model", name="Language model", version="m-9", by=owner
        ),
        "scope": lambda: scope_actions.record_scope(
            initiative=initiative, for_stage="mvp", by=owner, **SCOPE
        ),
        "contract": in_force,
        "asked": lambda: role_actions.propose_role(
            initiative=initiative, role="sponsor", person=cast.seat_risk, by=owner
        ),
        "owner": lambda: accepted("owner", cast.sponsor),
        "role end": lambda: role_actions.revoke_role(
            assignment=initiative.roles.get(role="support_owner"), reason="Left", by=owner
        ),
        "tier": tier_confirmed,
    }
    told = {name: rehearse(run, by=owner, initiative=initiative) for name, run in edits.items()}
    for name, run in edits.items():
        assert told[name], name
        assert set(then_happens(initiative, run)) <= set(told[name]), name
    assert any("seat will no longer count: the answer changed" in line for line in told["answer"])
    assert "The supported stage falls from MVP to prototype." in told["answer no"]
    assert any(
        line.startswith("Rollout bounded is no longer met: ") for line in told["scope"] + told["change"]
    )
    assert any("Ines Okafor is proposed as sponsor" in line for line in told["asked"])


def test_nothing_is_left_of_a_rehearsal(cast):
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
    assert rehearse(
        lambda: evidence_actions.withdraw_evidence(evidence=item, reason="Wrong file.", by=cast.owner),
        by=cast.owner,
        initiative=initiative,
    )
    rehearse(
        lambda: scope_actions.record_scope(initiative=initiative, for_stage="mvp", by=cast.owner, **SCOPE),
        by=cast.owner,
    )
    assert left() == before


def test_an_act_that_would_be_refused_has_no_consequences(cast):
    initiative = factories.make_initiative(cast)
    entries = Entry.objects.acts().count()
    for person, key in ((cast.outsider, "proto.question"), (cast.owner, "no.such_question")):
        assert not rehearse(
            lambda person=person, key=key: requirement_actions.answer(
                initiative=initiative, requirement=key, kind="answered", text="x", by=person
            ),
            by=person,
        )
    past = SCOPE | {"ends_on": clock.today() - timedelta(days=1)}
    assert not rehearse(
        lambda: scope_actions.record_scope(initiative=initiative, by=cast.owner, **past), by=cast.owner
    )
    assert Entry.objects.acts().count() == entries


def test_an_initiative_without_review_loses_support_and_is_held(cast):
    initiative = factories.make_mvp(cast)
    assignment = initiative.roles.get(role="owner")
    told = rehearse(
        lambda: role_actions.revoke_role(assignment=assignment, reason="Left", by=cast.owner),
        by=cast.owner,
        initiative=initiative,
    )
    assert any(line.startswith("The initiative is held: ") for line in told)
    assert any(line.startswith("The supported stage falls from MVP to") for line in told)


# --- Pages -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def reviewed(cast):
    """An initiative whose open review has sign-offs."""
    return signed_off(cast).initiative


def withdrawal(initiative) -> str:
    return at("row-act", "evidence", evidence(initiative, "mvp.problem").pk, "withdraw")


def test_an_act_waits_until_exactly_its_consequences_are_confirmed(reviewed, cast, as_):
    client, url = as_(cast.owner), withdrawal(reviewed)
    sent = {"reason": "It is the wrong file."}
    with acts() as kinds:
        page = client.post(url, sent, confirm=False)
        other = client.post(url, sent | {"confirmed": "0" * 64}, confirm=False)
    assert kinds == []
    for shown in (page, other):
        assert "Consequences" in text_of(shown)
        assert "It is the wrong file." in text_of(shown), "nothing typed is lost"
        assert asked(shown) == asked(page)
    with acts() as kinds:
        done = client.post(url, sent | {"confirmed": page.wsgi_request.consequences.digest}, confirm=False)
    assert done.status_code == 302
    assert kinds == ["evidence withdrawn"]


def test_an_act_without_consequences_is_done_at_once(cast, as_):
    initiative = factories.make_initiative(cast)
    with acts() as kinds:
        sent = {"technical_lead": cast.lead.pk}
        assert (
            as_(cast.owner).post(at("role-propose", initiative.ref), sent, confirm=False).status_code == 302
        )
    assert kinds == ["role proposed"]


def test_nothing_is_signed_before_the_consequences_are_confirmed(cast, as_):
    initiative = factories.make_mvp(cast)
    url, sent = (
        at("initiative-act", initiative.ref, "stop"),
        {"reason_code": "no_value", "reason": "Nobody needs it.", "password": "not mine"},
    )
    with acts() as kinds:
        page = as_(cast.owner).post(url, sent, confirm=False)
    assert any(line.startswith("Due from") for line in asked(page))
    assert "not mine" not in text_of(page)
    assert "No statement was signed" not in text_of(page), "no password was looked at yet"
    assert kinds == []
    assert not SignatureProof.objects.exists()


def test_a_script_asks_for_the_consequences_of_a_form_with_a_file(reviewed, cast, as_):
    old = evidence(reviewed, "mvp.problem")
    sent = {
        "kind": old.kind,
        "covers": ["mvp.problem"],
        "title": "Newer",
        "observed_on": clock.today().isoformat(),
        "supersedes": old.pk,
        "source": "file",
        "result": old.result,
        "condition": old.condition,
    }
    url, client, files = at("evidence-add", reviewed.ref, kind=old.kind), as_(cast.owner), kept_files()
    with acts() as kinds:
        said = client.post(
            url, sent | {"file": artefacts.pdf("Newer")}, headers={"X-Consequences": "asked"}
        ).json()
    assert kinds == []
    assert kept_files() == files, "a rehearsal writes no file"
    assert "seat will no longer count" in said["html"]
    answer = client.post(
        url, sent | {"file": artefacts.pdf("Newer"), "confirmed": said["confirmed"]}, confirm=False
    )
    assert answer.status_code == 302
    again = client.post(url, sent | {"file": artefacts.pdf("Newest"), "supersedes": ""}, confirm=False)
    assert again.status_code == 302 or "Choose the file again" in text_of(again)


def test_other_initiatives_are_named_as_far_as_the_person_may_see_them(cast, reviewed):
    told = rehearse(
        lambda: evidence_actions.withdraw_evidence(
            evidence=evidence(reviewed, "mvp.problem"), reason="Wrong file.", by=cast.owner
        ),
        by=cast.owner,
        initiative=factories.make_initiative(cast, title="Another"),
    )
    assert any(line.startswith(f"{reviewed.ref} {reviewed.title}: ") for line in told)
    found = {reviewed.pk: ["It gets worse."]}
    assert rehearsal._told(dict(found), None, cast.outsider, 0) == [
        "1 initiative that you cannot see would lose something, for example a current sign-off."
    ]
    detail_actions.change_details(
        initiative=reviewed,
        problem=reviewed.problem,
        platform=reviewed.platform,
        confidential=True,
        by=cast.owner,
    )
    assert rehearsal._told(dict(found), None, cast.outsider, 0) == []


def kept_files() -> int:
    return sum(path.is_file() for path in Path(settings.MEDIA_ROOT).rglob("*"))


def test_the_end_of_a_decided_review_is_no_consequence(reviewed, cast):
    review = reviewed.reviews.get(outcome="open")
    lines = rehearse(
        lambda: review_actions.decide(
            review=review, outcome="approved", reason="Worth it.", conditions=[], by=cast.chair
        ),
        by=cast.chair,
        initiative=reviewed,
    )
    assert not [line for line in lines if "can no longer be decided" in line]
    assert rehearsal.sight(reviewed).decidable, "the review was ready, and the act is undone"


def test_the_page_of_a_decision_asks_itself_and_keeps_the_reason(reviewed, cast, as_, monkeypatch):
    """It looks ahead by a rehearsal of its own, also while acts are withheld."""
    review = reviewed.reviews.get(outcome="open")
    monkeypatch.setattr(rehearsal, "effects", lambda before, after: ["Something gets worse."])
    sent = {"outcome": "approved", "reason": "It is worth it.", "password": factories.PASSWORD}
    with acts() as kinds:
        page = text_of(as_(cast.chair).post(at("review-decide", review.pk), sent, confirm=False))
    assert kinds == []
    assert "Something gets worse." in page
    assert "It is worth it." in page, "nothing typed is lost"
    assert "moves from Prototype to MVP at once" in page
    assert "There is a problem" not in page
