"""Separation of duties: whoever is a team member of an initiative does not sign it, and if a row of theirs stands in
the table all the same, it does not count. Admins included. See docs/domain.md, invariants 4 and 5."""

from datetime import timedelta

import pytest
import time_machine
from django.db import DatabaseError

from adoption.demo import artefacts, initiative_acts
from governance import clock
from governance.audit_log import entries
from governance.database.row_history import acting
from governance.gates import sign_off_statement
from governance.identity import same_person
from governance.models import Entry, FactorReset, Membership, User
from governance.organisation import actions as organisation_actions
from governance.permission_result import Refused
from governance.transparency_log import verification
from initiatives.contracts.documents import permissions as contract_permissions
from initiatives.lifecycle.access import roles_and_seats
from initiatives.lifecycle.access.signers import EligibleSigners
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative import review_state
from initiatives.lifecycle.requirements.waivers import WAIVERS
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.reviews.sign_offs.actions import statement_for
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.models import Review, SignOff
from initiatives.portfolio.units import leaving
from tests.acceptance.walks import story
from tests.support import factories
from tests.support.attacks import unguarded_writes
from tests.support.attacks.unguarded_writes import an_hour_later, unguarded
from tests.support.database import snapshots

pytestmark = pytest.mark.django_db
SEAT = "business_value"


@pytest.fixture
@snapshots.kept
def review(cast):
    """An idea at the prototype gate: everything is shown, one seat has to sign."""
    initiative = factories.make_initiative(cast)
    initiative_acts.parts(initiative, cast.team)
    initiative_acts.ground_gate(initiative, "prototype", cast.team)
    return review_actions.open_review(initiative=story.fresh(initiative), by=cast.owner)


def sit_down(cast, person, seat=SEAT, **fields):
    """Somebody is seated by an admin, as others are, and the chair knows."""
    return factories.make_seat(cast, person, seat, by=cast.second_admin, **fields)


def give_role(cast, initiative, role, person, *, accept=True):
    """The owner proposes; the person accepts."""
    row = role_actions.propose_role(initiative=initiative, role=role, person=person, by=cast.owner)
    if accept:
        role_actions.accept_role(assignment=row, by=person)
    return row


def reporting_to_the_owner(cast):
    """The holder of the value seat, with the owner as manager."""
    person = User.objects.get(pk=cast.seat_value.pk)
    person.manager = cast.owner
    with acting(by=cast.admin, reason="Reporting line"):
        person.save()
    return person


def force(review, person, seat=SEAT, **fields):
    """A sign_off written past the act: an INSERT with a statement that is true."""
    review = Review.objects.select_related("initiative", "rulebook").get(pk=review.pk)
    text, covered = statement_for(
        review_state.snapshot_of(review), seat, person, verdict="approve", at=clock.now()
    )
    values = {
        "review": review,
        "seat": seat,
        "person": person,
        "verdict": "approve",
        "statement": text,
        "digest": sign_off_statement.digest(text),
        "facts": covered,
        "covered_evidence": sorted(int(pk) for pk in covered["evidence"]),
        "at": clock.now(),
    }
    with acting(by=person, reason="Past the act"):
        (row,) = SignOff.objects.bulk_create([SignOff(**(values | fields))])
        told = {"review": review.pk, "seat": seat, "digest": row.digest, "statement": row.statement}
        entries.record("signed off", initiative=review.initiative, **told)
    return row


# Who is a team member: how they come to hold the seat and be a team member.


def _as(role, accept=True):
    def arrange(cast, initiative):
        person = factories.make_person(f"team_member-{role}")
        give_role(cast, initiative, role, person, accept=accept)
        sit_down(cast, person)
        return person

    return arrange


def _the_owner(cast, initiative):
    sit_down(cast, cast.owner)
    return cast.owner


def _an_admin_with_a_role(cast, initiative):
    give_role(cast, initiative, "technical_lead", cast.admin)
    sit_down(cast, cast.admin)
    return cast.admin


def _an_admin_who_seated_himself(cast, initiative):
    with pytest.raises(Refused, match="You cannot give yourself a seat"):
        organisation_actions.appoint(board=cast.board, person=cast.admin, seat=SEAT, by=cast.admin)
    with unguarded("governance_membership"), acting(by=cast.admin, reason="Past the act"):
        Membership(
            board=cast.board,
            person=cast.admin,
            seat=SEAT,
            granted_by=cast.admin,
            signs_from=clock.now() + timedelta(days=2),
        ).save()
    return cast.admin


def _an_admin_without_a_seat(cast, initiative):
    return cast.admin


def _a_delegate_with_a_role(cast, initiative):
    person = factories.make_person("delegate")
    give_role(cast, initiative, "data_steward", person)
    sit_down(cast, person, delegate_of=cast.board.memberships.get(person=cast.seat_value))
    return person


def _an_author_of_evidence(cast, initiative):
    person = factories.make_person("former-lead")
    role = give_role(cast, initiative, "technical_lead", person)
    evidence_actions.add_evidence(
        initiative=initiative,
        kind="document",
        title="What is inside",
        observed_on=clock.today(),
        covers=["proto.scope"],
        file=artefacts.pdf("What is inside"),
        by=person,
    )
    role_actions.revoke_role(assignment=role, reason="Moved on", by=person)
    sit_down(cast, person)
    return person


def _whose_seat_ran_out(cast, initiative):
    person = factories.make_person("former-seat")
    end = clock.now() - timedelta(seconds=1)
    with time_machine.travel(end - timedelta(days=30)):
        organisation_actions.appoint(
            board=cast.board, person=person, seat=SEAT, ends_at=end, by=cast.second_admin
        )
    return person


def _whose_seat_begins_tomorrow(cast, initiative):
    person = factories.make_person("next-seat")
    sit_down(cast, person, starts_at=clock.now() + timedelta(days=1))
    return person


def _who_sits_on_another_board(cast, initiative):
    person = factories.make_person("other-board")
    board = organisation_actions.add_board(name="Logistics board", unit=cast.elsewhere, by=cast.admin)
    organisation_actions.appoint(board=board, person=person, seat=SEAT, by=cast.admin)
    return person


def _who_sits_in_another_seat(cast, initiative):
    return cast.seat_risk


def _who_reports_to_the_owner(cast, initiative):
    return reporting_to_the_owner(cast)


def _who_is_no_longer_active(cast, initiative):
    return leaving.deactivate(person=cast.seat_value, reason="Left", by=cast.admin)


def _another_account(cast, person):
    """A seated account that an admin marked as the same human's as this person's."""
    other = factories.make_person("other-account")
    sit_down(cast, other)
    same_person.mark(person=person, other=other, reason="Same badge", by=cast.second_admin)
    return User.objects.get(pk=other.pk)


def _another_account_of_the_owner(cast, initiative):
    return _another_account(cast, cast.owner)


def _another_account_of_an_author(cast, initiative):
    return _another_account(cast, _an_author_of_evidence(cast, initiative))


def _whose_factors_a_team_member_reset(cast, initiative):
    return _reset_by_a_team_member(cast, initiative, cast.seat_value)


def _reset_by_a_team_member(cast, initiative, person):
    """Somebody whose second factors an admin with a role on the initiative has asked to end."""
    give_role(cast, initiative, "sponsor", cast.second_admin)
    now = clock.now()
    asked = {"asked_by": cast.second_admin, "asked_at": now, "due_at": now + timedelta(days=1)}
    with unguarded("governance_factorreset"), acting(by=cast.second_admin, reason="Lost the phone."):
        FactorReset(person=person, reason="Lost the phone.", **asked).save()
    return person


TEAM_MEMBER = {
    "the owner": _the_owner,
    "another account of the owner": _another_account_of_the_owner,
    "another account of an author of evidence": _another_account_of_an_author,
    "somebody whose second factors a team member had reset": _whose_factors_a_team_member_reset,
    "the support owner": _as("support_owner"),
    "the technical lead": _as("technical_lead"),
    "the data steward": _as("data_steward"),
    "the deputy": _as("deputy"),
    "the sponsor": _as("sponsor"),
    "the record owner": _as("record_owner"),
    "somebody merely proposed": _as("support_owner", accept=False),
    "an admin with a role": _an_admin_with_a_role,
    "an admin who seated himself": _an_admin_who_seated_himself,
    "an admin without a seat": _an_admin_without_a_seat,
    "a delegate with a role": _a_delegate_with_a_role,
    "an author of evidence": _an_author_of_evidence,
    "somebody whose seat ran out": _whose_seat_ran_out,
    "somebody whose seat begins tomorrow": _whose_seat_begins_tomorrow,
    "somebody on another board": _who_sits_on_another_board,
    "somebody in another seat": _who_sits_in_another_seat,
    "somebody who reports to the owner": _who_reports_to_the_owner,
    "somebody no longer active": _who_is_no_longer_active,
}

# Whose sign-off the verifier takes: it judges seats, roles and activity, and nothing of these.
UNJUDGED = {
    "another account of the owner",
    "another account of an author of evidence",
    "somebody whose second factors a team member had reset",
    "an author of evidence",
    "somebody who reports to the owner",
}


def test_whoever_is_team_member_does_not_sign_and_never_counts(cast, review):
    for who, arrange in TEAM_MEMBER.items():
        with story.undone():
            never_counts(cast, review, who, arrange(cast, review.initiative))


def never_counts(cast, review, who, person):
    """The act refuses and leaves its entry, the database refuses, no decision follows, and the verifier finds it."""
    initiative = review.initiative
    last = Entry.objects.acts().order_by("-pk").first().pk
    with pytest.raises(Refused):
        initiative_acts.sign_off(review, SEAT, person)
    assert not review.sign_offs.exists(), f"{who}: a row was kept"
    entry = Entry.objects.acts().get(pk__gt=last)
    assert (entry.kind, entry.actor_id, entry.initiative_ref) == ("refused", person.pk, initiative.ref)

    with pytest.raises(DatabaseError) as caught:
        pytest.fail(f"{who}: the database took {force(review, person)}")
    assert caught.value.__cause__.sqlstate == "PL014", who  # this guard, and no other
    assert story.fresh_seats(review) == set(), f"{who}: counts"
    with pytest.raises(Refused):
        review_actions.decide(review=review, outcome="approved", reason="Go.", by=cast.chair)
    assert story.fresh(initiative).stage == "proposed"

    with an_hour_later():
        row = unguarded_writes.sign_off(review, SEAT, person=person)
        with an_hour_later():
            found = {(one.table, one.key, one.field) for one in verification.verify().findings}
    judged = ("initiatives_signoff", str(row.pk), "person_id") in found
    assert judged == (who not in UNJUDGED), f"{who}: {found}"


def test_the_database_takes_no_objection_of_who_holds_a_role(cast, review):
    """An objection is refused for a role alone: a mere proposal and evidence of one's own do not silence it."""
    for role in ("support_owner", "sponsor"):
        with story.undone():
            person = _as(role)(cast, review.initiative)
            with pytest.raises(DatabaseError, match="hold a role on") as caught:
                force(review, person, verdict="object", criteria=["proto.problem"])
            assert caught.value.__cause__.sqlstate == "PL014", role
    force(
        review,
        _as("support_owner", accept=False)(cast, review.initiative),
        verdict="object",
        criteria=["proto.problem"],
    )


def test_without_a_role_the_same_people_sign(cast, review):
    # The bar is the role, not the person: an admin whom another admin seated signs like anybody.
    sit_down(cast, cast.admin)
    with story.undone():
        initiative_acts.sign_off(review, SEAT, cast.admin)
        assert story.snapshot(review).verdict.decidable, story.blockers(review)
    with story.undone():
        force(review, cast.admin)
        assert story.snapshot(review).verdict.decidable, story.blockers(review)


def test_page_act_and_state_say_the_same(cast, review):
    """One rule with one set of sentences, whoever asks: the page before, the act, the review afterwards."""
    arrangements = [_as("technical_lead"), _as("sponsor", accept=False), _who_reports_to_the_owner]
    for arrange in arrangements:
        with story.undone():
            person = User.objects.get(pk=arrange(cast, review.initiative).pk)
            review = Review.objects.get(pk=review.pk)
            (reason,) = story.snapshot(review).eligible_signers.barred(person, SEAT)
            assert initiative_permissions.may_sign(review, SEAT, person).reasons[0].text == f"{reason}."
            with pytest.raises(Refused, match=reason):
                initiative_acts.sign_off(review, SEAT, person)


# What happens after a true sign-off


def _accepts_a_role(cast, initiative):
    give_role(cast, initiative, "technical_lead", cast.seat_value)
    return "technical lead of this initiative"


def _is_proposed(cast, initiative):
    give_role(cast, initiative, "owner", cast.seat_value, accept=False)
    return "proposed as business owner of this initiative"


def _loses_the_seat(cast, initiative):
    membership = cast.board.memberships.get(person=cast.seat_value)
    leaving.revoke_membership(membership=membership, reason="Reorganised", by=cast.admin)
    return "no longer holds the seat"


def _gets_the_seat_again(cast, initiative):
    membership = cast.board.memberships.get(person=cast.seat_value)
    leaving.revoke_membership(membership=membership, reason="Reorganised", by=cast.admin)
    organisation_actions.appoint(board=cast.board, person=cast.seat_value, seat=SEAT, by=cast.admin)
    return "has ended, and was granted again"


def _is_deactivated(cast, initiative):
    leaving.deactivate(person=cast.seat_value, reason="Left", by=cast.admin)
    return "no longer active"


def _becomes_a_report_of_the_owner(cast, initiative):
    reporting_to_the_owner(cast)
    return "reports to the owner"


CHANGES = [
    _accepts_a_role,
    _is_proposed,
    _loses_the_seat,
    _gets_the_seat_again,
    _is_deactivated,
    _becomes_a_report_of_the_owner,
]


def test_a_sign_off_stops_counting_when_its_signer_becomes_team_member(cast, review):
    initiative = review.initiative
    initiative_acts.sign_off(review, SEAT, cast.seat_value)
    for change in CHANGES:
        assert story.snapshot(review).verdict.decidable, story.blockers(review)
        with story.undone():
            why = change(cast, initiative)
            assert story.fresh_seats(review) == set(), f"{change.__name__}: counts"
            assert why in story.blockers(review)
            with pytest.raises(Refused, match=why):
                review_actions.decide(review=review, outcome="approved", reason="Go.", by=cast.chair)
            assert story.fresh(initiative).stage == "proposed"


def test_the_database_counts_no_sign_off_of_a_seat_that_ended(cast, review, monkeypatch):
    initiative_acts.sign_off(review, SEAT, cast.seat_value)
    _gets_the_seat_again(cast, review.initiative)
    holds = EligibleSigners.holds
    monkeypatch.setattr(
        EligibleSigners, "holds", lambda board, who, seat, since=None: holds(board, who, seat)
    )
    assert story.snapshot(review).verdict.decidable, "the act alone would take it"
    with pytest.raises(DatabaseError, match="needs fresh approvals"):
        review_actions.decide(review=review, outcome="approved", reason="Go.", by=cast.chair)


def test_a_declined_proposal_gives_the_sign_off_back(cast, review):
    initiative_acts.sign_off(review, SEAT, cast.seat_value)
    row = give_role(cast, review.initiative, "owner", cast.seat_value, accept=False)
    assert story.fresh_seats(review) == set()
    role_actions.decline_role(assignment=row, by=cast.seat_value)
    assert story.fresh_seats(review) == {SEAT}


def test_a_pending_proposal_never_silences_an_objection(cast, review):
    give_role(cast, review.initiative, "technical_lead", cast.seat_value, accept=False)
    initiative_acts.sign_off(
        review,
        SEAT,
        cast.seat_value,
        "object",
        reason="Not chosen among anything.",
        criteria=("prototype.selected",),
    )
    assert "objects to “Is it worth exploring now" in story.blockers(review)


def test_an_objection_stands_although_its_signer_left(cast, review):
    initiative_acts.sign_off(
        review,
        SEAT,
        cast.seat_value,
        "object",
        reason="Not chosen among anything.",
        criteria=("prototype.selected",),
    )
    leaving.deactivate(person=cast.seat_value, reason="Left", by=cast.admin)
    assert "objects to “Is it worth exploring now" in story.blockers(review)


def test_one_person_signs_one_seat(cast):
    initiative = initiative_acts.propose_and_confirm_tier(factories.make_prototype(cast), cast.team)
    review = review_actions.open_review(initiative=initiative, by=cast.owner)
    sit_down(cast, cast.seat_security, "architecture_integration")
    initiative_acts.sign_off(
        review, "security_privacy", cast.seat_security, "recuse", reason="I advised the vendor."
    )
    objection = {"verdict": "object", "reason": "No.", "criteria": ("mvp.data_reality",)}
    with pytest.raises(Refused, match="a person can sign for only one seat"):
        initiative_acts.sign_off(review, "architecture_integration", cast.seat_security, **objection)
    with pytest.raises(DatabaseError, match="one person signs one seat of a review"):
        force(review, cast.seat_security, "architecture_integration", **objection)


def test_whoever_wrote_the_contract_does_not_approve_on_it(cast):
    initiative = factories.make_prototype(cast)
    initiative_acts.staff(initiative, cast.team)
    initiative_acts.contract(story.fresh(initiative), cast.team)
    initiative_acts.plan_scope(initiative, cast.team)
    initiative_acts.ground_gate(initiative, "mvp", cast.team)
    # Ownership goes to somebody else; the author of the contract is seated for risk.
    role = role_actions.propose_role(initiative=initiative, role="owner", person=cast.sponsor, by=cast.owner)
    role_actions.accept_role(assignment=role, by=cast.sponsor)
    cast.team.owner = cast.sponsor
    initiative_acts.ground_gate(initiative, "mvp", cast.team)
    review = review_actions.open_review(initiative=story.fresh(initiative), by=cast.sponsor)
    sit_down(cast, cast.owner, "risk_compliance")
    with pytest.raises(Refused, match="was business owner of this initiative after its last decision"):
        initiative_acts.sign_off(review, "risk_compliance", cast.owner)
    with pytest.raises(DatabaseError, match="evidence they wrote"):
        force(review, cast.owner, "risk_compliance", covered_evidence=[])
    # And if such a row stood there, it would not count.
    current = Review.objects.select_related("initiative", "rulebook").get(pk=review.pk)
    text, covered = statement_for(
        review_state.snapshot_of(current), "risk_compliance", cast.owner, verdict="approve", at=clock.now()
    )
    forged = SignOff(
        review=current,
        seat="risk_compliance",
        person=cast.owner,
        verdict="approve",
        statement=text,
        digest=sign_off_statement.digest(text),
        facts=covered,
        at=clock.now(),
    )
    found = story.snapshot(review)
    reasons = review_state.stale_of(forged, found.eligible_signers, found.judged)
    assert {
        "Marta Lindqvist wrote the contract",
        "Marta Lindqvist wrote evidence that the sign-off covers",
    } <= set(reasons)
    version = story.fresh(initiative).contract.versions.get()
    assert not contract_permissions.may_approve_contract(
        story.fresh(initiative), "risk_compliance", cast.owner
    )
    assert version.author == cast.owner


def test_a_chair_who_is_team_member_does_not_decide_nor_agree_to_a_waiver(cast, review):
    initiative = review.initiative
    initiative_acts.sign_off(review, SEAT, cast.seat_value)
    role = give_role(cast, initiative, "sponsor", cast.chair, accept=False)
    until = clock.today() + timedelta(days=9)
    waiver = WAIVERS.ask(initiative, key="mvp.users", reason="Later.", until=until, by=cast.owner)
    for accepted in (False, True):
        if accepted:
            role_actions.accept_role(assignment=role, by=cast.chair)
        for attempt in (
            lambda: review_actions.decide(review=review, outcome="approved", reason="Go.", by=cast.chair),
            lambda: review_actions.return_review(review=review, reason="Why?", by=cast.chair),
        ):
            with pytest.raises(Refused, match="team member of this initiative"):
                attempt()
        with pytest.raises(Refused):
            WAIVERS.agree(row=waiver, by=cast.chair)
    for nobody in (cast.admin, cast.seat_risk, cast.owner, cast.outsider, cast.auditor):
        with pytest.raises(Refused, match="Only the chair"):
            review_actions.decide(review=review, outcome="approved", reason="Go.", by=nobody)
    review_actions.decide(review=review, outcome="approved", reason="Go.", by=cast.deputy_chair)
    assert story.fresh(initiative).stage == "prototype"


def past_the_act(review, by):
    """An UPDATE that approves the review as it stands, with findings that are true."""
    review = Review.objects.get(pk=review.pk)
    review.outcome, review.ended_by, review.ended_at = "approved", by, clock.now()
    review.reason = "Go."
    review.findings = {"sign_offs": [{"digest": row.digest, "stale": []} for row in review.sign_offs.all()]}
    with acting(by=by, reason="Past the act"):
        review.save()


def test_a_chair_whose_other_account_is_team_member_does_not_decide(cast, review):
    initiative_acts.sign_off(review, SEAT, cast.seat_value)
    with story.undone():
        past_the_act(review, cast.chair)  # the same without the pair is a decision
    same_person.mark(person=cast.owner, other=cast.chair, reason="Same badge", by=cast.second_admin)
    chair = User.objects.get(pk=cast.chair.pk)
    with pytest.raises(Refused, match="team member of this initiative"):
        review_actions.decide(review=review, outcome="approved", reason="Go.", by=chair)
    with pytest.raises(DatabaseError) as caught, story.undone():
        past_the_act(review, chair)
    assert caught.value.__cause__.sqlstate == "PL013"


def test_a_chair_whose_factors_a_team_member_had_reset_approves_a_day_later(cast, review):
    initiative_acts.sign_off(review, SEAT, cast.seat_value)
    _reset_by_a_team_member(cast, review.initiative, cast.chair)
    with pytest.raises(Refused, match="a reset of the second factors of"):
        review_actions.decide(review=review, outcome="approved", reason="Go.", by=cast.chair)
    with pytest.raises(DatabaseError) as caught, story.undone():
        past_the_act(review, cast.chair)
    assert caught.value.__cause__.sqlstate == "PL013"


def test_two_accounts_of_one_human_approve_a_review_once(cast):
    review = review_actions.open_review(
        initiative=initiative_acts.propose_and_confirm_tier(factories.make_prototype(cast), cast.team),
        by=cast.owner,
    )
    force(review, cast.seat_security, "security_privacy")
    with story.undone():
        force(review, cast.seat_architecture, "architecture_integration")  # the same without the pair
    one, other = cast.seat_security, cast.seat_architecture
    same_person.mark(person=one, other=other, reason="Same badge", by=cast.second_admin)
    other = User.objects.get(pk=other.pk)
    with pytest.raises(Refused, match="may be the same person as"):
        initiative_acts.sign_off(review, "architecture_integration", other)
    with pytest.raises(DatabaseError, match="approve a review once"):
        force(review, other, "architecture_integration")


def test_nobody_accepts_a_role_for_another(cast, review):
    role = give_role(cast, review.initiative, "support_owner", cast.support, accept=False)
    for other in (cast.owner, cast.admin, cast.chair, cast.outsider):
        with pytest.raises(Refused, match="or ask the owner to propose someone else"):
            role_actions.accept_role(assignment=role, by=other)
    role.person = cast.admin
    with (
        pytest.raises(DatabaseError, match="of initiatives_roleassignment stays"),
        acting(by=cast.admin, reason="Past the act"),
    ):
        role.save()
    assert roles_and_seats.accepted(review.initiative, "support_owner") is None


def test_a_seats_own_acts_are_not_authorship(cast):
    # Confirming the tier and putting the contract in force belong to the risk seat; it signs all the same.
    initiative = factories.make_mvp(cast)
    sign_off = SignOff.objects.get(review__initiative=initiative, review__gate="mvp", seat="risk_compliance")
    assert sign_off.person == cast.seat_risk
    assert initiative.tier_confirmed_by == cast.seat_risk
