"""The page of effort, the form that takes a line in seconds, tables of issue trackers, and effort in Insights."""

import csv
import io
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from governance import clock
from governance.database.row_history import insert_many
from governance.tables.reader import read_table
from initiatives.models import Effort, SystemImportMapping
from initiatives.portfolio.efforts.effort_import import How, guess_layer, guessed, monday, read
from initiatives.portfolio.efforts.views import FATES
from tests.app.initiatives.portfolio.efforts.test_efforts import make_system, note
from tests.support import factories
from tests.support.initiatives.initiative_pages import acts, at, text_of

pytestmark = pytest.mark.django_db

JIRA = (
    "Issue Key,Issue Summary,Worklog Author,Work date,Time Spent (seconds),Components\n"
    "INT-1,Map the customer field,dana,2024-11-04,9000,CRM interface\n"
    "INT-1,Map the customer field,dana,2024-11-05,3600,CRM interface\n"
    "LEG-7,=HYPERLINK(1),sam,05/Nov/24 9:14 AM,1800,Privacy\n"
    "UI-3,Buttons,sam,2024-11-05,7200,Frontend\n"
    "UI-4,Nothing,sam,2024-11-05,0,Frontend\n"
    "UI-5,Later,sam,2099-01-01,60,Frontend\n"
)


def send(client, initiative, text: str, name="work.csv"):
    """A file of a tracker, as the page takes it."""
    content = text if isinstance(text, bytes) else text.encode()
    return client.post(at("effort-import", initiative.ref), {"file": SimpleUploadedFile(name, content)})


def enter(client, initiative, answer, **fixed):
    """Let the lines enter as the page offers it, fixed here and there."""
    mapping, form = answer.context["look"].mapping, answer.context["form"]
    fields = {bound.html_name: bound.value() or "" for bound in mapping if bound.name != "replace"}
    fields |= {f"author_{place}": "-" for place in range(len(mapping.authors))}  # nobody here
    fields |= {"kept": form["kept"].value(), "step": "enter"} | fixed
    return client.post(at("effort-import", initiative.ref), fields)


def states(answer) -> dict:
    """What would become of the lines, by how many."""
    tally = answer.context["look"].tally
    return {state: tally[words] for state, words in FATES.items() if words in tally}


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
        ({"integration": "1,250"}, "integration", "no more than 2 decimal places"),
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


# --- From an issue tracker -------------------------------------------------------------------------------------------


def test_a_trackers_table_is_guessed_shown_and_enters_once(cast, as_):
    initiative, client = factories.make_mvp(cast), as_(cast.lead)
    answer = send(client, initiative, JIRA)
    assert states(answer) == {"wrong": 2, "new": 4}
    assert not Effort.objects.exists(), "nothing enters before somebody says so"
    with acts() as kinds:
        assert enter(client, initiative, answer).status_code == 302
    assert kinds == ["efforts imported"]
    rows = list(initiative.efforts.order_by("pk"))
    assert [(row.layer, row.hours) for row in rows] == [
        ("integration", Decimal("2.5")),
        ("integration", Decimal(1)),
        ("policy", Decimal("0.5")),
        ("application", Decimal(2)),
    ]
    assert {row.week.isoformat() for row in rows} == {"2024-11-04"}
    assert not any("dana" in row.source_key or "dana" in row.words for row in rows)
    assert all(row.history.count() == 1 for row in rows)

    again = send(client, initiative, JIRA)
    assert states(again) == {"wrong": 2, "same": 4}
    with acts() as kinds:
        enter(client, initiative, again)
    assert kinds == []
    assert initiative.efforts.count() == 4


def test_what_differs_replaces_nothing_unless_it_is_asked_for(cast, as_):
    initiative, client = factories.make_mvp(cast), as_(cast.lead)
    enter(client, initiative, send(client, initiative, JIRA))
    changed = JIRA.replace("9000", "10800")
    answer = send(client, initiative, changed)
    assert states(answer) == {"wrong": 2, "differs": 1, "same": 3}
    enter(client, initiative, answer)
    assert sorted(initiative.efforts.values_list("hours", flat=True))[-1] == Decimal("2.5")
    enter(client, initiative, send(client, initiative, changed), replace="on")
    assert initiative.efforts.current().get(hours=3).source_key.endswith("#2")
    old = initiative.efforts.get(hours=Decimal("2.5"))
    assert old.withdrawn_reason == "Replaced by work.csv"
    assert states(send(client, initiative, changed)) == {"wrong": 2, "same": 4}
    assert states(send(client, initiative, JIRA)) == {"wrong": 2, "same": 3, "withdrawn": 1}


def test_two_pieces_of_work_on_one_day_are_two_lines_in_any_order(cast, as_):
    initiative, client = factories.make_mvp(cast), as_(cast.lead)
    head, *lines = (
        "Key,Author,Date,Hours\n",
        "A-1,dana,2024-11-04,1\n",
        "A-1,dana,2024-11-04,1\n",
        "A-1,dana,2024-11-04,2\n",
    )
    enter(client, initiative, send(client, initiative, head + "".join(lines)))
    assert initiative.efforts.count() == 3
    assert states(send(client, initiative, head + "".join(reversed(lines)))) == {"same": 3}
    more = head + "A-1,dana,2024-11-04,4\n" + "".join(lines)
    assert states(send(client, initiative, more)) == {"same": 3, "new": 1}


def test_the_mapping_is_remembered_for_the_same_headers(cast, as_):
    initiative, client = factories.make_mvp(cast), as_(cast.lead)
    text = "Ticket,Wann,Zeit,Etikett\nA-1,2024-11-04,90,Umzug\n"
    answer = send(client, initiative, text)
    fixed = {"column_key": "Ticket", "column_date": "Wann", "column_spent": "Zeit", "unit": "minutes"}
    looked = enter(client, initiative, answer, step="look", column_layer="Etikett", **fixed)
    assert looked.context["look"].mapping["word_0"].label == "“umzug” is"
    enter(client, initiative, looked, word_0="runtime")
    row = initiative.efforts.get()
    assert (row.layer, row.hours) == ("runtime", Decimal("1.5"))
    assert SystemImportMapping.objects.get().kind == "efforts"
    other = factories.make_initiative(cast, title="Another")
    shown = send(as_(cast.owner), other, text.replace("A-1", "B-2"))
    assert f"{cast.lead} chose this mapping for a table" in shown.context["look"].mapped
    assert [line.cells[3] for line in shown.context["look"].lines] == ["1.50"]
    assert states(shown) == {"new": 1}, "what entered one initiative is no line of another"


def test_a_mapping_that_cannot_be_is_said_at_its_field(cast, as_):
    initiative, client = factories.make_mvp(cast), as_(cast.lead)
    answer = send(client, initiative, JIRA)
    wrong = enter(client, initiative, answer, column_date="", column_words="Issue Key")
    errors = wrong.context["look"].mapping.errors
    assert {"column_date", "column_words", "column_key"} <= set(errors)
    assert not Effort.objects.exists()
    lost = client.post(at("effort-import", initiative.ref), {"kept": "forged", "step": "enter"})
    assert "kept for one hour" in text_of(lost)


def test_who_waits_is_found_by_name_and_money_by_its_currency(cast, as_):
    initiative, client = factories.make_mvp(cast), as_(cast.lead)
    system = make_system(cast)
    text = (
        "Key,Date,Days blocked,Blocked by,Cost,Currency\n"
        f"A-1,2024-11-04,2,{cast.steward.full_name},,\n"
        'A-2,2024-11-04,1.5,billing,"1,250.50",eur\n'
        "A-3,2024-11-04,1,the SSO team,12,\n"
        "A-4,2024-11-04,1,the SSO team,,\n"
    )
    enter(client, initiative, send(client, initiative, text))
    rows = list(initiative.efforts.order_by("pk"))
    assert [row.waits_for for row in rows] == [cast.steward, None, None]
    assert (rows[1].waits_for_system, rows[1].money, rows[1].currency) == (system, Decimal("1250.50"), "EUR")
    assert rows[2].waits_for_words == "the SSO team", "money without a currency stays out with its line"


@pytest.mark.parametrize(
    ("spent", "unit", "hours"),
    [
        ("1h 30m", "seconds", "1.5"),
        ("2d 4h", "hours", "20"),
        ("1w", "hours", "40"),
        ("1:30", "hours", "1.5"),
        ("2,5", "hours", "2.5"),
        ("2h30", "hours", "2.5"),
        ("90", "minutes", "1.5"),
        ("9,000", "seconds", "2.5"),
        ("9.000", "seconds", "2.5"),
        ("1.5h", "", "1.5"),
        ("90 min", "", "1.5"),
        ("1,5 Std.", "", "1.5"),
        ("0:45:30", "", "0.76"),
        ("2", "days", "16"),
        ("2", "", None),
        ("1.250", "hours", None),
        ("1,250", "minutes", None),
        ("1.250,5", "minutes", "20.84"),
        ("1e9", "hours", None),
        ("-3", "hours", None),
        ("NaN", "hours", None),
        ("99999999", "hours", None),
        ("9" * 5000, "seconds", None),
        ("=1+1", "hours", None),
    ],
)
def test_times_are_read_as_trackers_write_them_or_not_at_all(spent, unit, hours):
    table = read_table(f'date,spent,more\n2024-11-04,"{spent}",x\n'.encode())
    how = How({"date": "date", "spent": "spent"}, unit=unit)
    (line,) = read(table, how, clock.today())
    assert line.hours == (Decimal(hours) if hours else None)
    assert bool(line.problems) != bool(hours)


@pytest.mark.parametrize(
    ("cells", "money", "currency"),
    [
        (["1,200"], None, ""),
        (["1.200"], None, ""),
        (["1,200", "12.50"], "1200", "EUR"),
        (["1,200", "12,50"], "1.20", "EUR"),
        (["USD 1.2k"], "1200", "USD"),
        (["0.120m"], "120000", "EUR"),
        (["12 apples"], None, ""),
    ],
)
def test_money_that_can_be_two_amounts_is_asked_about_and_keeps_its_currency(cells, money, currency):
    rows = "".join(f'2024-11-04,1,"{cell}"\n' for cell in cells)
    table = read_table(f"Date,Hours,Cost\n{rows}".encode())
    how = replace(guessed(table), currency="EUR")
    line = read(table, how, clock.today())[0]
    assert (line.money, line.currency) == (Decimal(money) if money else None, currency)
    assert bool(line.problems) != bool(money)
    if cells == ["1,200"]:
        assert read(table, replace(how, decimals=","), clock.today())[0].money == Decimal("1.20")
        assert "two numbers" in line.problems[0]


@pytest.mark.parametrize(("spent", "hours"), [("7.250", "7.25"), ("1.500", None), ("1,500", None)])
def test_hours_with_three_decimals_are_read_where_nothing_else_can_be_meant(spent, hours):
    table = read_table(f'date,hours\n2024-11-04,"{spent}"\n'.encode())
    (line,) = read(table, guessed(table), clock.today())
    assert line.hours == (Decimal(hours) if hours else None)


def test_units_and_layers_are_guessed_from_headers_alone():
    head = "Key,Date,{},Labels\n"
    for name, value, unit in (
        ("Time Spent (seconds)", 3600, "seconds"),
        ("Minutes", 600, "minutes"),
        ("Logged Hours", 2, "hours"),
        ("Time spent (days)", 2, "days"),
        ("Time Spent", 7200, ""),
        ("Time Spent", 2, ""),
    ):
        table = read_table((head.format(name) + f'A,2024-11-04,{value},"sso, urgent"\n').encode())
        how = guessed(table)
        assert (how.unit, how.layers) == (unit, {"sso": "integration"})
    for word, layer in (("crm", "integration"), ("ui", "application"), ("build", ""), ("prompts", "model")):
        assert guess_layer(word) == layer


def test_hostile_and_broken_tables_enter_nothing_and_are_said(cast, as_):
    initiative, client = factories.make_mvp(cast), as_(cast.lead)
    for content, name in (
        (b"", "empty.csv"),
        (b"a,b\n", "bare.csv"),
        (b"%PDF-1.7", "x.csv"),
        (b"PK\x03\x04broken", "x.xlsx"),
        (b'{"a": 1}', "x.csv"),
        (b"x" * 100, "x.exe"),
    ):
        answer = send(client, initiative, content, name)
        assert answer.status_code == 200
        assert answer.context["form"].errors
        assert answer.context["look"] is None
    wide = "Key,Date,Hours,Summary\nA-1,2024-11-04,1," + "<script>" * 10_000 + "\n"
    answer = send(client, initiative, wide)
    assert "<script><script>" not in text_of(answer)
    assert len(answer.context["look"].lines[0].cells[-1]) <= 250


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
