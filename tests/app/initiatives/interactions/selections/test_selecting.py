"""Interactions are selected by a text or at random, by the worker in slices, and let go on their day."""

import json
from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse

from governance import clock
from governance.interaction_log import keys, searching
from governance.interaction_log.shape import Kind, Message
from governance.models import Entry, Interaction, Notification
from governance.permission_result import Conflict, Refused
from governance.transparency_log import sealing, verification
from initiatives.interactions import actions as log_actions
from initiatives.interactions.selections import actions
from initiatives.models import InteractionSelection
from initiatives.models.interactions.selections import DONE, ENDED, FAILED, RUNNING, WAITING
from tests.app.governance.interaction_log.test_kept import keep, report
from tests.support import factories
from tests.support.initiatives.initiative_pages import text_of

pytestmark = pytest.mark.django_db

PHRASE = "maiden  NAME"  # as somebody types what stands in SECRET


def select(initiative, by, **changes) -> InteractionSelection:
    today = clock.today()
    fields = {
        "purpose": "Complaint of 4 May",
        "first": today - timedelta(days=7),
        "last": today,
        "phrase": PHRASE,
        "until": today + timedelta(days=30),
    }
    return actions.select(initiative=initiative, by=by, **(fields | changes))


def said(number, text, **fields):
    """A call in which this was said."""
    return report(number, input=(Message("user", text),), **fields)


def models(row) -> list[str]:
    return [one.model for one in actions.members(row)]


def facts(kind):
    return [entry.facts["facts"] for entry in Entry.objects.filter(kind=kind).order_by("pk")]


def test_a_text_is_found_whatever_its_initiative_and_spaces_and_stays_nowhere(initiative, cast):
    keep(
        report(1, model="m-1"),
        said(2, "My mother's MAIDEN\n name", model="m-2"),
        said(3, "How long is it good for?", model="m-3"),
        report(4, model="m-4", started=clock.now() - timedelta(days=9)),
        initiative=initiative.number,
    )
    other = factories.make_mvp(cast, title="Another")
    keep(report(1, model="m-5"), initiative=other.number)
    row = select(initiative, cast.owner)
    assert row.phrase_master
    assert bytes(row.phrase).find(b"maiden") == -1
    ready = actions.look(row.pk)
    assert (ready.state, ready.looked, ready.unreadable, ready.found) == (DONE, 3, 0, 2)
    assert models(ready) == ["m-2", "m-1"], "in order of time, of these days and this initiative alone"
    assert (ready.phrase, ready.phrase_master) == (None, "")
    (asked,), (made,) = facts("interactions selected"), facts("selection of interactions made")
    assert asked["by_text"] is True
    assert (made["looked"], made["found"], made["digest"]) == (3, 2, ready.digest)
    for entry in Entry.objects.filter(kind__contains="interactions"):
        assert "maiden" not in json.dumps(entry.facts).casefold()
    assert Notification.objects.filter(
        person=cast.owner, subject__contains="selection of interactions is ready"
    )
    sealing.seal()
    assert [finding.words for finding in verification.verify().findings] == []


def test_a_text_in_an_argument_of_a_tool_leads_to_the_call_and_an_erased_body_is_counted(initiative, cast):
    keep(
        said(1, "What next?", model="m-1"),
        report(2, subject="customer 9", conversation="c-9", model="m-2"),
        initiative=initiative.number,
    )
    events = report(1, kind=Kind.EVENTS, input=(Message("user", "maiden name"),), subject="", conversation="")
    keep(events, initiative=initiative.number)
    log_actions.erase_subject(
        initiative=initiative,
        subject="customer 9",
        everywhere=False,
        why="Asked for",
        duty="GDPR 17",
        by=cast.admin,
    )
    ready = actions.look(select(initiative, cast.owner).pk)
    assert models(ready) == ["m-1"]
    assert (ready.looked, ready.unreadable) == (3, 1)


def test_some_are_drawn_at_random_among_calls_that_say_both_sides(initiative, cast):
    keep(
        *(report(number, model="m-1", version="") for number in range(1, 9)),
        report(9, model="m-1", output=()),
        report(10, kind=Kind.TOOL, model="m-1"),
        report(11, model="m-2"),
        initiative=initiative.number,
    )
    row = select(initiative, cast.owner, phrase="", model="m-1", most=3)
    assert (row.by_text, row.phrase) == (False, None)
    ready = actions.look(row.pk)
    assert (ready.looked, ready.found, ready.state) == (8, 3, DONE)
    assert set(models(ready)) == {"m-1"}
    again = actions.look(select(initiative, cast.owner, phrase="", model="m-1", most=8).pk)
    assert again.found == 8
    assert again.digest != ready.digest


def test_the_worker_looks_in_slices_and_goes_on_behind_the_last_part(initiative, cast, monkeypatch):
    monkeypatch.setattr(searching, "PART", 2)
    keep(*(report(number) for number in range(1, 6)), initiative=initiative.number)
    row = select(initiative, cast.owner)
    seen = []
    for _ in range(10):
        row = actions.look(row.pk, seconds=0)
        seen.append((row.state, row.looked, row.found))
        if row.state == DONE:
            break
    assert seen[:3] == [(WAITING, 2, 2), (WAITING, 4, 4), (WAITING, 5, 5)]
    assert seen[-1] == (DONE, 5, 5)
    assert len(models(row)) == 5


def test_it_ends_once_it_has_as_many_as_were_wanted(initiative, cast, monkeypatch):
    monkeypatch.setattr(searching, "PART", 2)
    keep(*(report(number) for number in range(1, 6)), initiative=initiative.number)
    ready = actions.look(select(initiative, cast.owner, most=3).pk)
    assert (ready.state, ready.looked, ready.found, len(models(ready))) == (DONE, 4, 3, 3)


def test_nobody_looks_twice_at_once_and_a_worker_that_is_gone_is_followed(initiative, cast, monkeypatch):
    monkeypatch.setattr(searching, "PART", 2)
    keep(*(report(number) for number in range(1, 6)), initiative=initiative.number)
    row = actions.look(select(initiative, cast.owner).pk, seconds=0)
    InteractionSelection.objects.filter(pk=row.pk).update(state=RUNNING, claimed_at=clock.now())
    assert actions.look(row.pk) is None, "somebody looks"
    with time_machine.travel(clock.now() + actions.LOST + timedelta(seconds=1)):
        actions.tend()
    row.refresh_from_db()
    assert (row.state, row.looked, row.found) == (DONE, 5, 5)
    actions.tend()
    assert actions.look(row.pk) is None, "it is ready"


def test_what_is_broken_off_again_and_again_fails_in_words_and_keeps_no_phrase(initiative, cast):
    keep(report(1), initiative=initiative.number)
    row = select(initiative, cast.owner)
    InteractionSelection.objects.filter(pk=row.pk).update(
        state=RUNNING, claimed_at=clock.now() - actions.LOST, tries=actions.TRIES - 1
    )
    actions.tend()
    row.refresh_from_db()
    assert (row.state, row.phrase) == (FAILED, None)
    assert "stopped several times" in row.trouble
    assert Notification.objects.filter(person=cast.owner, subject__contains="selection failed")
    select(initiative, cast.owner)


def test_without_the_master_it_fails_and_says_so(initiative, cast, monkeypatch):
    keep(report(1), initiative=initiative.number)
    row = select(initiative, cast.owner)

    def gone(name):
        raise keys.NoMaster(name)

    monkeypatch.setattr(keys, "master", gone)
    failed = actions.look(row.pk)
    failed.refresh_from_db()
    assert (failed.state, failed.phrase, failed.phrase_master) == (FAILED, None, "")
    assert "master key" in failed.trouble


def test_the_database_keeps_no_phrase_behind_a_search(initiative, cast):
    row = select(initiative, cast.owner)
    for state in (DONE, FAILED, ENDED):
        with pytest.raises(IntegrityError), transaction.atomic():
            InteractionSelection.objects.filter(pk=row.pk).update(state=state)


def test_its_references_go_after_its_day_and_the_interactions_stay(initiative, cast):
    keep(report(1), initiative=initiative.number)
    row = actions.look(select(initiative, cast.owner).pk)
    until = clock.midnight_before(row.until)
    with time_machine.travel(until + timedelta(hours=12)):
        actions.tend()
        row.refresh_from_db()
        assert (row.state, row.selected.count()) == (DONE, 1)
    with time_machine.travel(until + timedelta(hours=36)):
        actions.tend()
        actions.tend()
    row.refresh_from_db()
    assert (row.state, row.selected.count()) == (ENDED, 0)
    assert Interaction.objects.count() == 1
    assert len(facts("selection of interactions closed")) == 1


def test_who_asked_ends_it_before_and_who_is_in_charge_and_nobody_else(initiative, cast):
    keep(report(1), initiative=initiative.number)
    row = actions.look(select(initiative, cast.auditor).pk)
    for person in (cast.seat_risk, cast.outsider):
        with pytest.raises(Refused):
            actions.close_selection(selection=row, by=person)
    actions.close_selection(selection=row, by=cast.owner)
    with pytest.raises(Conflict):
        actions.close_selection(selection=row, by=cast.auditor)
    assert row.selected.count() == 0
    waiting = select(initiative, cast.auditor)
    actions.close_selection(selection=waiting, by=cast.auditor)
    assert actions.look(waiting.pk) is None
    waiting.refresh_from_db()
    assert (waiting.state, waiting.phrase) == (ENDED, None)


def test_an_end_while_somebody_looks_stands(initiative, cast, monkeypatch):
    keep(report(1), initiative=initiative.number)
    row = select(initiative, cast.owner)
    parts = searching.parts

    def ended_meanwhile(*args, **options):
        for part in parts(*args, **options):
            yield part
            actions.close_selection(selection=row, by=cast.owner)

    monkeypatch.setattr(searching, "parts", ended_meanwhile)
    actions.look(row.pk)
    row.refresh_from_db()
    assert (row.state, row.phrase, row.selected.count()) == (ENDED, None, 0)
    assert facts("selection of interactions made") == []


def test_what_does_not_fit_is_said_by_field(initiative, cast):
    for changes, field in (
        ({"purpose": " "}, "purpose"),
        ({"purpose": "Who said Maiden name"}, "purpose"),
        ({"phrase": "zz "}, "phrase"),
        ({"most": 0}, "most"),
        ({"most": 1001}, "most"),
        ({"first": lambda: clock.today() + timedelta(days=1)}, "last"),
        ({"first": lambda: clock.today() - timedelta(days=367)}, "last"),
        ({"until": lambda: clock.today()}, "until"),
        ({"until": lambda: clock.today() + timedelta(days=367)}, "until"),
    ):
        with pytest.raises(ValidationError) as wrong:
            select(
                initiative,
                cast.owner,
                **{name: one() if callable(one) else one for name, one in changes.items()},
            )
        assert list(wrong.value.message_dict) == [field]
        assert not InteractionSelection.objects.exists()


def test_one_at_a_time_for_each_person(initiative, cast):
    select(initiative, cast.owner)
    with pytest.raises(Conflict):
        select(initiative, cast.owner)
    select(initiative, cast.auditor)


def test_who_may_not_read_the_log_selects_nothing_and_sees_no_selection(initiative, cast, as_):
    page = reverse("interaction-selections", args=[initiative.ref])
    for person in (cast.admin, cast.seat_risk):
        with pytest.raises(Refused):
            select(initiative, person)
        assert as_(person).get(page).status_code == 403
    row = actions.look(select(initiative, cast.owner).pk)
    assert as_(cast.seat_risk).get(row.get_absolute_url()).status_code == 403
    assert as_(cast.outsider).get(page).status_code == 404
    assert as_(cast.outsider).get(row.get_absolute_url()).status_code == 404


def test_the_pages_ask_for_one_show_it_and_end_it(initiative, cast, as_):
    keep(report(1), said(2, "Nothing of it"), initiative=initiative.number)
    client, today = as_(cast.owner), clock.today()
    page = reverse("interaction-selections", args=[initiative.ref])
    sent = {
        "purpose": "Complaint of 4 May",
        "first": f"{today:%Y-%m-%d}",
        "last": f"{today:%Y-%m-%d}",
        "phrase": PHRASE,
        "most": "200",
        "until": f"{today + timedelta(days=3):%Y-%m-%d}",
    }
    sent["first"] = f"{today - timedelta(days=1):%Y-%m-%d}"
    wrong = client.post(page, sent | {"phrase": "ab"})
    assert "Give at least 3 characters" in text_of(wrong)
    answer = client.post(page, sent)
    row = InteractionSelection.objects.get()
    assert answer.url == row.get_absolute_url()
    assert "Waiting" in text_of(client.get(page))
    actions.look(row.pk)
    shown = client.get(row.get_absolute_url())
    assert [one["row"].pk for one in shown.context["rows"]] == [
        Interaction.objects.order_by("-at").first().pk
    ]
    assert "maiden" not in text_of(shown).casefold(), "a list says nothing that was said"
    client.post(reverse("interaction-selection-close", args=[row.pk]))
    assert "Ended" in text_of(client.get(page))
