"""Notifications close with their matter: with their task, once they are not due any longer, and not before."""

import ast
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings

from adoption.demo import initiative_acts
from governance import clock
from governance.contributions import contributed
from governance.database.row_history import acting
from governance.models import Notification
from governance.notifications import due, notify
from governance.vocabulary import ObligationKind
from initiatives.lifecycle.holds import actions as hold_actions
from initiatives.lifecycle.reminders import wording
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.models import Review
from tests.support import factories
from tests.support.database import snapshots
from tests.support.initiatives import open_states


def unread(person) -> set[str]:
    return set(person.notifications.unread().values_list("kind", flat=True))


def known(client) -> set[str]:
    """The kinds of notifications in To know."""
    return {row.kind for line in client.get("/").context["unread"].object_list for row in line}


@pytest.fixture
@snapshots.kept
def review(cast) -> Review:
    """A review that the chair can decide."""
    initiative = factories.make_initiative(cast)
    initiative_acts.parts(initiative, cast.team)
    initiative_acts.ground_gate(initiative, "prototype", cast.team)
    review = review_actions.open_review(initiative=initiative, by=cast.owner)
    initiative_acts.sign_offs(review, cast.team)
    return review


def test_what_asks_is_a_task_and_closes_with_it_when_the_inbox_is_read(cast, as_, review):
    client = as_(cast.chair)
    assert "ready to decide" in unread(cast.chair)
    assert "ready to decide" not in known(client), "its task stands in To do"
    assert "ready to decide" in unread(cast.chair), "while the task stands, the notification does"
    review_actions.decide(review=review, outcome="approved", reason="Shown.", by=cast.chair)
    assert "ready to decide" not in known(client)
    assert "ready to decide" not in unread(cast.chair)
    assert "decided" in known(as_(cast.owner)), "what asks for nothing stays until it is read"


def test_the_reminder_run_closes_what_is_decided_for_people_who_read_nothing(cast, review):
    due.run()
    assert "ready to decide" in unread(cast.chair)
    assert "review opened" not in unread(cast.seat_value), "the seat has signed"
    review_actions.decide(review=review, outcome="approved", reason="Shown.", by=cast.chair)
    due.run()
    assert not unread(cast.chair) & {"ready to decide", "review opened"}
    assert not any("review opened" in unread(person) for person in cast.seats.values())
    assert "decided" in unread(cast.owner)


def test_a_seat_is_told_of_an_open_review_until_it_signs(cast, as_):
    initiative = factories.make_initiative(cast)
    initiative_acts.parts(initiative, cast.team)
    review_actions.open_review(initiative=initiative, by=cast.owner)
    due.run()
    assert "review opened" in known(as_(cast.seat_value)), "nothing can be signed yet"


def test_a_role_that_is_answered_asks_no_more_and_only_the_newest_reminder_stands(cast, as_):
    initiative = factories.make_initiative(cast)
    role = role_actions.propose_role(
        initiative=initiative, role="technical_lead", person=cast.lead, by=cast.owner
    )
    for days in (0, 3, 7):
        with time_machine.travel(clock.now() + timedelta(days=days), tick=False):
            due.run()
    assert list(cast.lead.notifications.unread().values_list("kind", "period")) == [("role", "after7d")]
    role_actions.accept_role(assignment=role, by=cast.lead)
    due.run()
    assert unread(cast.lead) == set()


def test_what_is_escalated_stands_until_the_matter_is_done(cast, as_):
    initiative = factories.make_mvp(cast)
    with acting(system="test"):
        row = hold_actions.open_obligation(
            initiative_acts.fresh(initiative),
            ObligationKind.CRITERION,
            source="one",
            text="Hand over the logs",
            due=clock.today() - timedelta(days=8),
            responsible=cast.owner,
        )
    due.run()
    due.run()
    assert "overdue" in known(as_(cast.chair))
    with acting(by=cast.owner):
        hold_actions.complete_row(row, by=cast.owner, note="Done.")
    due.run()
    assert "overdue" not in unread(cast.chair) | unread(cast.owner)


def test_an_answered_objection_that_is_escalated_stands_for_the_chair(cast, as_):
    state = open_states.State("idea_ready", ("review_answered",))
    with open_states.laid_down(cast, state), time_machine.travel(clock.now() + timedelta(days=20)):
        due.run()
        assert "look again" in known(as_(cast.chair))
        due.run()
        assert "look again" in unread(cast.chair)


def test_what_is_older_than_ninety_days_is_not_shown(cast, as_):
    notify.notify(cast.outsider, "told", "test:1", subject="It was decided")
    assert known(as_(cast.outsider)) == {"told"}
    Notification.objects.update(created_at=clock.now() - timedelta(days=91))
    assert known(as_(cast.outsider)) == set()


def test_to_know_has_pages(cast, as_):
    for number in range(30):
        notify.notify(cast.outsider, f"told {number}", f"test:{number}", subject=f"Number {number}")
    page = as_(cast.outsider).get("/").context["unread"]
    assert (len(page.object_list), page.paginator.count) == (6, 30)


def test_notifications_about_one_initiative_are_one_line(cast, as_):
    one, other = (factories.make_initiative(cast, title=title).ref for title in ("One", "Other"))
    for number, ref in enumerate((one, other, one, "", "")):
        notify.notify(cast.owner, "told", f"test:{number}", subject=f"Number {number}", initiative_ref=ref)
    lines = as_(cast.owner).get("/").context["unread"].object_list
    found = [[row.object_key for row in line if row.kind == "told"] for line in lines]
    assert [line for line in found if line] == [["test:4", "test:3"], ["test:2", "test:0"], ["test:1"]]


def test_the_text_of_a_checkpoint_is_not_shown_in_an_inbox(cast, as_):
    for kind in ("checkpoint", "checkpoint of decision"):
        notify.notify(cast.outsider, kind, f"{kind}:1", subject="Keep it", text="plumbline.invalid 12 abc=")
    page = as_(cast.outsider).get("/").content.decode()
    assert "Keep it" in page
    assert "plumbline.invalid" not in page


# What these say happened: each stays until its person has read it.
STAYS = {
    "account",
    "address refused",
    "audit log export",
    "board changed",
    "checkpoint",
    "checkpoint of decision",
    "delegate answered",
    "handover answered",
    "loan ended",
    "meeting called off",
    "meeting moved",
    "name changed",
    "password link",
    "post-mortem",
    *wording.NEWS,
}


def test_each_kind_that_is_written_somewhere_closes_with_its_matter_or_stays_until_it_is_read():
    """A new kind is put among `asking`, among `passing`, or above: nobody forgets which."""
    written = set()
    for app in ("governance", "initiatives", "adoption"):
        for path in (settings.BASE_DIR / app).rglob("*.py"):
            for call in ast.walk(ast.parse(path.read_text())):
                if not isinstance(call, ast.Call):
                    continue
                name = getattr(call.func, "attr", getattr(call.func, "id", ""))
                named = [word.value for word in call.keywords if word.arg == "kind" and name == "partial"]
                first = {"notify": 1, "Due": 1, "about": 1, "tell": 2, "tell_outside": 2}.get(name)
                place = call.args[first : first + 1] if first else named
                written |= {
                    one.value for one in place if isinstance(one, ast.Constant) and isinstance(one.value, str)
                }
    assert len(written) > 40
    closes = contributed.asking | contributed.passing
    assert written - closes - STAYS == set()
    assert closes & STAYS == set()
