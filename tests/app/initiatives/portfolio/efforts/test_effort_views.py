"""The page of effort, the form that takes a line in seconds, and effort in Insights."""

import csv
import io
from datetime import timedelta
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from governance import clock
from governance.database.row_history import insert_many
from initiatives.models import Effort
from initiatives.portfolio.efforts.effort_cells import monday
from tests.app.initiatives.portfolio.efforts.test_efforts import make_system, note
from tests.support import factories
from tests.support.initiatives.initiative_pages import acts, at, text_of

pytestmark = pytest.mark.django_db


# --- The page of an initiative
# ----------------------------------------------------------------------------------------------


def test_a_line_is_typed_in_seconds_and_the_next_is_ready(cast, as_):
    initiative, client = factories.make_mvp(cast), as_(cast.lead)
    system, page = make_system(cast), at("integration-effort", initiative.ref)
    form = client.get(page).context["form"]
    assert form["week"].value() == monday(clock.today())
    typed = {"layer": "policy", "week": clock.today().isoformat(), "hours": "2,5", "words": "<b>Terms</b>"}
    answer = client.post(page, typed | {"waited_days": "3", "waits_for": "billing"}, follow=True)
    row = initiative.efforts.get()
    assert (row.hours, row.waits_for_system, row.waits_for_words) == (Decimal("2.5"), system, "")
    assert answer.context["form"]["layer"].value() == "policy", "the last layer stands there already"
    assert not answer.context["form"]["hours"].value()
    text = text_of(answer)
    assert "&lt;b&gt;Terms&lt;/b&gt;" in text
    assert "3 days waited for Billing" in text
    assert "Last visible result" in text


def test_a_week_is_noted_layer_by_layer_at_once_and_the_next_begins_where_it_was(cast, as_):
    initiative, client = factories.make_mvp(cast), as_(cast.lead)
    page, last = at("integration-effort", initiative.ref), monday(clock.today()) - timedelta(weeks=1)
    assert f"?week={last}#note" in text_of(client.get(page)), "last week is one press away"
    shown = client.get(f"{page}?week={last + timedelta(days=3)}").context["week_form"]
    assert shown["week"].value() == last
    typed = {
        "whole_week": "1",
        "week": last.isoformat(),
        "once": str(shown["once"].value()),
        "words": "Terms",
    }
    hours = {"integration": "12,5", "policy": "2h30", "runtime": "1:30"}
    with acts() as kinds:
        answer = client.post(page, typed | hours)
        assert client.post(page, typed | hours).status_code == 302, "sent twice, noted once"
    assert kinds == ["effort noted"] * 3
    assert {row.layer: row.hours for row in initiative.efforts.filter(week=last, words="Terms")} == {
        "integration": Decimal("12.5"),
        "policy": Decimal("2.5"),
        "runtime": Decimal("1.5"),
    }
    address, _, field = answer.url.partition("#")
    assert address == f"{page}?week={last}"
    text = text_of(answer := client.get(address))
    assert f'id="{field}"' in text, "the first field is jumped to, and so has the focus"
    assert answer.context["form"]["week"].value() == last
    for said in ("Runtime: 1.5 h", "16.5 hours", "integration, policy, runtime"):
        assert said in text
    assert client.get(page, {"week": "never"}).context["form"]["week"].value() == monday(clock.today())


@pytest.mark.parametrize(
    ("typed", "field", "words"),
    [
        ({"integration": "much"}, "integration", "Enter hours as 2.5, 2,5, 2:30 or 2h30."),
        ({"integration": "1", "policy": "5000"}, "policy", "The hours are too many for one week"),
        ({"integration": "1,250"}, "integration", "can mean"),
        ({"integration": "-1"}, "integration", "Enter a number of 0 or more."),
        ({}, "__all__", "Enter hours for at least one layer."),
    ],
)
def test_a_week_with_something_wrong_is_noted_nowhere(cast, as_, typed, field, words):
    initiative = factories.make_mvp(cast)
    week = {"whole_week": "1", "week": clock.today().isoformat()}
    with acts() as kinds:
        answer = as_(cast.lead).post(at("integration-effort", initiative.ref), week | typed)
    assert words in answer.context["week_form"].errors[field][0]
    assert kinds == []


def test_what_is_wrong_keeps_what_was_typed_and_strangers_note_nothing(cast, as_):
    initiative = factories.make_mvp(cast)
    page = at("integration-effort", initiative.ref)
    typed = {"layer": "policy", "week": clock.today().isoformat(), "hours": "many", "words": "A long account"}
    with acts() as kinds:
        answer = as_(cast.owner).post(page, typed)
        assert answer.status_code == 200
        assert as_(cast.outsider).post(page, typed).status_code == 404
    assert "A long account" in text_of(answer)
    assert kinds == []
    assert as_(cast.chair).post(page, typed | {"hours": "1"}).status_code == 403
    assert as_(cast.chair).get(page).context["form"] is None


def test_a_line_is_taken_back_with_a_reason(cast, as_):
    initiative = factories.make_mvp(cast)
    row = note(initiative, cast.lead)
    page = at("row-act", "efforts", row.pk, "withdraw")
    assert as_(cast.steward).get(page).status_code == 403
    assert as_(cast.lead).post(page, {"reason": ""}).status_code == 200
    assert as_(cast.lead).post(page, {"reason": "Another initiative."}).status_code == 302
    text = text_of(as_(cast.lead).get(at("integration-effort", initiative.ref)))
    assert "Withdrawn by" in text
    assert "<del>2 h" in text


def test_the_initiative_says_that_its_demo_is_older_than_the_integration_work(cast, as_):
    initiative, client = factories.make_mvp(cast), as_(cast.owner)
    words = "does not include the newest integration work"
    assert words not in text_of(client.get(initiative.get_absolute_url()))
    with clock.simulated(clock.now() + timedelta(days=20)):
        client = as_(cast.owner)
        note(initiative, cast.lead)
        pages = [at(name, initiative.ref) for name in ("initiative", "integration", "integration-effort")]
        for page in pages:
            assert words in text_of(client.get(page))
        assert words not in text_of(client.get(at("notes", initiative.ref)))


# --- Insights -------------------------------------------------------------------------------------------------------


def test_every_figure_leads_to_the_lines_behind_it(cast, as_):
    initiative, client = factories.make_mvp(cast), as_(cast.owner)
    system = make_system(cast)
    note(initiative, cast.lead, hours=Decimal(320), waited_days=Decimal(6), waits_for_system=system)
    note(initiative, cast.lead, layer="policy", hours=None, money=Decimal(900), currency="EUR")
    note(initiative, cast.lead, layer="policy", hours=None, money=Decimal(7), currency="USD")
    note(initiative, cast.lead, hours=None, waited_days=Decimal(2))
    page, waiting = client.get(at("insights-money")), client.get(at("insights-people"))
    text = text_of(page) + text_of(waiting)
    for words in ("2.0 months", "EUR 900", "USD 7", "Billing", "no reason named"):
        assert words in text
    context, waits = page.context, waiting.context
    links = [link for _, link, _ in context["layers"]] + [link for *_, link in context["money"]]
    links += [link for _, link in (*waits["waits"], *waits["systems"])] + [context["all_lines"]]
    counted = {link: client.get(link).context["page"].paginator.count for link in links}
    (integration,) = (link for row, link, _ in context["layers"] if row.layer == "integration")
    assert counted[integration] == 2
    assert counted[context["all_lines"]] == 4
    assert [counted[link] for *_, link in context["money"]] == [1, 1]
    assert [counted[link] for _, link in waits["waits"]] == [1, 1]
    assert [counted[link] for _, link in waits["systems"]] == [1]


def test_filters_stay_in_the_links_and_junk_is_said(cast, as_):
    initiative, client = factories.make_mvp(cast), as_(cast.owner)
    note(initiative, cast.lead)
    day = clock.today().isoformat()
    page = client.get(at("insights-money", unit=cast.unit.pk, since=day))
    (link, *_) = (link for row, link, _ in page.context["layers"] if row.rows)
    asked = parse_qs(urlsplit(link).query)
    assert asked == {"unit": [str(cast.unit.pk)], "since": [day], "layer": ["integration"]}
    for junk in ({"unit": "x"}, {"since": "never"}, {"since": "2026-05-05", "until": "2026-01-01"}):
        answer = client.get(at("insights-money", **junk))
        assert "not understood and is ignored" in text_of(answer)
    for junk in (
        {"initiative": "x"},
        {"person": "x"},
        {"layer": "cellar"},
        {"person": 2**70},
        {"initiative": "AI-" + "9" * 30},
    ):
        assert client.get(at("efforts", **junk)).status_code == 200


def test_the_file_runs_nothing_and_holds_what_the_reader_may_see(cast, as_):
    initiative = factories.make_mvp(cast)
    note(initiative, cast.lead, words="=HYPERLINK(1)", waited_days=Decimal(1), waits_for_words="@team")
    answer = as_(cast.owner).get(at("efforts", layer="integration", format="csv"))
    rows = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    assert rows[1][0] == initiative.ref
    assert rows[1][9:11] == ["'@team", "'=HYPERLINK(1)"]
    other = as_(cast.outsider).get(at("efforts", format="csv"))
    assert len(b"".join(other.streaming_content).decode().splitlines()) == 1


def test_ten_times_the_lines_cost_no_query_more(cast, as_):
    initiative, client = factories.make_mvp(cast), as_(cast.owner)
    note(initiative, cast.lead, waited_days=Decimal(1), waits_for=cast.lead)
    pages = [
        at("insights-money"),
        at("insights-people"),
        at("efforts"),
        at("integration-effort", initiative.ref),
    ]

    def asked(page):
        client.get(page)
        with CaptureQueriesContext(connection) as queries:
            client.get(page)
        return len(queries)

    before = {page: asked(page) for page in pages}
    from governance.database.row_history import acting

    with acting(by=cast.lead):
        insert_many(
            Effort,
            [
                Effort(
                    initiative=initiative,
                    layer="policy",
                    week=monday(clock.today()) - timedelta(weeks=number),
                    hours=number + 1,
                    waited_days=1,
                    waits_for_words=f"team {number}",
                    by=cast.lead,
                    at=clock.now(),
                )
                for number in range(30)
            ],
        )
    assert {page: asked(page) for page in pages if asked(page) > before[page]} == {}
