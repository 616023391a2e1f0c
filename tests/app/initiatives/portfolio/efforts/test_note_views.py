"""Notes on an initiative: events and observations that move nothing, money with the stage it was given at, former
names.
"""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
import time_machine
from django.core.exceptions import ValidationError

from adoption.demo import initiative_acts
from governance import clock
from governance.permission_result import Conflict, Refused
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.models import (
    FundingDecision,
    Initiative,
    PastSupportedStage,
    StageChange,
    SupportedStagePeriod,
)
from initiatives.portfolio.efforts import notes
from tests.support import factories
from tests.support.initiatives.initiative_pages import acts, at, text_of
from tests.support.reported_stages import make_reported

pytestmark = pytest.mark.django_db


def moved(initiative) -> tuple:
    """Everything that a note must not touch: the stage, its changes, the supported stage and what was kept of it."""
    row = initiative_acts.fresh(initiative)
    return (
        row.stage,
        row.basis,
        row.since,
        list(StageChange.objects.filter(initiative=initiative).values()),
        list(SupportedStagePeriod.objects.filter(initiative=initiative).values()),
        PastSupportedStage.objects.filter(initiative=initiative).count(),
        row.evidence.count(),
    )


def test_announcement_demo_choice_of_model_and_budget_move_nothing(cast, as_):
    initiative = factories.make_prototype(cast)
    before, client = moved(initiative), as_(cast.owner)
    with acts() as kinds:
        for kind in ("announcement", "demo", "model_choice", "budget_talk"):
            client.post(
                at("initiative-act", initiative.ref, "record-event"),
                {"kind": kind, "happened_on": clock.today().isoformat(), "words": f"The {kind}."},
            )
    assert kinds == ["event recorded"] * 4
    assert moved(initiative) == before
    page = text_of(client.get(at("notes", initiative.ref)))
    for words in ("Announcement", "Demo", "Choice of model", "Budget talk", "The demo."):
        assert words in page
    assert "recorded an event of" in text_of(client.get(at("initiative-activity", initiative.ref)))


def test_an_observation_has_its_day_and_layer_and_who_is_on_the_initiative_writes_it(cast, as_):
    initiative = factories.make_mvp(cast)
    before = moved(initiative)
    typed = {
        "layer": "application",
        "observed_on": (clock.today() - timedelta(days=3)).isoformat(),
        "words": "Two teams paste the text into their old macro. <b>Daily</b>",
    }
    for person in (cast.lead, cast.seat_adoption, cast.chair):
        assert as_(person).post(at("initiative-act", initiative.ref, "add-note"), typed).status_code == 302
    assert as_(cast.auditor).post(at("initiative-act", initiative.ref, "add-note"), typed).status_code == 403
    assert as_(cast.outsider).post(at("initiative-act", initiative.ref, "add-note"), typed).status_code == 404
    assert initiative.observations.count() == 3
    page = text_of(as_(cast.seat_risk).get(at("notes", initiative.ref)))
    assert "old macro. &lt;b&gt;Daily&lt;/b&gt;" in page
    assert "Ravi Menon" in page
    assert moved(initiative) == before


@pytest.mark.parametrize(
    ("page", "wrong"),
    [
        ("record-event", {"kind": "promotion"}),
        ("record-event", {"happened_on": "2099-01-01"}),
        ("record-event", {"happened_on": "junk"}),
        ("add-note", {"layer": "cellar"}),
        ("add-note", {"observed_on": ""}),
        ("record-funding", {"decided_on": "2099-01-01"}),
        ("record-funding", {"amount": "-5", "currency": "EUR"}),
        ("record-funding", {"amount": "5", "currency": ""}),
        ("record-funding", {"amount": "", "currency": "EUR"}),
        ("record-funding", {"amount": "5", "currency": "E1R"}),
        ("record-funding", {"once": "not a key"}),
    ],
)
def test_bad_notes_keep_what_was_typed_and_write_nothing(cast, as_, page, wrong):
    initiative = factories.make_initiative(cast)
    typed = {
        "record-event": {"kind": "demo", "happened_on": clock.today().isoformat(), "words": "A long account"},
        "add-note": {
            "layer": "model",
            "observed_on": clock.today().isoformat(),
            "words": "A long account",
        },
        "record-funding": {
            "decided_by": "Steering",
            "decided_on": clock.today().isoformat(),
            "basis": "A long account",
        },
    }[page]
    with acts() as kinds:
        answer = as_(cast.owner).post(at("initiative-act", initiative.ref, page), typed | wrong)
    assert answer.status_code == 200
    assert kinds == []
    assert "A long account" in text_of(answer)


def test_a_form_that_is_sent_twice_is_one_note(cast, as_):
    initiative = factories.make_initiative(cast)
    client, url = as_(cast.owner), at("initiative-act", initiative.ref, "record-event")
    assert 'name="once"' in text_of(client.get(url))
    typed = {
        "kind": "demo",
        "happened_on": clock.today().isoformat(),
        "words": "Shown.",
        "once": str(uuid4()),
    }
    with acts() as kinds:
        for _ in range(2):
            assert client.post(url, typed).status_code == 302
    assert kinds == ["event recorded"]
    assert initiative.events.count() == 1


def test_a_note_is_taken_back_by_who_wrote_it_and_stays(cast, as_):
    initiative = factories.make_mvp(cast)
    row = notes.observe(
        initiative=initiative, layer="model", observed_on=clock.today(), words="It is slow.", by=cast.lead
    )
    url = at("row-act", "observations", row.pk, "withdraw")
    assert as_(cast.owner).post(url, {"reason": "I disagree."}).status_code == 403
    assert as_(cast.outsider).get(url).status_code == 404
    with acts() as kinds:
        assert "Not saved yet" in text_of(as_(cast.lead).post(url, {"reason": ""}))
        assert as_(cast.lead).post(url, {"reason": "It was my network."}).status_code == 302
    assert kinds == ["note withdrawn"]
    page = text_of(as_(cast.seat_risk).get(at("notes", initiative.ref)))
    assert "<del>It is slow.</del>" in page
    assert "It was my network." in page
    with pytest.raises(Conflict):
        notes.withdraw(note=row, reason="Again.", by=cast.chair)


# Money


def fund(initiative, by, **fields) -> FundingDecision:
    words = {"decided_on": clock.today(), "decided_by": "Steering committee", "basis": "The demo of the day"}
    return notes.record_funding(initiative=initiative, by=by, **(words | fields))


def test_money_keeps_the_stage_it_was_given_at(cast, as_):
    initiative = factories.make_mvp(cast)
    upright = fund(initiative, cast.owner, amount=Decimal("120000"), currency="eur")
    assert (upright.approved_stage, upright.supported, upright.label) == ("mvp", "mvp", "")
    requirement_actions.answer(
        initiative=initiative, requirement="mvp.success", kind="no", text="None.", by=cast.owner
    )
    short = fund(initiative, cast.chair)
    assert (short.approved_stage, short.supported, short.label) == (
        "mvp",
        "prototype",
        "MVP: not supported by current evidence",
    )
    # What follows changes neither.
    stage_actions.stop(
        initiative=initiative, reason_code="no_value", reason="No value showed.", by=cast.owner
    )
    kept = list(FundingDecision.objects.order_by("pk").values_list("approved_stage", "supported", "label"))
    assert kept == [("mvp", "mvp", ""), ("mvp", "prototype", "MVP: not supported by current evidence")]
    page = text_of(as_(cast.seat_value).get(at("notes", initiative.ref)))
    assert "State at that time: approved MVP, supported Prototype." in page
    assert "EUR 120,000" in page
    listed = text_of(as_(cast.seat_value).get(at("portfolio", report="funded-above-support")))
    assert initiative.ref in listed
    assert "Only the owner" in text_of(
        as_(cast.lead).get(at("initiative-act", initiative.ref, "record-funding"))
    )


def test_money_given_earlier_is_told_what_was_said_on_that_day(cast):
    first = clock.today()
    initiative = factories.make_initiative(cast)
    with time_machine.travel(clock.now() + timedelta(days=10), tick=False):
        initiative_acts.to_prototype(initiative, cast.team)
    with time_machine.travel(clock.now() + timedelta(days=220), tick=False):
        initiative = initiative_acts.fresh(initiative)
        found = {
            name: fund(initiative, cast.owner, decided_on=first + timedelta(days=days))
            for name, days in {"before it was here": -5, "an idea": 3, "decided": 10, "aged": 210}.items()
        }
    assert {name: (row.approved_stage, row.supported) for name, row in found.items()} == {
        "before it was here": ("", ""),
        "an idea": ("proposed", "proposed"),
        "decided": ("prototype", "prototype"),
        "aged": ("prototype", "proposed"),  # its answers had aged out by then, although nothing happened
    }


def test_only_a_note_that_stands_counts_in_the_report(cast, as_):
    initiative = make_reported(cast, "production")
    row = fund(initiative, cast.chair)
    client = as_(cast.chair)
    assert initiative.ref in text_of(client.get(at("portfolio", report="funded-above-support")))
    notes.withdraw(note=row, reason="It was another initiative.", by=cast.chair)
    assert initiative.ref not in text_of(client.get(at("portfolio", report="funded-above-support")))


def test_a_withdrawn_idea_is_left_alone(cast):
    initiative = factories.make_initiative(cast)
    detail_actions.withdraw(initiative=initiative, reason="Twice.", by=cast.owner)
    for act in (
        lambda: fund(initiative, cast.owner),
        lambda: notes.observe(
            initiative=initiative, layer="model", observed_on=clock.today(), words="x", by=cast.owner
        ),
    ):
        with pytest.raises(Refused):
            act()


# Names


def test_a_initiative_is_renamed_with_a_reason_and_found_under_both_names(cast, as_):
    initiative = factories.make_initiative(cast, title="Ticket triage")
    client, url = as_(cast.owner), at("initiative-act", initiative.ref, "edit")
    with acts() as kinds:
        typed = {"title": "Inbox sorter", "problem": initiative.problem}
        assert "Not saved yet" in text_of(client.post(url, typed | {"reason": ""}))
        assert client.post(url, typed | {"reason": "People say so."}).status_code == 302
    assert kinds == ["renamed"]
    assert Initiative.objects.get(pk=initiative.pk).ref == initiative.ref
    page = text_of(client.get(at("initiative", initiative.ref)))
    assert "Inbox sorter" in page
    assert "Formerly Ticket triage." in page
    for words in ("triage", "sorter", initiative.ref):
        assert initiative.ref in text_of(client.get(at("portfolio", q=words))).split("<tbody>")[-1], words
    assert as_(cast.lead).post(url, {"title": "x", "problem": "z", "reason": "y"}).status_code == 403


def test_old_names_open_no_initiative_to_strangers(cast, as_):
    initiative = factories.make_initiative(cast, title="Ticket triage")
    detail_actions.rename(initiative=initiative, title="Inbox sorter", reason="Clearer.", by=cast.owner)
    page = text_of(as_(cast.outsider).get(at("portfolio", q="triage")))
    assert initiative.ref not in page
    with pytest.raises(ValidationError):
        detail_actions.rename(initiative=initiative, title=" ", reason="Clearer.", by=cast.owner)
