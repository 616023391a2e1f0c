"""A condition that was declared met: who set it is told, and can say that it is not."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction
from django.urls import reverse

from adoption.demo import initiative_acts
from governance import clock
from governance.database.row_history import acting
from governance.identity import same_person
from governance.models import Entry, Membership, Notification, User
from governance.permission_result import Refused
from governance.transparency_log import verification
from initiatives.lifecycle.holds import condition_deeds, due_tasks
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.models import Condition
from initiatives.portfolio.units import leaving
from tests.support import factories
from tests.support.database import snapshots

pytestmark = pytest.mark.django_db
WHY = "The log of refusals is empty."


@pytest.fixture
@snapshots.kept
def condition(cast) -> Condition:
    """The condition of the value seat on a prototype, which the technical lead has to meet."""
    initiative = factories.make_initiative(cast)
    initiative_acts.parts(initiative, cast.team)
    initiative_acts.ground_gate(initiative, "prototype", cast.team)
    review = review_actions.open_review(initiative=initiative_acts.fresh(initiative), by=cast.owner)
    wanted = {"text": "Log every refusal", "owner": cast.lead, "due": clock.today() + timedelta(days=30)}
    said = {"owner": cast.lead.pk, "owner_name": str(cast.lead), "due": wanted["due"].isoformat()}
    initiative_acts.sign_off(
        review,
        "business_value",
        cast.seat_value,
        "approve_with_condition",
        condition={"text": wanted["text"], **said},
    )
    review_actions.decide(
        review=review,
        outcome="approved_with_conditions",
        reason="Ready.",
        conditions=[wanted | {"sign_off": review.sign_offs.get().pk}],
        by=cast.chair,
    )
    return Condition.objects.get()


@pytest.fixture
def met(cast, condition) -> Condition:
    return condition_deeds.meet_condition(condition=condition, note="Done.", by=cast.lead)


def told(kind: str) -> set[str]:
    return set(Notification.objects.filter(kind=kind).values_list("person__login", flat=True))


def test_the_seat_that_set_it_and_the_chair_are_told_with_the_note(cast, met):
    assert told("condition met") == {"seat-value", "chair"}
    assert "Done." in Notification.objects.filter(kind="condition met").first().text


def test_a_new_holder_of_the_seat_is_told_and_judges_in_place_of_who_left(cast, condition):
    seat = Membership.objects.get(person=cast.seat_value)
    leaving.revoke_membership(membership=seat, reason="Moved on.", by=cast.admin)
    factories.make_seat(cast, cast.sponsor, "business_value")
    met = condition_deeds.meet_condition(condition=condition, note="Done.", by=cast.lead)
    assert told("condition met") == {"sponsor", "chair"}
    with pytest.raises(Refused):
        condition_deeds.reopen_condition(condition=met, reason=WHY, by=cast.seat_value)
    condition_deeds.reopen_condition(condition=met, reason=WHY, by=cast.sponsor)


def test_a_seat_that_joined_the_team_is_not_told_and_does_not_judge(cast, condition):
    role = role_actions.propose_role(
        initiative=condition.review.initiative, role="sponsor", person=cast.seat_value, by=cast.owner
    )
    role_actions.accept_role(assignment=role, by=cast.seat_value)
    met = condition_deeds.meet_condition(condition=condition, note="Done.", by=cast.lead)
    assert told("condition met") == {"chair"}
    assert not condition_deeds.may_judge(met, cast.seat_value)


def test_a_condition_of_a_stopped_initiative_is_not_judged(cast, met):
    assert condition_deeds.may_judge(met, cast.chair)
    stage_actions.stop(
        initiative=met.review.initiative, reason_code="cost", reason="Too dear.", by=cast.owner
    )
    answer = condition_deeds.may_judge(Condition.objects.get(pk=met.pk), cast.chair)
    assert not answer
    assert "stopped" in str(answer.reasons[0].text)


@pytest.mark.parametrize("who", ["seat_value", "chair"])
def test_who_set_it_says_that_it_is_not_met_and_it_is_open_again(cast, met, who):
    person = getattr(cast, who)
    row = condition_deeds.reopen_condition(condition=met, reason=WHY, by=person)
    row.refresh_from_db()
    assert (row.met_at, row.met_by, row.not_met_by, row.not_met_reason) == (None, None, person, WHY)
    assert told("condition not met") == {"lead", "owner"}
    assert WHY in Notification.objects.filter(kind="condition not met").first().text
    entry = Entry.objects.acts().filter(kind="condition not met").get()
    assert (entry.initiative_ref, entry.facts["facts"]["why"]) == (met.review.initiative.ref, WHY)
    [task] = due_tasks.of_conditions([row])
    assert WHY in task.why
    assert task.key != f"condition:{row.pk}", "reminded of anew"
    assert task.task().matter == f"condition:{row.pk}"
    again = condition_deeds.meet_condition(condition=row, note="Now it is.", by=cast.lead)
    condition_deeds.reopen_condition(condition=again, reason=WHY, by=person)
    assert verification.verify().findings == []


def barred(cast, condition) -> list:
    """Everybody who cannot say it, and why not."""
    role = role_actions.propose_role(
        initiative=condition.review.initiative, role="sponsor", person=cast.deputy_chair, by=cast.owner
    )
    role_actions.accept_role(assignment=role, by=cast.deputy_chair)
    return [cast.lead, cast.owner, cast.seat_risk, cast.deputy_chair, cast.admin, cast.outsider]


def test_nobody_else_judges_it(cast, met):
    for person in barred(cast, met):
        with pytest.raises(Refused):
            condition_deeds.reopen_condition(condition=met, reason=WHY, by=person)
    with pytest.raises(ValidationError):
        condition_deeds.reopen_condition(condition=met, reason=" ", by=cast.chair)
    assert told("condition not met") == set()


def test_who_had_to_meet_it_does_not_judge_it_in_a_seat_either(cast, condition):
    """The lead lays the role down and takes the seat that set the condition."""
    met = condition_deeds.meet_condition(condition=condition, note="Done.", by=cast.lead)
    for role in met.review.initiative.roles.open().filter(person=cast.lead):
        role_actions.revoke_role(assignment=role, reason="Laid down.", by=cast.owner)
    factories.make_seat(cast, cast.lead, "business_value")
    with pytest.raises(Refused, match="You had to meet"):
        condition_deeds.reopen_condition(condition=met, reason=WHY, by=cast.lead)
    met.met_at, met.met_by, met.met_note = None, None, ""
    met.not_met_at, met.not_met_by, met.not_met_reason = clock.now(), cast.lead, WHY
    with acting(by=cast.lead), pytest.raises(DatabaseError, match="does not judge"), transaction.atomic():
        met.save()


def test_the_database_keeps_what_was_declared(cast, met):
    met.met_note = "Something else."
    met.met_at = clock.now()
    with acting(by=cast.lead), pytest.raises(DatabaseError, match="stays as it was"), transaction.atomic():
        met.save()
    met.met_at, met.met_by = None, None
    with acting(by=cast.lead), pytest.raises(DatabaseError, match="stays as it was"), transaction.atomic():
        met.save()


def test_an_open_condition_is_not_judged(cast, condition):
    with pytest.raises(Refused, match="is open"):
        condition_deeds.reopen_condition(condition=condition, reason=WHY, by=cast.chair)


def test_the_page_of_the_review_leads_to_it_and_shows_the_reason(cast, met, as_):
    url, page = reverse("row-act", args=["conditions", met.pk, "reopen"]), met.review.get_absolute_url()
    for person, there in (
        (cast.seat_value, True),
        (cast.chair, True),
        (cast.lead, False),
        (cast.owner, False),
    ):
        client = as_(person)
        assert (url in client.get(page).content.decode()) == there, person
        assert client.get(url).status_code == (200 if there else 403), person
        assert there or client.post(url, {"reason": WHY}).status_code == 403
    client = as_(cast.seat_value)
    assert "Done." in client.get(url).content.decode()
    assert client.post(url, {"reason": WHY}).status_code == 302
    met.refresh_from_db()
    assert met.met_at is None
    shown = as_(cast.lead).get(page).content.decode()
    assert WHY in shown
    assert reverse("row-act", args=["conditions", met.pk, "meet"]) in shown


def test_another_account_of_who_had_to_meet_it_does_not_judge(cast, met):
    same_person.mark(person=cast.seat_value, other=cast.lead, reason="Same badge", by=cast.second_admin)
    with pytest.raises(Refused, match="You had to meet this condition"):
        condition_deeds.reopen_condition(
            condition=met, reason=WHY, by=User.objects.get(pk=cast.seat_value.pk)
        )
