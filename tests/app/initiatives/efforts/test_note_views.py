"""Notes on a case: events and observations that move nothing, money with the stage it was given at, former names."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
import time_machine
from django.core.exceptions import ValidationError

from adoption.demo import case_acts
from governance import clock
from governance.permission_result import Conflict, Refused
from initiatives.checklist import actions as checklist_actions
from initiatives.efforts import notes
from initiatives.models import FundingDecision, Initiative, PastStanding, Span, StageChange
from initiatives.registration import actions as registration_actions
from initiatives.stages import actions as stage_actions
from tests.support import factories
from tests.support.cases.case_pages import acts, at, text_of
from tests.support.claims import make_claim

pytestmark = pytest.mark.django_db


def moved(case) -> tuple:
    """Everything that a note must not touch: the stage, its changes, the standing and what was kept of it."""
    row = case_acts.fresh(case)
    return (
        row.stage,
        row.basis,
        row.since,
        list(StageChange.objects.filter(initiative=case).values()),
        list(Span.objects.filter(initiative=case).values()),
        PastStanding.objects.filter(initiative=case).count(),
        row.evidence.count(),
    )


def test_announcement_demo_choice_of_model_and_budget_move_nothing(cast, as_):
    case = factories.make_prototype(cast)
    before, client = moved(case), as_(cast.owner)
    with acts() as kinds:
        for kind in ("announcement", "demo", "model_choice", "budget_talk"):
            client.post(
                at("event-add", case.ref),
                {"kind": kind, "happened_on": clock.today().isoformat(), "words": f"The {kind}."},
            )
    assert kinds == ["event recorded"] * 4
    assert moved(case) == before
    page = text_of(client.get(at("notes", case.ref)))
    for words in ("Announcement", "Demo", "Choice of model", "Budget talk", "The demo."):
        assert words in page
    assert "recorded an event of" in text_of(client.get(at("case-history", case.ref)))


def test_an_observation_has_its_day_and_layer_and_who_is_on_the_case_writes_it(cast, as_):
    case = factories.make_mvp(cast)
    before = moved(case)
    typed = {
        "layer": "application",
        "observed_on": (clock.today() - timedelta(days=3)).isoformat(),
        "words": "Two teams paste the text into their old macro. <b>Daily</b>",
    }
    for person in (cast.lead, cast.seat_adoption, cast.chair):
        assert as_(person).post(at("observation-add", case.ref), typed).status_code == 302
    assert as_(cast.auditor).post(at("observation-add", case.ref), typed).status_code == 403
    assert as_(cast.outsider).post(at("observation-add", case.ref), typed).status_code == 404
    assert case.observations.count() == 3
    page = text_of(as_(cast.seat_risk).get(at("notes", case.ref)))
    assert "old macro. &lt;b&gt;Daily&lt;/b&gt;" in page
    assert "Ravi Menon" in page
    assert moved(case) == before


@pytest.mark.parametrize(
    ("page", "wrong"),
    [
        ("event-add", {"kind": "promotion"}),
        ("event-add", {"happened_on": "2099-01-01"}),
        ("event-add", {"happened_on": "junk"}),
        ("observation-add", {"layer": "cellar"}),
        ("observation-add", {"observed_on": ""}),
        ("funding-add", {"decided_on": "2099-01-01"}),
        ("funding-add", {"amount": "-5", "currency": "EUR"}),
        ("funding-add", {"amount": "5", "currency": ""}),
        ("funding-add", {"amount": "", "currency": "EUR"}),
        ("funding-add", {"amount": "5", "currency": "E1R"}),
        ("funding-add", {"once": "not a key"}),
    ],
)
def test_bad_notes_keep_what_was_typed_and_write_nothing(cast, as_, page, wrong):
    case = factories.make_case(cast)
    typed = {
        "event-add": {"kind": "demo", "happened_on": clock.today().isoformat(), "words": "A long account"},
        "observation-add": {
            "layer": "model",
            "observed_on": clock.today().isoformat(),
            "words": "A long account",
        },
        "funding-add": {
            "decided_by": "Steering",
            "decided_on": clock.today().isoformat(),
            "basis": "A long account",
        },
    }[page]
    with acts() as kinds:
        answer = as_(cast.owner).post(at(page, case.ref), typed | wrong)
    assert answer.status_code == 200
    assert kinds == []
    assert "A long account" in text_of(answer)


def test_a_form_that_is_sent_twice_is_one_note(cast, as_):
    case = factories.make_case(cast)
    client, url = as_(cast.owner), at("event-add", case.ref)
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
    assert case.events.count() == 1


def test_a_note_is_taken_back_by_who_wrote_it_and_stays(cast, as_):
    case = factories.make_mvp(cast)
    row = notes.observe(
        case=case, layer="model", observed_on=clock.today(), words="It is slow.", by=cast.lead
    )
    url = at("observation-take-back", row.pk)
    assert as_(cast.owner).post(url, {"reason": "I disagree."}).status_code == 403
    assert as_(cast.outsider).get(url).status_code == 404
    with acts() as kinds:
        assert "Not saved yet" in text_of(as_(cast.lead).post(url, {"reason": ""}))
        assert as_(cast.lead).post(url, {"reason": "It was my network."}).status_code == 302
    assert kinds == ["note taken back"]
    page = text_of(as_(cast.seat_risk).get(at("notes", case.ref)))
    assert "<del>It is slow.</del>" in page
    assert "It was my network." in page
    with pytest.raises(Conflict):
        notes.take_back(note=row, reason="Again.", by=cast.chair)


# Money


def fund(case, by, **fields) -> FundingDecision:
    words = {"decided_on": clock.today(), "decided_by": "Steering committee", "basis": "The demo of the day"}
    return notes.record_funding(case=case, by=by, **(words | fields))


def test_money_keeps_the_stage_it_was_given_at(cast, as_):
    case = factories.make_mvp(cast)
    upright = fund(case, cast.owner, amount=Decimal("120000"), currency="eur")
    assert (upright.claimed, upright.supported, upright.label) == ("mvp", "mvp", "")
    checklist_actions.answer(case=case, requirement="mvp.success", kind="no", text="None.", by=cast.owner)
    short = fund(case, cast.chair)
    assert (short.claimed, short.supported, short.label) == ("mvp", "prototype", "Larger prototype")
    # What follows changes neither.
    stage_actions.stop(case=case, reason_code="no_value", reason="No value showed.", by=cast.owner)
    kept = list(FundingDecision.objects.order_by("pk").values_list("claimed", "supported", "label"))
    assert kept == [("mvp", "mvp", ""), ("mvp", "prototype", "Larger prototype")]
    page = text_of(as_(cast.seat_value).get(at("notes", case.ref)))
    assert "Given at: claims MVP, supported Prototype." in page
    assert "EUR 120,000" in page
    listed = text_of(as_(cast.seat_value).get(at("portfolio", report="funded-above-support")))
    assert case.ref in listed
    assert "Only the owner" in text_of(as_(cast.lead).get(at("funding-add", case.ref)))


def test_money_given_earlier_is_told_what_was_said_on_that_day(cast):
    first = clock.today()
    case = factories.make_case(cast)
    with time_machine.travel(clock.now() + timedelta(days=10), tick=False):
        case_acts.to_prototype(case, cast.team)
    with time_machine.travel(clock.now() + timedelta(days=220), tick=False):
        case = case_acts.fresh(case)
        found = {
            name: fund(case, cast.owner, decided_on=first + timedelta(days=days))
            for name, days in {"before it was here": -5, "an idea": 3, "decided": 10, "aged": 210}.items()
        }
    assert {name: (row.claimed, row.supported) for name, row in found.items()} == {
        "before it was here": ("", ""),
        "an idea": ("proposed", "proposed"),
        "decided": ("prototype", "prototype"),
        "aged": ("prototype", "proposed"),  # its answers had aged out by then, although nothing happened
    }


def test_only_a_note_that_stands_counts_in_the_report(cast, as_):
    case = make_claim(cast, "production")
    row = fund(case, cast.chair)
    client = as_(cast.chair)
    assert case.ref in text_of(client.get(at("portfolio", report="funded-above-support")))
    notes.take_back(note=row, reason="It was another case.", by=cast.chair)
    assert case.ref not in text_of(client.get(at("portfolio", report="funded-above-support")))


def test_a_withdrawn_idea_is_left_alone(cast):
    case = factories.make_case(cast)
    registration_actions.withdraw(case=case, reason="Twice.", by=cast.owner)
    for act in (
        lambda: fund(case, cast.owner),
        lambda: notes.observe(case=case, layer="model", observed_on=clock.today(), words="x", by=cast.owner),
    ):
        with pytest.raises(Refused):
            act()


# Names


def test_a_case_is_renamed_with_a_reason_and_found_under_both_names(cast, as_):
    case = factories.make_case(cast, title="Ticket triage")
    client, url = as_(cast.owner), at("case-rename", case.ref)
    with acts() as kinds:
        assert "Not saved yet" in text_of(client.post(url, {"title": "Inbox sorter", "reason": ""}))
        same = text_of(client.post(url, {"title": "Ticket triage", "reason": "Clearer."}))
        assert "That is its name already." in same
        assert client.post(url, {"title": "Inbox sorter", "reason": "People say so."}).status_code == 302
    assert kinds == ["renamed"]
    assert Initiative.objects.get(pk=case.pk).ref == case.ref
    page = text_of(client.get(at("case", case.ref)))
    assert "Inbox sorter" in page
    assert "Formerly Ticket triage." in page
    for words in ("triage", "sorter", case.ref):
        assert case.ref in text_of(client.get(at("portfolio", q=words))).split("<tbody>")[-1], words
    assert as_(cast.lead).post(url, {"title": "x", "reason": "y"}).status_code == 403


def test_old_names_open_no_case_to_strangers(cast, as_):
    case = factories.make_case(cast, title="Ticket triage")
    registration_actions.rename(case=case, title="Inbox sorter", reason="Clearer.", by=cast.owner)
    page = text_of(as_(cast.outsider).get(at("portfolio", q="triage")))
    assert case.ref not in page
    with pytest.raises(ValidationError):
        registration_actions.rename(case=case, title=" ", reason="Clearer.", by=cast.owner)
