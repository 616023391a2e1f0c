"""Planned absence: who stands in does so in person, for that time, and never on both sides of an initiative."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from adoption.demo import initiative_acts
from governance import clock
from governance.database.row_history import acting
from governance.models import Absence, Delegation, Entry, Membership, Notification
from governance.notifications import due as notification_due
from governance.organisation import actions as organisation_actions
from governance.permission_result import Conflict, Refused
from initiatives.inbox.absences import actions as absence_actions
from initiatives.inbox.absences.actions import Asked
from initiatives.lifecycle.access import roles_and_seats, signers
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative import review_state
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.lifecycle.roles import permissions as role_permissions
from initiatives.models import Initiative, RoleAssignment, SignOff
from initiatives.portfolio.units import leaving
from tests.support import factories
from tests.support.database import snapshots
from tests.support.initiatives.initiative_pages import SIGNED, at

pytestmark = pytest.mark.django_db


def again(row):
    return type(row).objects.get(pk=row.pk)


def days(first: int, last: int) -> dict:
    """Days from today on."""
    today = clock.today()
    return {"first": today + timedelta(days=first), "last": today + timedelta(days=last)}


def stand_in(person, delegate, first=0, last=7, membership=None) -> Delegation:
    """An absence with a delegate who accepted."""
    asked = [Asked(delegate, membership)]
    absence = absence_actions.plan_absence(**days(first, last), asked=asked, by=person)
    return absence_actions.accept_delegation(delegation=absence.delegations.get(), by=delegate)


def seat_of(cast, person) -> Membership:
    return cast.board.memberships.get(person=person, delegate_of__isnull=True)


@pytest.fixture
@snapshots.kept
def review(cast):
    """A prototype review that everything is there for."""
    initiative = factories.make_initiative(cast)
    initiative_acts.parts(initiative, cast.team)
    initiative_acts.ground_gate(initiative, "prototype", cast.team)
    return review_actions.open_review(initiative=initiative_acts.fresh(initiative), by=cast.owner)


def test_a_delegate_of_roles_acts_once_accepted_and_only_while_it_lasts(cast, as_):
    initiative = factories.make_initiative(cast)
    may = initiative_permissions.may_collaborate
    absence = absence_actions.plan_absence(**days(0, 7), asked=[Asked(cast.outsider)], by=cast.owner)
    assert not may(initiative, cast.outsider), "asked is not accepted"
    assert as_(cast.outsider).get(initiative.get_absolute_url()).status_code == 404
    absence_actions.accept_delegation(delegation=absence.delegations.get(), by=cast.outsider)
    assert may(initiative, cast.outsider)
    assert roles_and_seats.is_owner(initiative, cast.outsider)
    assert as_(cast.outsider).get(initiative.get_absolute_url()).status_code == 200
    with clock.simulated(clock.now() + timedelta(days=9)):
        assert not may(initiative, cast.outsider)
    absence_actions.end_absence(absence=absence, by=cast.owner)
    assert not may(initiative, cast.outsider)
    kinds = list(Entry.objects.acts().order_by("-pk").values_list("kind", flat=True)[:3])
    assert kinds == ["absence ended", "delegation accepted", "absence planned"]


def test_what_is_personal_stays_personal(cast):
    initiative = factories.make_initiative(cast)
    stand_in(cast.owner, cast.outsider)
    role = RoleAssignment.objects.get(initiative=initiative, person=cast.owner)
    assert not role_permissions.may_answer_role(role, cast.outsider)
    row = Delegation.objects.get()
    with pytest.raises(Refused, match="Only Sam Brook"):
        absence_actions.decline_delegation(delegation=row, by=cast.lead)


def test_whoever_stands_in_for_the_owner_does_not_sign(cast, review):
    """The value seat stands in for the owner: barred in words, in sign-offs given before, and by the database."""
    initiative_acts.sign_off(review, "business_value", cast.seat_value)
    assert review_state.snapshot_of(again(review)).verdict.decidable
    row = stand_in(cast.owner, cast.seat_value)
    snapshot = review_state.snapshot_of(again(review))
    assert not snapshot.verdict.decidable
    assert "stands in for Marta Lindqvist, business owner" in " ".join(snapshot.judged_sign_offs[0].stale)
    refused = initiative_permissions.may_sign(again(review), "business_value", cast.seat_value)
    assert "stands in for Marta Lindqvist" in str(refused)
    last = SignOff.objects.latest().get()
    with (
        acting(by=cast.seat_value),
        pytest.raises(DatabaseError, match="stand in for somebody"),
        transaction.atomic(),
    ):
        _past_the_acts(last)
    absence_actions.decline_delegation(delegation=row, by=cast.seat_value)
    assert review_state.snapshot_of(again(review)).verdict.decidable


def _past_the_acts(sign_off: SignOff) -> None:
    """The same sign-off once more, as raw SQL."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO initiatives_signoff (review_id, seat, person_id, verdict, reason, criteria, condition,"
            " statement, digest, facts, covered_evidence, replaces_id, at)"
            " SELECT review_id, seat, person_id, verdict, reason, criteria, condition, statement, digest, facts,"
            " covered_evidence, id, %s FROM initiatives_signoff WHERE id = %s",
            [clock.now(), sign_off.pk],
        )


def test_a_chair_who_stands_in_for_the_owner_does_not_decide(cast, review):
    stand_in(cast.owner, cast.chair)
    chair, why = roles_and_seats.acting_chair(again(review).initiative)
    assert chair == cast.deputy_chair
    assert "team member of this initiative" in why


def test_a_current_delegate_does_not_come_before_the_chair(cast):
    organisation_actions.appoint(
        board=cast.board,
        person=cast.second_admin,
        seat="chair",
        delegate_of=seat_of(cast, cast.chair),
        by=cast.admin,
    )
    assert roles_and_seats.acting_chair(factories.make_initiative(cast))[0] == cast.chair


def test_while_the_chair_is_away_the_deputy_decides(cast, review, as_):
    initiative_acts.sign_off(review, "business_value", cast.seat_value)
    assert "Read and decide" in as_(cast.chair).get("/").content.decode()
    absence = absence_actions.plan_absence(**days(0, 3), asked=[], by=cast.chair)
    initiative = again(review).initiative
    assert roles_and_seats.acting_chair(initiative)[0] == cast.deputy_chair
    assert "You are away" in str(initiative_permissions.may_chair(initiative, cast.chair))
    assert "Read and decide" in as_(cast.deputy_chair).get("/").content.decode()
    assert "Read and decide" not in as_(cast.chair).get("/").content.decode()
    absence_actions.end_absence(absence=absence, by=cast.chair)
    assert roles_and_seats.acting_chair(initiative)[0] == cast.chair


def test_a_delegate_of_a_seat_signs_for_the_time_and_the_sign_off_names_both(cast, review, as_):
    row = stand_in(cast.seat_value, cast.outsider, membership=seat_of(cast, cast.seat_value))
    assert row.stands.delegate_of == seat_of(cast, cast.seat_value)
    organisation_actions.confirm_seat(membership=row.stands, by=cast.chair)
    inbox = as_(cast.outsider).get("/").content.decode()
    assert "for Amara Diallo" in inbox
    sign_off = initiative_acts.sign_off(review, "business_value", cast.outsider)
    assert sign_off.statement.startswith(
        "I, Sam Brook, in the seat Business value of the Retail board, as delegate of Amara Diallo, approve"
    )
    assert sign_off.on_behalf_of == "Amara Diallo"
    assert Entry.objects.acts().filter(kind="signed off").latest("pk").on_behalf_of_id == cast.seat_value.pk
    page = as_(cast.owner).get(f"/sign-offs/{sign_off.pk}/").content.decode()
    assert "as delegate of Amara Diallo" in page
    assert review_state.snapshot_of(again(review)).verdict.decidable
    absence_actions.end_absence(absence=row.absence, by=cast.seat_value)
    assert not roles_and_seats.holds_seat(review.initiative, cast.outsider, "business_value")
    assert not review_state.snapshot_of(again(review)).verdict.decidable, (
        "a sign-off counts while its person holds the seat"
    )


def test_a_delegate_with_a_role_on_the_initiative_cannot_sign_there(cast, review, as_):
    role_actions.propose_role(
        initiative=review.initiative, role="technical_lead", person=cast.lead, by=cast.owner
    )
    seat = seat_of(cast, cast.seat_value)
    asked = {"first": clock.today(), "last": clock.today(), f"seat-{seat.pk}": cast.lead.pk, "step": "look"}
    page = as_(cast.seat_value).post("/away/", asked).content.decode()
    assert f"Ravi Menon works on {review.initiative.ref} and cannot sign there." in page
    assert not Absence.objects.exists()
    stand_in(cast.seat_value, cast.lead, membership=seat)
    assert not initiative_permissions.may_sign(again(review), "business_value", cast.lead)


WRONG = [
    ((3, 1), "lead", "last", "before the first"),
    ((-1, 1), "lead", "first", "today or later"),
    ((0, 500), "lead", "last", "or hand over your initiatives and ask an admin to end your seats."),
    ((0, 1), "owner", "roles", "You cannot stand in for yourself"),
    ((4, 9), "lead", "first", "You already planned an absence"),
    ((12, 13), "steward", "roles", "Hanna Vogel is away"),
]


def test_what_cannot_be_planned_is_refused_with_the_remedy(cast):
    factories.make_initiative(cast)
    absence_actions.plan_absence(**days(5, 10), asked=[], by=cast.owner)
    absence_actions.plan_absence(**days(11, 14), asked=[], by=cast.steward)
    for time, delegate, field, said in WRONG:
        with pytest.raises(ValidationError) as wrong:
            absence_actions.plan_absence(**days(*time), asked=[Asked(getattr(cast, delegate))], by=cast.owner)
        assert said in " ".join(wrong.value.message_dict[field])


def test_whoever_stands_in_is_not_away_then(cast):
    stand_in(cast.owner, cast.lead, 2, 5)
    with pytest.raises(ValidationError, match="You stand in for Marta Lindqvist"):
        absence_actions.plan_absence(**days(4, 6), asked=[], by=cast.lead)
    # Asked, then away, then accepting: the remedy is to decline.
    absence = absence_actions.plan_absence(**days(2, 5), asked=[Asked(cast.support)], by=cast.steward)
    absence_actions.plan_absence(**days(1, 3), asked=[], by=cast.support)
    with pytest.raises(Refused, match="You are away"):
        absence_actions.accept_delegation(delegation=absence.delegations.get(), by=cast.support)


def test_a_loan_ends_with_the_seat_and_what_is_lent_is_not_lent_on(cast, monkeypatch):
    """By the act and, past it, in the database (consents, C7)."""
    ends = clock.midnight_after(clock.today() + timedelta(days=3))
    until = {"board": cast.board, "person": cast.sponsor, "seat": "risk_compliance", "ends_at": ends}
    seat = organisation_actions.appoint(**until, by=cast.admin)

    def takes(held, delegate, absence) -> None:
        """The seat for the whole absence, as a delegate takes it over past the act."""
        now = clock.now()
        fields = {"starts_at": now, "ends_at": absence.ends_at, "signs_from": now + timedelta(days=1)}
        of = {"board": held.board, "seat": held.seat, "delegate_of": held, "granted_by": held.person}
        refused = pytest.raises(DatabaseError, match="taken over by a delegate from its holder")
        with refused, acting(by=delegate), transaction.atomic():
            Membership(person=delegate, **of, **fields).save()

    with clock.simulated(clock.now() + timedelta(days=1)):
        asked = [Asked(cast.outsider, again(seat))]
        with pytest.raises(ValidationError):
            absence_actions.check_plan(**days(5, 7), asked=asked, by=cast.sponsor)
        absence = absence_actions.plan_absence(**days(0, 7), asked=asked, by=cast.sponsor)
        takes(again(seat), cast.outsider, absence)
        accepted = absence_actions.accept_delegation(delegation=absence.delegations.get(), by=cast.outsider)
        lent = accepted.stands
        assert lent.ends_at == ends
        asked = [Asked(cast.steward, lent)]
        with pytest.raises(ValidationError):
            absence_actions.check_plan(**days(0, 1), asked=asked, by=cast.outsider)
        monkeypatch.setattr(absence_actions, "_cannot_stand_in", lambda *_: "")
        monkeypatch.setattr(absence_actions, "_check_days", lambda *_: None)
        absence = absence_actions.plan_absence(**days(0, 1), asked=asked, by=cast.outsider)
        with pytest.raises(Refused):
            absence_actions.accept_delegation(delegation=absence.delegations.get(), by=cast.steward)
        takes(lent, cast.steward, absence)


def test_somebody_else_is_asked_after_a_no(cast):
    factories.make_initiative(cast)
    absence = absence_actions.plan_absence(**days(1, 5), asked=[Asked(cast.lead)], by=cast.owner)
    row = absence.delegations.get()
    with pytest.raises(Conflict):
        absence_actions.name_delegate(absence=absence, asked=Asked(cast.support), by=cast.owner)
    absence_actions.decline_delegation(delegation=row, reason="Full.", by=cast.lead)
    assert Notification.objects.filter(
        person=cast.owner, kind="delegate answered", text__contains="Full."
    ).exists()
    absence_actions.name_delegate(absence=absence, asked=Asked(cast.support), by=cast.owner)
    assert Notification.objects.filter(person=cast.support, kind="delegate").exists()
    with pytest.raises(Conflict):
        absence_actions.accept_delegation(delegation=row, by=cast.lead)


def test_reminders_go_to_whoever_stands_in(cast, review):
    with clock.simulated(clock.now() + timedelta(days=3, hours=1)):
        stand_in(cast.owner, cast.outsider)
        stand_in(cast.seat_value, cast.sponsor, membership=seat_of(cast, cast.seat_value))
        asked = role_actions.propose_role(
            initiative=review.initiative, role="sponsor", person=cast.support, by=cast.owner
        )
        found = notification_due.find()
        told = {(due.person.login, due.kind) for due in found.values()}
        assert ("sponsor", "not signed") in told
        assert ("seat-value", "not signed") not in told
        for due in found.values():
            assert due.person != cast.owner or due.personal, due
        stood_in = [due for due in found.values() if due.person == cast.outsider]
        assert all(
            due.text.startswith("You are the deputy of Marta Lindqvist, who is away") for due in stood_in
        )
        absence_actions.plan_absence(**days(0, 2), asked=[Asked(cast.steward)], by=cast.support)
        absence_actions.accept_delegation(delegation=Delegation.objects.latest("pk"), by=cast.steward)
        personal = [due for due in notification_due.find().values() if due.object_key == f"role:{asked.pk}"]
        assert {due.person for due in personal} == {cast.support}


def test_the_people_of_a_initiative_say_who_is_away(cast, as_):
    initiative = factories.make_initiative(cast)
    url, client = reverse("people", args=[initiative.ref]), as_(cast.owner)
    assert "back on" not in client.get(url).content.decode()
    absence = absence_actions.plan_absence(**days(0, 2), asked=[], by=cast.owner)
    back = clock.local_day(absence.ends_at)
    assert back == clock.today() + timedelta(days=3)
    assert f"away, back on {back.day} {back:%B}" in client.get(url).content.decode()


def test_the_inbox_of_the_delegate_says_for_whom(cast, as_):
    initiative = factories.make_initiative(cast)
    stand_in(cast.owner, cast.outsider)
    page = as_(cast.outsider).get("/").content.decode()
    assert "for Marta Lindqvist" in page
    assert initiative.title in page


def test_an_absence_is_planned_answered_and_ended_on_its_pages(cast, as_):
    initiative = factories.make_initiative(cast)
    owner, lead = as_(cast.owner), as_(cast.lead)
    typed = {"first": clock.today(), "last": clock.today() + timedelta(days=3), "roles": cast.lead.pk}
    page = owner.post("/away/", typed | {"step": "look"}).content.decode()
    assert (
        f"Ravi Menon answers, adds evidence and acts in place of Marta Lindqvist on {initiative.ref}" in page
    )
    assert owner.post("/away/", typed | {"step": "save"}).status_code == 302
    assert "You already planned an absence" in owner.post("/away/", typed | {"step": "save"}).content.decode()
    row = Delegation.objects.get()
    url = at("delegations/accept", row.pk)
    assert url in lead.get("/").content.decode()
    assert as_(cast.support).get(url).status_code == 404
    assert lead.post(url).status_code == 200, "nothing is accepted unsigned"
    assert not again(row).accepted_at
    assert lead.post(url, SIGNED).status_code == 302
    assert again(row).accepted_at
    assert lead.post(url).status_code == 409
    assert lead.post(at("delegations/decline", row.pk), {"reason": "Ill"}).status_code == 302
    assert "Ask someone else" in owner.get("/away/").content.decode()
    another = at("delegations/ask-another", row.pk)
    assert "is away" not in owner.post(another, {"delegate": cast.owner.pk}).content.decode()
    assert owner.post(another, {"delegate": cast.support.pk}).status_code == 302
    assert owner.post(at("absences/end", row.absence_id)).status_code == 302
    assert owner.post(at("absences/end", row.absence_id)).status_code == 409


def test_ended_accounts_and_seats_end_what_stands_on_them(cast):
    initiative: Initiative = factories.make_initiative(cast)
    row = stand_in(cast.seat_value, cast.sponsor, membership=seat_of(cast, cast.seat_value))
    leaving.revoke_membership(membership=seat_of(cast, cast.seat_value), reason="Term over", by=cast.admin)
    assert not Membership.objects.held_at(clock.now()).filter(pk=row.stands_id).exists()
    stand_in(cast.owner, cast.outsider)
    leaving.deactivate(person=cast.outsider, reason="Left", by=cast.admin)
    assert not initiative_permissions.may_collaborate(initiative, again(cast.outsider))


def test_it_costs_the_initiative_no_query(cast):
    initiative = Initiative.objects.select_related("unit").get(pk=factories.make_initiative(cast).pk)

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            signers.eligible_signers_of(initiative)
            roles_and_seats.is_owner(initiative, cast.outsider)
        return len(queries)

    before = asked()
    stand_in(cast.owner, cast.outsider)
    assert cast.outsider.pk in signers.eligible_signers_of(initiative).team_members.parts
    assert asked() == before


def test_after_a_loan_the_holder_is_named_and_told(cast, review):
    """2e: the delegate's approval lapses with the loan. Not the delegate signs again, but the holder."""
    row = stand_in(cast.seat_value, cast.sponsor, last=3, membership=seat_of(cast, cast.seat_value))
    organisation_actions.confirm_seat(membership=row.stands, by=cast.chair)
    initiative_acts.sign_off(review, "business_value", cast.sponsor)
    assert review_state.snapshot_of(again(review)).verdict.decidable
    with clock.simulated(clock.now() + timedelta(days=5)):
        remedies = [one.remedy for one in review_state.snapshot_of(again(review)).verdict.blockers]
        assert any("Amara Diallo can read what changed" in remedy for remedy in remedies)
        assert not any("Ada Moreau" in remedy for remedy in remedies)
        found = [due for due in notification_due.find().values() if due.kind == "stale sign-off"]
        told = {due.person.login: due for due in found}
        assert set(told) == {"seat-value", "owner"}, "the delegate may not open it"
        assert told["seat-value"].link == reverse("sign", args=[review.pk, "business_value"])
        assert "Ada Moreau can" not in told["owner"].text
