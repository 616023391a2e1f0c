"""Tables of a CMDB or a catalogue as systems: class, owner, status and last change."""

import pytest

from governance.models import User
from initiatives.models import System
from initiatives.portfolio.imports.systems import actions as system_import_actions
from initiatives.portfolio.imports.systems.column_guesses import guess
from initiatives.portfolio.imports.systems.table_words import gone_by_status
from tests.app.initiatives.portfolio.imports.test_system_imports import entered, read, said, states
from tests.support import factories
from tests.support.initiatives.initiative_pages import at, text_of
from tests.support.paths import SYSTEM_IMPORTS

pytestmark = pytest.mark.django_db

CMDB = (SYSTEM_IMPORTS / "servicenow_cmdb.csv").read_text()


@pytest.fixture
def crew(cast):
    """The owner whom the table names by name and by address."""
    return User.objects.get(full_name="Hanna Vogel")


def table(owner) -> str:
    """The export, with the address of the owner here."""
    return CMDB.replace("hanna.vogel@example.org", owner.email)


def answered(batch, by, **words):
    """The columns as they are guessed, with what each class means."""
    columns = {name: dict(how) for name, how in batch.columns["fields"].items()}
    columns["kind"]["words"] = {word.replace("_", " "): key for word, key in words.items()}
    return system_import_actions.map_system_import(batch=batch, columns=columns, by=by)


def test_a_cmdb_table_is_read_with_classes_owners_status_and_last_change(cast, crew):
    batch = read(cast, table(crew))
    fields = {name: how["columns"] for name, how in batch.columns["fields"].items()}
    assert fields["kind"] == ["sys_class_name"]
    assert fields["owner"] == ["owned_by", "managed_by"]
    assert fields["status"] == ["install_status", "operational_status"]
    assert fields["last_updated_on"] == ["sys_updated_on"]
    assert fields["source_key"] == ["number"]
    assert states(batch) == ["wrong", "skipped", "new"]
    first, second, third = batch.rows.order_by("line")
    assert "“cmdb_ci_service_discovered” is not a known value of kind of system" in said(first)
    assert "“install_status” is “7” (retired), so the row is left out." in said(second)
    assert second.mapped["words"]["status"] == "7 (retired)"
    assert third.mapped["values"] == {
        "name": "Customer master",
        "kind": "database",
        "owner": crew.pk,
        "purpose": "One row for each customer",
        "last_updated_on": "2026-11-02",
        "regions": ["US"],
        "source_key": "DB000031",
    }
    assert any("last change of the entry in the CMDB" in note for note in batch.notes)

    answered(batch, cast.admin, cmdb_ci_service_discovered="home_grown")
    assert states(batch) == ["new", "skipped", "new"]
    entered(batch, cast.admin)
    system = System.objects.get(name="Order hub")
    assert (system.kind, system.owner, system.last_updated_on.isoformat()) == (
        "home_grown",
        crew,
        "2026-10-30",
    )
    assert not System.objects.filter(name="Old price list").exists()


def test_a_class_is_asked_once_and_remembered_for_other_tables(cast, as_, crew):
    batch, client = read(cast, CMDB), as_(cast.admin)
    page = client.get(at("system-import-mapping", batch.pk))
    form = page.context["form"]
    assert form.words["kind"] == ["cmdb ci service discovered", "cmdb ci appl"], (
        "what has one meaning is not asked"
    )
    sent = {bound.html_name: bound.value() or "" for bound in form}
    assert (
        client.post(
            at("system-import-mapping", batch.pk), sent | {"word_kind_0": "bought", "word_kind_1": "-"}
        ).status_code
        == 302
    )
    assert states(batch) == ["new", "skipped", "new"]
    other = read(
        cast,
        "name,sys_class_name,owned_by\nNew,cmdb_ci_service_discovered,\nNext,cmdb_ci_appl,\nLast,cmdb_ci_x,\n",
    )
    assert states(other) == ["new", "skipped", "wrong"]
    assert other.rows.get(state="new").mapped["values"]["kind"] == "bought"
    assert "Rows with “cmdb_ci_appl” in “sys_class_name” are left out." in said(
        other.rows.get(state="skipped")
    )


def test_the_second_column_names_the_owner_where_the_first_is_blank(cast, crew):
    batch = read(cast, "name,type,managed_by,owned_by\nA,wiki,Hanna Vogel,\nB,wiki,,Nobody Known\n")
    first, second = batch.rows.order_by("line")
    assert first.mapped["values"]["owner"] == crew.pk
    assert "owner" not in second.mapped["values"]
    assert "No one here has the name “Nobody Known”" in said(second)


def test_a_system_in_use_that_is_retired_at_its_source_is_told(cast, as_):
    system = factories.make_system(cast, "Old price list", kind="wiki")
    batch = read(cast, CMDB)
    row = batch.rows.get(mapped__label="Old price list")
    assert "“Old price list” is still in use in the register. Retire the system" in said(row)
    page = text_of(as_(cast.admin).get(at("system-import", batch.pk)))
    assert "7 (retired)" in page
    assert system.get_absolute_url() in page
    system.refresh_from_db()
    assert system.retired_at is None, "an import retires nothing"


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
        ("Status", "obsolete", "obsolete"),
        ("Status", "production", ""),
        ("Betriebsstatus", "außer Betrieb", "ausser betrieb"),
        ("status", "7", "unknown"),
    ],
)
def test_a_status_means_gone_by_its_word_or_by_the_number_of_its_column(column, text, gone):
    assert gone_by_status(column, text) == gone


def test_a_number_that_nobody_explains_is_told_and_the_row_enters(cast):
    batch = read(cast, "name,type,status\nA,wiki,7\n")
    assert states(batch) == ["new"]
    assert "Check in the source if this value means “retired”" in said(batch.rows.get())


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        # Backstage, LeanIX, iTop, a plain sheet
        (
            ["kind", "metadata.name", "metadata.description", "spec.owner", "spec.lifecycle"],
            {
                "name": "metadata.name",
                "purpose": "metadata.description",
                "owner": "spec.owner",
                "status": "spec.lifecycle",
            },
        ),
        (
            ["id", "type", "displayName", "description", "lifecycle", "updatedAt"],
            {"name": "displayName", "kind": "type", "status": "lifecycle", "last_updated_on": "updatedAt"},
        ),
        (["Name", "Status", "Finalclass", "Description"], {"status": "Status", "kind": "Finalclass"}),
        (
            ["Anwendung", "Typ", "Verantwortlich", "Betriebsstatus"],
            {"name": "Anwendung", "status": "Betriebsstatus"},
        ),
    ],
)
def test_other_catalogues_are_found_by_the_same_words(columns, found):
    guessed = guess("systems", columns, {})
    assert {name: guessed.get(name, {}).get("columns", [""])[0] for name in found} == found


def test_a_day_that_can_be_two_is_asked_once(cast, as_):
    batch, client = read(cast, "name,type,updated on\nA,wiki,3/4/2026\nB,wiki,5/6/2026\n"), as_(cast.admin)
    form = client.get(at("system-import-mapping", batch.pk)).context["form"]
    sent = {bound.html_name: bound.value() or "" for bound in form} | {"order_last_updated_on": "dmy"}
    client.post(at("system-import-mapping", batch.pk), sent)
    days = [row.mapped["values"]["last_updated_on"] for row in batch.rows.order_by("line")]
    assert days == ["2026-04-03", "2026-06-05"]
