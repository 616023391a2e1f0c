"""Handing over: proposed in one act, taken in person; nothing passes before, and what it takes is shown."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction
from django.urls import reverse

from adoption.demo import initiative_acts
from governance import clock
from governance.database.row_history import acting
from governance.models import Entry, Notification
from governance.permission_result import Conflict, Refused
from initiatives.lifecycle.access import roles_and_seats
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.lifecycle.initiative import review_state
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.roles import handover_queries, handovers
from initiatives.models import Condition, Gap, Handover, Review, RoleAssignment
from initiatives.portfolio.units import leaving
from tests.support import factories
from tests.support.attacks.unguarded_writes import unguarded
from tests.support.database import snapshots
from tests.support.initiatives.initiative_pages import SIGNED, seen
from tests.support.web import query_counts

pytestmark = pytest.mark.django_db
WHY = "Leaves the house at the end of the month."


def again(row):
    return type(row).objects.get(pk=row.pk)


@pytest.fixture
@snapshots.kept
def initiatives(cast):
    """Two initiatives of the owner: a prototype with a condition and a gap of hers, and an idea."""
    first, second = factories.make_prototype(cast), factories.make_initiative(cast, title="Second")
    tomorrow = clock.today() + timedelta(days=1)
    hold_deeds.open_gap(
        initiative=first, text="Two lists.", owner=cast.owner, due=tomorrow, downstream=[], by=cast.owner
    )
    with unguarded("initiatives_condition"), acting(system="test", reason="A condition"):
        Condition(
            review=Review.objects.filter(initiative=first).latest("pk"),
            text="Log more",
            owner=cast.owner,
            due=tomorrow,
            proposed_by=cast.chair,
        ).save()
    return first, second


def hand_over(cast, initiatives, successor) -> list[Handover]:
    chosen = dict.fromkeys(initiatives, successor)
    return handovers.propose_handover(person=cast.owner, chosen=chosen, reason=WHY, by=cast.owner)


def test_everything_is_proposed_in_one_act_and_stays_until_it_is_taken(cast, initiatives):
    last = Entry.objects.acts().latest("pk").pk
    rows = hand_over(cast, initiatives, cast.lead)
    acts = Entry.objects.acts().filter(pk__gt=last)
    assert acts.filter(kind="handover").count() == 1
    assert acts.filter(kind="handover proposed").count() == 2
    assert len({entry.xact for entry in acts}) == 1
    assert Notification.objects.filter(person=cast.lead, kind="handover").count() == 1
    assert [roles_and_seats.accepted(initiative, "owner").person for initiative in initiatives] == [
        cast.owner
    ] * 2
    assert Condition.objects.get().owner == cast.owner
    handovers.accept_handovers(handovers=rows, by=cast.lead)
    assert [roles_and_seats.accepted(again(initiative), "owner").person for initiative in initiatives] == [
        cast.lead
    ] * 2
    assert Condition.objects.get().owner == cast.lead
    gap = Gap.objects.get()
    assert gap.owner == cast.lead
    assert gap.owner_accepted_at
    assert not RoleAssignment.objects.in_force().filter(person=cast.owner).exists()
    accepted = RoleAssignment.objects.get(initiative=initiatives[0], role="owner", person=cast.lead)
    assert accepted.accepted_words.startswith(f"Business owner of {initiatives[0].ref}")
    assert not handover_queries.parts_of(cast.owner)


def test_nobody_takes_over_for_another(cast, initiatives):
    rows = hand_over(cast, initiatives, cast.lead)
    for person in (cast.owner, cast.admin, cast.outsider):
        with pytest.raises(Refused, match="Only Ravi Menon can answer"):
            handovers.accept_handovers(handovers=rows, by=person)
    for person in (cast.outsider, cast.chair):
        with pytest.raises(Refused, match="Only Marta Lindqvist or an admin"):
            handovers.propose_handover(
                person=cast.owner, chosen={initiatives[1]: cast.support}, reason=WHY, by=person
            )
    handovers.accept_handovers(handovers=rows, by=cast.lead)
    with pytest.raises(Conflict):
        handovers.accept_handovers(handovers=rows, by=cast.lead)
    with acting(system="test", reason="Past the acts"), transaction.atomic():
        row = again(rows[0])
        row.successor = cast.support
        with pytest.raises(DatabaseError, match="of initiatives_handover stays"):
            row.save()


def test_the_one_accepts_and_the_other_declines(cast, initiatives):
    chosen = {initiatives[0]: cast.lead, initiatives[1]: cast.support}
    first, second = handovers.propose_handover(person=cast.owner, chosen=chosen, reason=WHY, by=cast.admin)
    handovers.accept_handovers(handovers=[first], by=cast.lead)
    handovers.decline_handovers(handovers=[second], reason="Too much.", by=cast.support)
    assert roles_and_seats.accepted(again(initiatives[1]), "owner").person == cast.owner
    assert not RoleAssignment.objects.waiting().exists()
    assert Notification.objects.filter(person=cast.admin, text="Too much.").exists()
    # Somebody else is asked, then another instead of them, then nobody.
    [third] = handovers.propose_handover(
        person=cast.owner, chosen={initiatives[1]: cast.steward}, reason=WHY, by=cast.owner
    )
    [fourth] = handovers.propose_handover(
        person=cast.owner, chosen={initiatives[1]: cast.outsider}, reason=WHY, by=cast.owner
    )
    assert again(third).ended_at
    assert [row.person for row in RoleAssignment.objects.waiting()] == [cast.outsider]
    handovers.withdraw_handover(handover=fourth, by=cast.owner)
    assert not RoleAssignment.objects.waiting().exists()


def test_a_initiative_that_is_handed_over_meanwhile_is_named(cast, initiatives):
    hand = hand_over(cast, initiatives[1:], cast.lead)
    handovers.accept_handovers(handovers=hand, by=cast.lead)
    with pytest.raises(ValidationError, match="no longer has a role on"):
        hand_over(cast, initiatives, cast.support)
    with pytest.raises(ValidationError, match="is the person who leaves"):
        hand_over(cast, initiatives[:1], cast.owner)
    with pytest.raises(ValidationError, match=r"Give a reason\. The successors read the reason\."):
        handovers.propose_handover(
            person=cast.owner, chosen={initiatives[0]: cast.lead}, reason="", by=cast.owner
        )


def test_separation_of_duties_is_shown_before_and_holds_after(cast, initiatives, as_):
    initiative_acts.parts(initiatives[1], cast.team)
    initiative_acts.ground_gate(initiatives[1], "prototype", cast.team)
    review = review_actions.open_review(initiative=initiative_acts.fresh(initiatives[1]), by=cast.owner)
    initiative_acts.sign_off(review, "business_value", cast.seat_value)
    typed = {"everything": f"Amara Diallo ({cast.seat_value.login})", "reason": WHY}
    url = reverse("handover", args=[cast.owner.pk])
    page = as_(cast.owner).post(url, typed | {"step": "look"}).content.decode()
    assert "Amara Diallo approved in the open review. This sign-off no longer counts from now on." in page
    assert (
        "Amara Diallo is on the board of the initiative (business value). After the request, Amara Diallo "
        "can no longer approve or decide on the initiative."
    ) in page
    assert review_state.snapshot_of(again(review)).verdict.decidable
    assert as_(cast.owner).post(url, typed | {"step": "save"}).status_code == 302
    assert not review_state.snapshot_of(again(review)).verdict.decidable
    handovers.decline_handovers(handovers=list(Handover.objects.all()), by=cast.seat_value)
    assert review_state.snapshot_of(again(review)).verdict.decidable


def test_it_is_handed_over_and_taken_on_its_pages(cast, initiatives, as_):
    owner, lead = as_(cast.owner), as_(cast.lead)
    url = reverse("handover", args=[cast.owner.pk])
    page = owner.get(url).content.decode()
    assert "Business owner, 1 condition, 1 gap." in page
    first = f"initiative-{initiatives[0].pk}"
    for typed, said in [
        ({"reason": WHY}, "Name a successor for at least one initiative."),
        ({"reason": WHY, first: "Nobody Known"}, "No active person has this name"),
        ({"reason": "", first: "Ravi Menon"}, "This field is required"),
        ({"reason": WHY, first: "Marta Lindqvist (owner)"}, "No active person has this name"),
    ]:
        page = owner.post(url, typed | {"step": "save"}).content.decode()
        assert said in page, typed
        assert typed.get(first, "") in page, "nothing typed is lost"
    assert owner.post(url, {"everything": "ravi menon", "reason": WHY, "step": "save"}).status_code == 302
    inbox = lead.get("/").content.decode()
    assert "Take over from Marta Lindqvist: 2 initiatives" in inbox
    assert inbox.count("Read and answer") == 1, "the roles of a handover are one line"
    shown = lead.get("/handovers/")
    page, signing = shown.content.decode(), SIGNED | seen(shown)
    assert f"Business owner of {initiatives[0].ref}" in page
    assert "Condition: Log more" in page
    rows = list(Handover.objects.order_by("initiative"))
    assert "Tick at least one initiative." in lead.post("/handovers/", {"step": "accept"}).content.decode()
    foreign = as_(cast.support).post("/handovers/", {"take": rows[0].pk, "step": "accept"} | SIGNED)
    assert foreign.status_code == 200
    assert not again(rows[0]).accepted_at
    unseen = lead.post("/handovers/", {"take": rows[0].pk, "step": "accept"} | SIGNED)
    assert "this statement was not shown to you" in unseen.content.decode()
    sent = {"take": rows[0].pk, "step": "accept"} | signing
    confirming = lead.post("/handovers/", sent, confirm=False)
    assert 'name="password"' in confirming.content.decode(), "what is confirmed is signed there"
    assert SIGNED["password"] not in confirming.content.decode()
    assert lead.post("/handovers/", sent).status_code == 302
    assert again(rows[0]).accepted_at
    assert owner.post(url, {"withdraw": rows[1].pk}).status_code == 302
    assert again(rows[1]).ended_at
    assert owner.post(url, {"withdraw": "x"}).status_code == 404
    assert owner.post(url, {"withdraw": rows[1].pk}).status_code == 409


def test_the_page_that_ends_an_account_leads_here_first(cast, initiatives, as_):
    end = reverse("admin:governance_user_deactivate", args=[cast.owner.pk])
    url = reverse("handover", args=[cast.owner.pk])
    assert url in as_(cast.admin).get(end).content.decode()
    rows = hand_over(cast, initiatives, cast.lead)
    leaving.deactivate(person=cast.owner, reason="Left", by=cast.admin)
    handovers.accept_handovers(handovers=rows, by=cast.lead)
    assert roles_and_seats.accepted(again(initiatives[0]), "owner").person == cast.lead
    assert Condition.objects.get().owner == cast.lead


def test_the_pages_ask_no_more_for_ten_initiatives(cast, initiatives, as_):
    owner, lead = as_(cast.owner), as_(cast.lead)
    url = reverse("handover", args=[cast.owner.pk])

    def asked() -> tuple[int, int]:
        return query_counts.asked(owner, url), query_counts.asked(lead, "/handovers/")

    hand_over(cast, initiatives[:1], cast.lead)
    before = asked()
    more = [factories.make_initiative(cast, title=f"Idea {number}") for number in range(8)]
    hand_over(cast, more, cast.lead)
    after = asked()
    assert after[0] <= before[0]
    assert after[1] <= before[1]
    assert max(after) <= 25
