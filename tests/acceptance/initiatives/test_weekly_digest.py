"""The weekly digest: who gets which, one a week, what it says and to whom it does not."""

import re
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.core import mail
from django.db import connection
from django.test import Client

from adoption.demo import initiative_acts
from governance import clock
from governance.models import Delivery, Preferences, User
from governance.notifications import daily_mail, notify, preferences
from governance.organisation import actions as organisation_actions
from governance.templatetags.plumbline import day
from initiatives.inbox.tasks import weekly_digest
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.facts import visible_progress
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.portfolio.efforts import actions as effort_actions
from tests.support import factories

MONDAY = datetime(2026, 11, 9, 6, 5, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def send(at: datetime | None = None) -> list:
    """What goes out at that moment, twice asked."""
    mail.outbox.clear()
    daily_mail.deliver(at, kind=Delivery.DIGEST)
    daily_mail.deliver(at, kind=Delivery.DIGEST)
    return list(mail.outbox)


def only(*people) -> None:
    """Nobody but these gets a digest: each that is written costs the time of a review read in full."""
    others = User.objects.exclude(pk__in=[person.pk for person in people])
    Preferences.objects.bulk_create(
        [Preferences(person=person, digest=Preferences.NEVER) for person in others]
    )


def units_of(person) -> list[str]:
    return [unit.name for unit in weekly_digest.units_of(person)]


def next_monday() -> datetime:
    """Monday morning of the week to come, an hour after the digests begin."""
    ahead = timedelta(days=7 - clock.today().weekday())
    return clock.midnight_before(clock.today() + ahead) + timedelta(hours=7)


def test_who_gets_which_unit(cast):
    factories.make_prototype(cast)
    assert units_of(cast.owner) == ["Account management"]
    assert units_of(cast.chair) == ["Retail"], "of the board's unit, everything below it in one"
    assert units_of(cast.outsider) == units_of(cast.auditor) == []
    preferences.choose_digest(choice=Preferences.UNIT, by=cast.outsider)
    preferences.choose_digest(choice=Preferences.UNIT, by=cast.auditor)
    preferences.choose_digest(choice=Preferences.NEVER, by=cast.chair)
    assert units_of(cast.outsider) == ["Logistics"]
    assert units_of(cast.auditor) == ["Northgate"], "who works nowhere looks over everything"
    assert units_of(cast.chair) == []
    for number in range(4):
        unit = organisation_actions.add_unit(
            name=f"Inbox {number}", code=f"inbox-{number}", parent=cast.elsewhere, by=cast.admin
        )
        factories.make_initiative(
            cast, unit=unit, owner=cast.sponsor, by=cast.sponsor, title=f"Idea {number}"
        )
        for role in cast.sponsor.roles.waiting():
            role_actions.accept_role(assignment=role, by=cast.sponsor)
    assert units_of(cast.sponsor) == ["Logistics"], "more than three are told as one"


def test_once_a_week_from_monday_morning_and_one_after_weeks_of_silence(cast):
    initiative = factories.make_prototype(cast)
    hold_deeds.hold(initiative=initiative, reason="Look.", by=cast.owner)
    only(cast.owner, cast.lead)
    monday = next_monday()
    assert send(monday - timedelta(hours=2)), "of the week before"
    assert send(monday - timedelta(hours=2)) == []
    first = send(monday)
    assert sorted(message.to[0] for message in first) == sorted({message.to[0] for message in first})
    assert "owner@example.org" in {message.to[0] for message in first}
    for days in (0, 1, 6):
        assert send(monday + timedelta(days=days)) == []
    later = send(monday + timedelta(days=24))
    assert len([message for message in later if message.to == ["owner@example.org"]]) == 1
    (mine,) = (message for message in later if message.to == ["owner@example.org"])
    assert f"Since {monday.day} {monday:%B}" in mine.body, "of everything since the last"


def test_a_quiet_unit_sends_nothing(cast):
    preferences.choose_digest(choice=Preferences.UNIT, by=cast.outsider)
    assert units_of(cast.outsider)
    assert not any(cast.outsider.email in message.to for message in send(next_monday() + timedelta(days=28)))


def busy(cast) -> None:
    """A unit in which much happens: fifteen initiatives, two before their gate, holds, obligations, decisions, roles to
    accept.
    """
    mvp = factories.make_mvp(cast)
    for number in range(12):
        factories.make_initiative(cast, title=f"Idea number {number} with a rather long title")
    stopped = factories.make_prototype(cast, title="Contract reader")
    stage_actions.stop(initiative=stopped, reason_code="no_value", reason="Nobody used it.", by=cast.owner)
    trial = factories.make_prototype(cast, title="Ticket triage")
    hold_deeds.hold(initiative=trial, reason="Wrong answers last night.", by=cast.seat_security)
    hold_deeds.hold(initiative=mvp, reason="A vendor question.", by=cast.seat_risk)
    review_actions.open_review(initiative=initiative_acts.fresh(mvp), by=cast.owner)
    soon = clock.today() + timedelta(days=9)
    for number in range(6):
        hold_deeds.open_gap(
            initiative=mvp,
            text=f"List {number} differs.",
            owner=cast.steward,
            due=soon,
            downstream=[],
            by=cast.owner,
        )
    role_actions.propose_role(initiative=mvp, role="sponsor", person=cast.sponsor, by=cast.owner)
    effort_actions.note_effort(
        initiative=mvp, layer="integration", week=clock.today(), hours=12, by=cast.lead
    )


def written(cast, person, since=None) -> dict[str, list]:
    """The lines of the digest by heading."""
    told = weekly_digest.written([cast.unit], person, since=since or clock.now() - weekly_digest.WEEK)
    return {section.words: section.lines for section in told.sections}


def test_a_busy_unit_is_read_in_a_minute(cast):
    busy(cast)
    only(cast.owner, cast.chair)
    told = {message.to[0].partition("@")[0]: message for message in send()}
    body = told["owner"].body
    assert body.index("FOR YOU TO DO") < body.index("TO KNOW")
    assert "entries are in your inbox" in body
    assert "FOR YOU TO DECIDE" in told["chair"].body
    assert "tasks" in told["owner"].subject
    for message in told.values():
        words = re.sub(r"http\S+|\*", " ", message.body).split()
        assert len(words) <= 360, f"{len(words)} words: more than is skimmed in a minute"
        lines = [line for line in message.body.splitlines() if line.startswith("* ")]
        assert len(lines) <= weekly_digest.MOST
        links = [line for line in message.body.splitlines() if line.startswith("  http")]
        assert len(links) == len(lines)
        html = message.alternatives[0][0]
        assert html.count("<li") == len(lines)


def test_own_decisions_come_first_and_nothing_stands_twice(cast):
    busy(cast)
    for person in (cast.owner, cast.chair, cast.seat_risk, cast.lead):
        found = written(cast, person)
        assert list(found) == [words for words in weekly_digest.HEADINGS if words in found]
        lines = [line for lines in found.values() for line in lines]
        assert len(lines) <= weekly_digest.MOST
        assert len({(line.link, line.words) for line in lines}) == len(lines)
        pages = [line.link for line in lines if not line.news]
        assert len(pages) == len(set(pages)), person


def test_what_no_mail_carried_is_in_the_digest_and_in_no_mail_after_it(cast):
    factories.make_prototype(cast)
    only(cast.owner)
    monday = next_monday()
    with clock.simulated(monday):
        notify.notify(
            cast.owner, "decided", "review:999", subject="AI-0099 Reader: it was refused", link="/reviews/"
        )
    (mine,) = send(monday)
    assert "it was refused" in mine.body
    mail.outbox.clear()
    daily_mail.deliver(monday + timedelta(hours=2))
    assert not any("it was refused" in message.body for message in mail.outbox)


def test_integration_work_of_the_week_is_told_with_when_the_initiative_last_moved(cast):
    initiative, quiet = factories.make_mvp(cast), factories.make_initiative(cast, title="Another")
    moved = day(visible_progress.newest([initiative.pk])[initiative.pk].at)
    for fields in (
        {"layer": "integration", "hours": 9, "waited_days": Decimal("2.5")},
        {"layer": "integration", "hours": 3},
        {"layer": "policy", "hours": 50},
    ):
        effort_actions.note_effort(initiative=initiative, week=clock.today(), by=cast.lead, **fields)
    effort_actions.note_effort(initiative=quiet, layer="policy", week=clock.today(), hours=5, by=cast.owner)
    long_ago = clock.today() - timedelta(days=60)
    effort_actions.note_effort(initiative=quiet, layer="integration", week=long_ago, hours=5, by=cast.owner)
    news = weekly_digest._news([cast.unit], cast.owner, clock.now() - weekly_digest.WEEK)
    (line,) = [line for line in news if "last visible progress" in line.words]
    assert line.ref == initiative.ref
    assert line.words == f"12 hours, 2.5 days of waiting, last visible progress {moved}"
    others = weekly_digest._news([cast.unit], cast.outsider, clock.now() - weekly_digest.WEEK)
    assert not any("last visible progress" in line.words for line in others)


def test_a_digest_tells_nobody_of_a_initiative_that_is_not_theirs(cast):
    hidden = factories.make_initiative(cast, title="Zeppelin pricing", owner=cast.support, by=cast.support)
    for role in cast.support.roles.waiting():
        role_actions.accept_role(assignment=role, by=cast.support)
    detail_actions.change_details(
        initiative=hidden,
        problem=hidden.problem,
        platform="",
        confidential=True,
        by=cast.support,
    )
    hold_deeds.hold(initiative=hidden, reason="Secret.", by=cast.support)
    shown = factories.make_initiative(cast, title="Open pricing")
    hold_deeds.hold(initiative=shown, reason="Look.", by=cast.owner)
    told = {message.to[0].partition("@")[0]: message.body for message in send()}
    assert "Open pricing" in told["owner"]
    assert "Zeppelin" not in told["owner"]
    assert hidden.ref not in told["owner"]
    assert "Zeppelin" in told["support"]


def test_gaps_closed_since_the_last_digest_are_told(cast):
    initiative = factories.make_prototype(cast)
    gap = hold_deeds.open_gap(
        initiative=initiative,
        text="Two lists.",
        owner=cast.steward,
        due=clock.today(),
        downstream=[],
        by=cast.owner,
    )
    only(cast.owner)
    monday = next_monday()
    send(monday)
    with clock.simulated(monday + timedelta(days=1)):
        hold_deeds.close_gap(gap=gap, by=cast.steward)
    (mine,) = (message for message in send(monday + timedelta(days=7)) if message.to == ["owner@example.org"])
    assert "TO KNOW" in mine.body
    assert "closed “Two lists”" in mine.body


def test_leaving_from_the_mail_needs_no_session_and_takes_one_press(cast):
    initiative = factories.make_initiative(cast)
    hold_deeds.hold(initiative=initiative, reason="Look.", by=cast.owner)
    only(cast.owner)
    (mine,) = (message for message in send() if message.to == ["owner@example.org"])
    address = mine.extra_headers["List-Unsubscribe"].strip("<>")
    assert mine.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert address in mine.body
    path = address.removeprefix("http://127.0.0.1:8000")
    stranger = Client(enforce_csrf_checks=True)
    assert b"End the digest" in stranger.get(path).content
    assert units_of(cast.owner), "looking ends nothing"
    answer = stranger.post(path, {"List-Unsubscribe": "One-Click"})
    assert b"You are unsubscribed from the digest" in answer.content
    assert units_of(cast.owner) == []
    assert all(message.to != mine.to for message in send(next_monday() + timedelta(days=7)))
    assert stranger.get(path[:-3] + "xx/").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_two_workers_send_one_digest(cast):
    initiative = factories.make_initiative(cast)
    hold_deeds.hold(initiative=initiative, reason="Look.", by=cast.owner)
    mail.outbox.clear()
    gate = threading.Barrier(3)

    def work():
        try:
            gate.wait()
            daily_mail.deliver(kind=Delivery.DIGEST)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    told = [message.to[0] for message in mail.outbox]
    assert told
    assert len(told) == len(set(told))
