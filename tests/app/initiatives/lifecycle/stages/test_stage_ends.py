"""Stages that end: trials continue or stop by the chair's word, production is accepted again by three."""

from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import transaction

from adoption.demo import initiative_acts
from governance import clock
from governance.notifications import inbox as notification_inbox
from governance.permission_result import Conflict, Refused
from governance.templatetags.plumbline import day
from initiatives.inbox.rows import person_rows
from initiatives.inbox.tasks import calendar as inbox_calendar
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.lifecycle.stages import inbox as stage_inbox
from initiatives.models import Continuation
from tests.support import factories
from tests.support.initiatives.initiative_pages import SIGNED, acts, at, text_of
from tests.support.reported_stages import make_reported

pytestmark = pytest.mark.django_db

AGE = {"prototype": 180, "mvp": 270}  # the default rulebook, max_days_before_review
GO_ON = "Stage time-box review"


def in_days(days: int):
    """Let it be so many days later."""
    return time_machine.travel(clock.now() + timedelta(days=days), tick=False)


def typed(initiative, days: int, **fields) -> dict:
    """What the chair sends: the end that was seen, and a new one so many days ahead."""
    return {
        "reason": "The second team starts in May.",
        "until": (clock.today() + timedelta(days=days)).isoformat(),
        "was": supported_stage.review_by(initiative).isoformat(),
        **SIGNED,
    } | fields


@pytest.mark.parametrize("stage", AGE)
def test_a_trial_ends_at_the_age_of_the_rulebook_and_the_chair_moves_it(cast, as_, stage):
    initiative = {"prototype": factories.make_prototype, "mvp": factories.make_mvp}[stage](cast)
    first = clock.today() + timedelta(days=AGE[stage])
    assert supported_stage.review_by(initiative) == first
    url = at("initiative-act", initiative.ref, "continue")
    assert as_(cast.chair).get(url).status_code == 403  # nothing is to be decided yet
    with in_days(AGE[stage] + 5):
        client = as_(cast.chair)
        assert "The planned end was" in text_of(as_(cast.owner).get(at("people", initiative.ref)))
        assert url in text_of(client.get("/"))
        assert initiative.ref in text_of(client.get("/initiatives/?report=ending-stages"))
        (due,) = (row for row in inbox_calendar.days(cast.chair) if row.link == url)
        assert (due.words, due.day) == (
            f"Stage time-box review: {initiative.ref} {initiative.title}",
            first,
        )
        page = text_of(client.get(url))
        assert f'href="{at("initiative-act", initiative.ref, "stop")}"' in page
        with acts() as kinds:
            assert client.post(url, typed(initiative, 90)).status_code == 302
        assert kinds == ["continued"]
        assert supported_stage.review_by(initiative) == clock.today() + timedelta(days=90)
        (row,) = client.get("/decisions/?what=continued").context["rows"]
        assert (row.ref, row.said) == (initiative.ref, "The second team starts in May.")
        assert row.about == f"until {day(supported_stage.review_by(initiative))}"
        assert "The planned end was" not in text_of(as_(cast.owner).get(at("people", initiative.ref)))
        assert url not in text_of(client.get("/"))
        with in_days(85):
            assert "continued it on" in text_of(as_(cast.chair).get(url))
        assert "instead of" in text_of(
            client.get(at("initiative-activity", initiative.ref, show="everything"))
        )
        assert initiative_acts.fresh(initiative).stage == stage


def test_a_chair_with_more_ends_than_a_inbox_holds_is_told_how_many_and_where(cast, monkeypatch):
    factories.make_prototype(cast)
    monkeypatch.setattr(person_rows.Look, "ending_in_all", 31)
    with in_days(AGE["prototype"]):
        line = next(line for line in notification_inbox.tasks_for(cast.chair) if "more" in line.text)
        assert (line.text, line.link) == ("30 more stages end", "/initiatives/?report=ending-stages")
        assert "30 more" not in " ".join(
            line.text for line in notification_inbox.tasks_for(cast.deputy_chair)
        )


def test_a_bad_word_is_not_taken_and_keeps_what_was_typed(cast, as_):
    initiative = factories.make_prototype(cast)
    for wrong, says in (
        ({"reason": ""}, "Not saved yet"),
        ({"until": "2020-01-01"}, "Choose an end date after today."),
        ({"until": "2099-01-01"}, "The limit is 180 days from today"),
        ({"until": "junk"}, "Give a day"),
    ):
        with in_days(170):
            with acts() as kinds:
                page = text_of(
                    as_(cast.chair).post(
                        at("initiative-act", initiative.ref, "continue"), typed(initiative, 30) | wrong
                    )
                )
            assert kinds == []
            assert says in page
            assert wrong.get("reason", "The second team starts in May.") in page


def test_two_words_on_one_end_are_one(cast):
    initiative = factories.make_prototype(cast)
    with in_days(175):
        was = supported_stage.review_by(initiative)
        word = {"reason": "A team more.", "until": clock.today() + timedelta(days=20), "was": was}
        stage_actions.continue_stage(initiative=initiative, by=cast.chair, **word)
        with pytest.raises(Conflict, match="already"):
            stage_actions.continue_stage(initiative=initiative, by=cast.chair, **word)
    assert Continuation.objects.count() == 1


def test_only_the_chair_says_it_and_of_stages_decided_here(cast, as_):
    initiative = factories.make_prototype(cast)
    with in_days(175):
        for person in (cast.owner, cast.seat_value, cast.admin, cast.deputy_chair):
            assert (
                as_(person)
                .post(at("initiative-act", initiative.ref, "continue"), typed(initiative, 30))
                .status_code
                == 403
            )
    reported = make_reported(cast, "mvp")
    with in_days(900):
        assert supported_stage.review_by(reported) is None
        assert "The planned end was" not in text_of(as_(cast.chair).get(at("people", reported.ref)))
        with pytest.raises(Refused, match="import"):
            stage_actions.continue_stage(
                initiative=reported,
                reason="x",
                until=clock.today() + timedelta(days=9),
                was=clock.today(),
                by=cast.chair,
            )


def test_age_alone_takes_no_support_and_the_next_stage_counts_anew(cast):
    initiative = factories.make_prototype(cast)
    with in_days(30):
        ended = supported_stage.review_by(initiative)
        initiative = initiative_acts.to_mvp(initiative_acts.fresh(initiative), cast.team)
        assert supported_stage.review_by(initiative) == clock.today() + timedelta(days=270) != ended
    with in_days(500):
        with pytest.raises(ValidationError):
            stage_actions.continue_stage(
                initiative=initiative,
                reason=" ",
                until=clock.today(),
                was=supported_stage.review_by(initiative),
                by=cast.chair,
            )
        spans = [span.held for span in initiative.spans.covering(clock.now())]
        assert spans == [False]


def test_permanent_pilots_are_those_nobody_decided_on(cast, as_):
    initiative = factories.make_mvp(cast)
    report = at("portfolio", report="permanent-pilots")
    with in_days(280):
        client = as_(cast.chair)
        assert initiative.ref in text_of(client.get(report))
        stage_actions.continue_stage(
            initiative=initiative,
            reason="A second team.",
            until=clock.today() + timedelta(days=30),
            was=supported_stage.review_by(initiative),
            by=cast.chair,
        )
        assert initiative.ref not in text_of(client.get(report))
    with in_days(280 + 31):
        assert initiative.ref in text_of(as_(cast.chair).get(report))


def test_owner_and_chair_are_told_before_and_after(cast):
    initiative = factories.make_mvp(cast)
    told, links = {}, {}
    for days in (239, 240, 256, 267, 270, 271, 285):
        with in_days(days):
            found = list(stage_inbox.reminders(clock.now()))
            told[days] = {due.person for due in found}
            links[days] = {due.person: due.link for due in found}
    assert told[239] == set()
    for days in (240, 256, 267, 270, 271):
        assert {cast.owner, cast.chair} <= told[days], days
        assert links[days][cast.chair] == at("initiative-act", initiative.ref, "continue")
        assert links[days][cast.owner] == at("initiative", initiative.ref), "the owner cannot continue it"
    assert cast.seat_value in told[285]  # after two weeks the board is told too
    with in_days(280):
        stage_actions.continue_stage(
            initiative=initiative,
            reason="A second team.",
            until=clock.today() + timedelta(days=200),
            was=supported_stage.review_by(initiative),
            by=cast.chair,
        )
        assert list(stage_inbox.reminders(clock.now())) == []


def test_production_to_be_accepted_again_waits_on_three_inboxes(cast, as_):
    initiative = factories.make_production(cast)
    pages = {
        cast.chair: at("initiative-act", initiative.ref, "confirm-production"),
        cast.owner: at("roles/accept-again", initiative.roles.in_force().get(role="owner").pk),
        cast.support: at("roles/accept-again", initiative.roles.in_force().get(role="support_owner").pk),
    }

    def asked(person) -> bool:
        return pages[person] in text_of(as_(person).get("/"))

    def has_to_confirm() -> list[bool]:
        return [
            task.waits for task in notification_inbox.all_tasks(cast.chair) if task.link == pages[cast.chair]
        ]

    def reminded() -> set:
        return {due.person for due in stage_inbox.reminders(clock.now())}

    trio = (cast.owner, cast.support, cast.chair)
    with in_days(330):
        assert [asked(person) for person in trio] == [False, False, False]
    with in_days(340):
        assert [asked(person) for person in trio] == [True, True, True]
        with transaction.atomic():
            role_actions.revoke_role(
                assignment=initiative.roles.in_force().get(role="support_owner"),
                reason="Left",
                by=cast.support,
            )
            role_actions.reaccept_role(
                assignment=initiative.roles.in_force().get(role="owner"), by=cast.owner
            )
            assert reminded() == {cast.chair}, "nobody is left to accept"
            transaction.set_rollback(True)
        assert reminded() == {cast.owner, cast.support}, "the chair is reminded once both have accepted"
        held = initiative.roles.in_force().get(role="owner")
        role_actions.reaccept_role(assignment=held, by=cast.owner)
        assert [asked(person) for person in trio] == [False, True, True]
        assert reminded() == {cast.support}
        assert has_to_confirm() == [False]
        role_actions.reaccept_role(
            assignment=initiative.roles.in_force().get(role="support_owner"), by=cast.support
        )
        assert reminded() == {cast.chair}
        assert has_to_confirm() == [True]
        stage_actions.reattest(initiative=initiative, reason="", by=cast.chair)
        assert [asked(person) for person in trio] == [False, False, False]
        assert reminded() == set()
        assert supported_stage.reattest_by(initiative_acts.fresh(initiative)) == clock.today() + timedelta(
            days=365
        )
