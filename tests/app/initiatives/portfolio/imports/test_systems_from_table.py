"""Systems from a table, as a CMDB or a catalogue exports it: class, owner, status, last change and key (S1-24)."""

import json
from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile

from governance.models import Entry, User
from governance.organisation.table_lines import KNOWN, NEW, OUT, WRONG
from governance.permission_result import Refused
from governance.tables.columns import named
from governance.tables.reader import read_table
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.models import System
from initiatives.portfolio.imports.systems import actions, forms
from initiatives.portfolio.imports.systems.class_words import LEAVE_OUT, gone_by_status
from initiatives.portfolio.imports.systems.systems_table import COLUMNS, EXAMPLE, read, words_asked
from tests.support import factories
from tests.support.initiatives.initiative_pages import acts, at, text_of
from tests.support.paths import SYSTEM_IMPORTS

pytestmark = pytest.mark.django_db

CMDB = (SYSTEM_IMPORTS / "servicenow_cmdb.csv").read_text()
APP = "cmdb ci service discovered"


@pytest.fixture
def owner(cast):
    """The owner whom the table names by name and by address."""
    return User.objects.get(full_name="Hanna Vogel")


def lines_of(text: str, **kinds: str):
    """The lines of a table. `kinds`: the chosen kind by word, with underscores for spaces."""
    return read(
        read_table(text.encode()), {word.replace("_", " "): kind for word, kind in kinds.items()}
    ).lines


def states(lines) -> list[str]:
    return [line.state for line in lines]


def said(line) -> str:
    return " ".join([*line.problems, *line.remarks])


def test_a_cmdb_table_is_read_with_classes_owners_status_and_last_change(cast, owner):
    text = CMDB.replace("hanna.vogel@example.org", owner.email)
    lines = lines_of(text)
    assert states(lines) == [WRONG, OUT, NEW]
    assert "cmdb_ci_service_discovered" in said(lines[0])
    assert lines[1].problems == []
    assert "“install_status” is “7” (retired)." in said(lines[1])
    assert lines[2].fields == {
        "name": "Customer master",
        "kind": "database",
        "owner": owner,
        "purpose": "One row for each customer",
        "location": "",
        "last_updated_on": date(2026, 11, 2),
        "regions": ["US"],
        "source_key": "DB000031",
    }
    table = read_table(text.encode())
    assert words_asked(table) == [APP], "neither what has one meaning is asked, nor what is retired"
    with acts() as kinds:
        actions.import_systems(table=table, kinds={APP: "home_grown"}, by=cast.admin)
    assert kinds == [EntryKind.SYSTEM_DESCRIBED] * 2
    system = System.objects.get(name="Order hub")
    assert (system.kind, system.owner, system.last_updated_on) == ("home_grown", owner, date(2026, 10, 30))
    assert (system.described_by, system.history.count()) == (cast.admin, 1)
    entry = Entry.objects.filter(kind=EntryKind.SYSTEM_DESCRIBED).latest("pk")
    assert json.loads(bytes(entry.body.body))["facts"]["system"] == "Customer master"
    assert states(lines_of(text, cmdb_ci_service_discovered="home_grown")) == [KNOWN, OUT, KNOWN]


def test_the_page_asks_for_the_kind_of_an_unknown_class_and_adds_all_or_none(cast, as_, owner):
    client, page = as_(cast.admin), at("systems-from-table")
    answer = client.post(page, {"file": SimpleUploadedFile("cmdb.csv", CMDB.encode())})
    assert answer.context["look"].stops == 1
    text = answer.context["form"]["text"].value()
    assert client.post(page, {"text": text, "step": "enter"}).status_code == 200
    assert not System.objects.exists()
    chosen = {"text": text, "kind_0": "bought"}
    look = client.post(page, chosen | {"step": "look"}).context["look"]
    assert (look.stops, look.entering) == (0, 2)
    assert client.post(page, chosen | {"step": "enter"}).status_code == 302
    assert set(System.objects.values_list("name", "kind")) == {
        ("Order hub", "bought"),
        ("Customer master", "database"),
    }
    assert as_(cast.lead).get(page).status_code == 403


def test_a_kind_for_lines_without_one_is_asked_once(cast):
    sites = (SYSTEM_IMPORTS / "sharepoint_sites.csv").read_text().replace("lead@example.org", cast.lead.email)
    table = read_table(sites.encode())
    assert words_asked(table) == [""]
    lines = read(table, {"": "file_share"}).lines
    assert states(lines) == [NEW, NEW, OUT], "what is deleted at its source stays out"
    assert states(read(table, {"": LEAVE_OUT}).lines) == [OUT] * 3
    first = lines[0].fields
    assert (first["name"], first["owner"], first["source_key"], first["last_updated_on"]) == (
        "example.sharepoint.com/sites/Claims",
        cast.lead,
        "s-1",
        date(2026, 11, 2),
    )
    connectors = lines_of(
        (SYSTEM_IMPORTS / "power_platform_connectors.csv").read_text(), **{"": "home_grown"}
    )
    assert set(states(connectors)) == {NEW}


def test_owners_are_found_as_people_are_and_an_unknown_one_stays_blank(cast, owner):
    factories.make_person("twin", full_name=cast.lead.full_name)
    rows = [owner.login, owner.full_name, owner.email, "Nobody Known", cast.lead.full_name]
    lines = lines_of("Name,Kind,Owner\n" + "".join(f"S{n},wiki,{row}\n" for n, row in enumerate(rows)))
    assert [line.fields.get("owner") for line in lines] == [owner] * 3 + [None] * 2
    assert all("not the name of exactly one active person" in said(line) for line in lines[3:])
    assert states(lines) == [NEW] * 5
    (second,) = lines_of("name,type,managed_by,owned_by\nA,wiki,Hanna Vogel,\n")
    assert second.fields["owner"] == owner


def test_a_system_in_use_that_is_retired_at_its_source_is_told(cast, as_):
    system = factories.make_system(cast, "Old price list", kind="wiki")
    line = lines_of(CMDB)[1]
    assert line.known == system
    assert "“Old price list” is in use in the register." in said(line)


AGAIN = (
    "Name,Kind,Owner,Last updated,Regions,Key\nOrder hub 2,database,{},2026-11-02,EU,K1\nNew one,wiki,,,,K2\n"
)


def test_changes_of_known_lines_are_listed_and_only_the_taken_ones_are_made(cast, as_, owner):
    system = factories.make_system(cast, "Order hub", kind="wiki", source_key="K1", owner=cast.lead)
    text = AGAIN.format(owner.login)
    known, new = lines_of(text)
    assert known.offered.keys() == {"name", "kind", "owner", "last_updated_on", "regions"}
    assert (known.state, known.changes, new.offered) == (KNOWN, 0, {})
    client, page = as_(cast.admin), at("systems-from-table")
    form = client.post(page, {"text": text}).context["look"].mapping
    assert [value for value, _ in form.fields["changes"].choices] == [f"2 {name}" for name in known.offered]
    chosen = {"text": text, "changes": ["2 owner", "2 last_updated_on"], "step": "enter"}
    assert client.post(page, chosen).status_code == 302
    system.refresh_from_db()
    assert (system.name, system.kind, system.owner, system.last_updated_on) == (
        *("Order hub", "wiki", owner, date(2026, 11, 2)),
    )
    assert Entry.objects.filter(kind=EntryKind.SYSTEM_CHANGED).count() == 1
    assert System.objects.filter(name="New one").exists()
    assert lines_of(text)[0].offered.keys() == {"name", "kind", "regions"}


def test_two_lines_of_one_key_or_one_system_are_refused_with_both_numbers(cast):
    factories.make_system(cast, "One", kind="wiki", source_key="K1")
    lines = lines_of("Name,Kind,Key\nA,wiki,K7\nB,wiki,k7\nOne,wiki,\nOne of old,wiki,K1\n")
    assert states(lines) == [NEW, WRONG, KNOWN, WRONG]
    assert [(line.number, line.problems[0][:6]) for line in lines if line.problems] == [
        *((3, "Line 2"), (5, "Line 4"))
    ]


def test_a_key_and_a_name_of_two_systems_are_told(cast):
    first = factories.make_system(cast, "One", kind="wiki", source_key="K1")
    factories.make_system(cast, "Two", kind="wiki")
    renamed, mixed = lines_of("Name,Kind,Key\nOne of old,wiki,k1\nTwo,wiki,K1\n")
    assert (renamed.state, renamed.known) == (KNOWN, first)
    assert mixed.state == WRONG


@pytest.mark.parametrize(
    ("line", "state", "words"),
    [
        ("A,teapot,", WRONG, "teapot"),
        ("A,,", WRONG, "no kind"),
        (",wiki,", WRONG, "name is missing"),
        (f"{'x' * 161},wiki,", WRONG, "longer than 160"),
        ("=cmd|calc!A0,wiki,", WRONG, "formula"),
        ("A,wiki,3/4/2026", NEW, "not a clear day"),
        ("A,wiki,2099-01-01", NEW, "in the future"),
        ("A,wiki,2011", NEW, "not a clear day"),
    ],
)
def test_what_cannot_be_read_is_named_at_its_line(cast, line, state, words):
    (found,) = lines_of(f"Name,Kind,Last updated\n{line}\n")
    assert found.state == state
    assert words in said(found)


def test_one_wrong_line_keeps_the_table_out_and_only_admins_import(cast):
    right, twice = (read_table(f"Name,Kind\n{rows}".encode()) for rows in ("A,wiki\n", "A,wiki\na,wiki\n"))
    with pytest.raises(ValidationError):
        actions.import_systems(table=twice, kinds={}, by=cast.admin)
    with pytest.raises(Refused):
        actions.import_systems(table=right, kinds={}, by=cast.lead)
    assert not System.objects.exists()
    assert [line.state for line in read(read_table(EXAMPLE.encode()), {}).lines] == [NEW, NEW]


def test_a_column_of_no_field_is_named(cast, as_):
    client, page = as_(cast.admin), at("systems-from-table")
    for columns, named_in in (("Name,Kind,Colour", 1), ("Name,Kind,Purpose", 0)):
        look = client.post(page, {"text": f"{columns}\nA,wiki,red\n"}).context["look"]
        assert sum("Colour" in remark for remark in look.remarks) == named_in


def test_many_changes_are_taken_by_field(cast, as_, monkeypatch):
    monkeypatch.setattr(forms, "MOST_TICKS", 9)

    def table(owner, purpose):
        return "Name,Kind,Owner,Purpose\n" + "".join(f"S{n},wiki,{owner},{purpose}\n" for n in range(5))

    before = read_table(table("", "Orders").encode())
    actions.import_systems(table=before, kinds={}, by=cast.admin)
    client, page = as_(cast.admin), at("systems-from-table")
    sent = {"text": table(cast.owner.login, "Invoices"), "step": "look"}
    answer = client.post(page, sent)
    choices = answer.context["look"].mapping.fields["changes"].choices
    assert [value for value, _ in choices] == ["* owner", "* purpose"]
    assert client.post(page, sent | {"changes": ["* owner"], "step": "enter"}).status_code == 302
    kept = System.objects.order_by("owner").values_list("owner", "purpose").distinct()
    assert list(kept) == [(cast.owner.pk, "Orders")]


def test_a_kind_that_is_not_offered_is_no_answer(cast, as_):
    sent = {"text": "Name,Kind\nA,teapot\n", "kind_0": "kettle", "step": "enter"}
    answer = as_(cast.admin).post(at("systems-from-table"), sent)
    assert answer.context["look"].stops == 1
    assert not System.objects.exists()
    assert "<script>" not in text_of(
        as_(cast.admin).post(at("systems-from-table"), {"text": "Name\n<script>\n"})
    )


@pytest.mark.parametrize(
    ("column", "text", "gone"),
    [
        ("install_status", "7", "retired"),
        ("install_status", "Retired", "retired"),
        ("Install Status", "1", ""),
        ("install_status", "6", ""),
        ("operational_status", "6", "retired"),
        ("operational_status", "7", ""),
        ("lifecycle", "End of life", "end of life"),
        ("Status", "production", ""),
        ("Betriebsstatus", "außer Betrieb", "ausser betrieb"),
        ("status", "7", "unknown"),
        ("Is Deleted", "true", "deleted"),
    ],
)
def test_a_status_means_gone_by_its_word_or_by_the_number_of_its_column(column, text, gone):
    assert gone_by_status(column, text) == gone


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        # Backstage, LeanIX, iTop, a plain sheet
        (
            ["metadata.name", "metadata.description", "spec.type", "spec.owner", "spec.lifecycle"],
            {"name": 0, "purpose": 1, "kind": 2, "owner": 3, "status": 4},
        ),
        (
            ["id", "type", "displayName", "lifecycle", "updatedAt"],
            {"name": 2, "status": 3, "last_updated_on": 4},
        ),
        (["Name", "Status", "Finalclass", "Description"], {"status": 1, "kind": 2, "purpose": 3}),
        (
            ["Anwendung", "Typ", "Verantwortlich", "Betriebsstatus"],
            {"name": 0, "kind": 1, "owner": 2, "status": 3},
        ),
    ],
)
def test_the_headers_of_other_catalogues_are_known(columns, found):
    there = named(columns, COLUMNS)
    assert {name: there.get(name) for name in found} == {
        name: columns[place] for name, place in found.items()
    }
