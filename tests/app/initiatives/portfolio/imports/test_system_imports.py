"""SystemImports: what is guessed, read and compared; new rows enter, different ones only where somebody ticked them."""

from datetime import date

import pytest
from django.core.exceptions import ValidationError

from governance import clock
from governance.models import Entry
from governance.permission_result import Conflict, Refused
from initiatives.integration.systems import actions as system_actions
from initiatives.models import (
    Link,
    ServiceAccount,
    System,
    SystemImport,
    SystemImportMapping,
    SystemImportRow,
    Term,
    TermDefinition,
    Voiding,
)
from initiatives.portfolio.imports.systems import actions as system_import_actions
from initiatives.portfolio.imports.systems.actions import enter_waiting
from initiatives.portfolio.imports.systems.column_guesses import EXPORTS, guess
from initiatives.portfolio.imports.systems.table_fields import FIELDS
from initiatives.portfolio.units import leaving
from tests.support import factories
from tests.support.paths import SYSTEM_IMPORTS

pytestmark = pytest.mark.django_db

SYSTEMS = (
    "Inventory of 2026;;;\n"
    "Systemname;Systemart;Verantwortlich;Letzte Änderung\n"
    "Claims core;Eigenentwicklung;lead@example.org;1.11.2026\n"
    "Price list;Netzlaufwerk;Nobody Known;3/4/2026\n"
    "Broken;Teapot;;\n"
)


def read(cast, content: str | bytes, kind: str = "systems", name: str = "table.csv", by=None):
    """A table, read by an admin."""
    content = content.encode() if isinstance(content, str) else content
    batch, _ = system_import_actions.read_system_import(
        content=content, file_name=name, kind=kind, by=by or cast.admin
    )
    return batch


def entered(batch, by):
    """The table, confirmed and in the register."""
    batch = system_import_actions.confirm_system_import(batch=batch, by=by)
    assert system_import_actions.enter_rows(batch) == 0
    return SystemImport.objects.get(pk=batch.pk)


def states(batch) -> list[str]:
    return list(batch.rows.order_by("line").values_list("state", flat=True))


def said(row) -> str:
    return " ".join(one["text"] for one in row.problems)


# --- Reading ---------------------------------------------------------------------------------------------------------


def test_a_table_is_read_with_its_banner_and_every_cell_that_cannot_be_is_named(cast):
    lead = cast.lead
    batch = read(cast, SYSTEMS.replace("lead@example.org", lead.email or lead.login))
    assert states(batch) == ["new", "new", "wrong"]
    first, second, third = batch.rows.order_by("line")
    assert first.mapped["values"] == {
        "name": "Claims core",
        "kind": "home_grown",
        "owner": lead.pk,
        "last_updated_on": "2026-11-01",
    }
    assert "owner" not in second.mapped["values"]
    assert "No one here has the name “Nobody Known”" in said(second)
    assert "is not a clear date" in said(second), "3/4/2026 is two days"
    assert "“Teapot” is not a known value of kind of system" in said(third)
    assert "Known values: bought system" in said(third)
    assert any("line(s) above the header" in note for note in batch.notes)
    assert not System.objects.exists()


@pytest.mark.parametrize(
    ("said_since", "day"),
    [
        ("2011", "2011-01-01"),
        ("2011-05", "2011-05-01"),
        ("05/2011", "2011-05-01"),
        ("2011-05-30", "2011-05-30"),
    ],
)
def test_a_system_is_in_service_since_the_first_day_of_a_year_or_month(cast, said_since, day):
    batch = read(cast, f"Name,Kind,In service since,Last updated\nShare,wiki,{said_since},2011\n")
    (row,) = batch.rows.all()
    assert row.mapped["values"]["in_service_since"] == day
    assert said(row) == "“2011” is not a clear date, so the field stays blank."


def test_owners_are_found_by_login_address_and_name_and_never_made(cast):
    lead, people = cast.lead, type(cast.lead).objects.count()
    first, _, last = lead.full_name.rpartition(" ")
    ways = [lead.login.upper(), lead.full_name, f"{last}, {first}", f"Someone Else; {lead.full_name}"]
    if lead.email:
        ways += [lead.email, f"{lead.full_name} <{lead.email}>"]
    rows = "".join(f'S{place},wiki,"{way}"\n' for place, way in enumerate(ways))
    batch = read(cast, f"Name,Kind,Owner\n{rows}")
    assert [row.mapped["values"].get("owner") for row in batch.rows.all()] == [lead.pk] * len(ways)
    factories.make_person("twin", full_name=lead.full_name)
    batch = read(cast, f"Name,Kind,Owner\nT,wiki,{lead.full_name}\n")
    assert "Several people here are called" in said(batch.rows.get())
    assert type(lead).objects.count() == people + 1


def test_somebody_who_left_is_made_no_owner(cast):
    gone = factories.make_person("gone", full_name="Gone Person")
    leaving.deactivate(person=gone, reason="Left", by=cast.admin)
    batch = read(cast, "Name,Kind,Owner\nShare,wiki,Gone Person\n")
    assert "owner" not in batch.rows.get().mapped["values"]


def test_the_mapping_is_remembered_for_the_same_headers_in_any_order(cast):
    batch = read(cast, "Ding,Sorte,Wer\nShare,wiki,\n")
    assert states(batch) == ["wrong"]
    with pytest.raises(ValidationError) as refusal:
        system_import_actions.map_system_import(
            batch=batch, columns={"name": {"columns": ["Thing"]}}, by=cast.admin
        )
    assert set(refusal.value.message_dict) == {"name", "kind"}
    columns = {"name": {"columns": ["Ding"]}, "kind": {"columns": ["Sorte"]}}
    system_import_actions.map_system_import(batch=batch, columns=columns, by=cast.admin)
    assert states(batch) == ["new"]
    again = read(cast, "Sorte,Wer,Ding\nwiki,,Other\n")
    assert states(again) == ["new"]
    assert "as in the last table with these headers" in " ".join(again.notes)
    assert SystemImportMapping.objects.count() == 1
    system_import_actions.map_system_import(
        batch=again, columns=columns | {"location": {"columns": ["Wer"]}}, by=cast.admin
    )
    assert SystemImportMapping.objects.get().columns["location"] == {"columns": ["Wer"]}
    other = read(cast, "Sorte,Wer,Ding\nwiki,,Other\n", kind="accounts")
    assert "as in the last" not in " ".join(other.notes), "each kind remembers its own"


def test_lines_that_speak_of_one_thing_become_one_or_are_wrong(cast):
    batch = read(
        cast, "Name,Kind,URL,Purpose\nShare,wiki,,Files\nshare,wiki,https://a,\nShare,wiki,,Pictures\n"
    )
    assert states(batch) == ["new", "skipped", "wrong"]
    first, _, third = batch.rows.order_by("line")
    assert first.mapped["values"]["location"] == "https://a"
    assert f"Line {first.line} has the same key and other values (Purpose)" in said(third)


# --- Into the register ------------------------------------------------------------------------------------------------


def test_the_same_file_again_is_the_first_and_changes_nothing(cast):
    batch = entered(read(cast, "Name,Kind\nShare,wiki\n"), cast.admin)
    history = System.history.count()
    again, repeated = system_import_actions.read_system_import(
        content=b"Name,Kind\nShare,wiki\n", file_name="other.csv", kind="systems", by=cast.admin
    )
    assert (again.pk, repeated) == (batch.pk, True)
    assert SystemImport.objects.count() == 1
    assert System.history.count() == history
    assert Entry.objects.filter(kind="system import read").count() == 2


def test_nothing_is_overwritten_that_nobody_ticked(cast):
    system = factories.make_system(cast, "Share", kind="wiki", purpose="By hand", location="here")
    batch = read(cast, "Name,Kind,URL,Purpose\nShare,wiki,there,\nNew one,wiki,,\n")
    row = batch.rows.get(state="differs")
    assert row.mapped["differs"] == {"location": {"was": "here", "words": "here"}}, (
        "a blank cell says nothing"
    )
    batch = entered(batch, cast.admin)
    system.refresh_from_db()
    assert (system.location, system.purpose) == ("here", "By hand")
    assert states(batch) == ["differs", "entered"]
    assert System.objects.filter(name="New one", described_by=cast.admin).exists()


def test_what_was_ticked_replaces_field_by_field(cast):
    factories.make_system(cast, "Share", kind="wiki", purpose="By hand", location="here")
    factories.make_system(cast, "Other", kind="wiki", purpose="As before", location="here")
    content = "Name,Kind,URL,Purpose\nShare,wiki,there,From the table\nOther,wiki,there,From the table\n"
    batch = read(cast, content)
    with pytest.raises(Refused, match="No row of this table is new"):
        system_import_actions.confirm_system_import(batch=batch, by=cast.admin)
    row = batch.rows.get(mapped__label="Share")
    system_import_actions.choose_rows(
        batch=batch, takes={row.pk: ["purpose", "name"]}, left_out={}, by=cast.admin
    )
    assert system_import_actions.take_column(batch=batch, field="location", take=True, by=cast.admin) == 2
    batch = entered(batch, cast.admin)
    assert states(batch) == ["replaced", "replaced"]
    said = dict(System.objects.values_list("name", "purpose"))
    assert said == {"Share": "From the table", "Other": "As before"}
    assert set(System.objects.values_list("location", flat=True)) == {"there"}
    assert Entry.objects.filter(kind="system changed").count() == 2


def test_what_changed_since_somebody_looked_does_not_enter(cast):
    system = factories.make_system(cast, "Share", kind="wiki", location="here")
    batch = read(cast, "Name,Kind,URL\nShare,wiki,there\nFresh,wiki,there\n")
    system_import_actions.take_column(batch=batch, field="location", take=True, by=cast.admin)
    batch = system_import_actions.confirm_system_import(batch=batch, by=cast.admin)
    system_actions.change_system(system=system, location="elsewhere", by=cast.lead)
    factories.make_system(cast, "Fresh", kind="wiki", location="by hand")
    assert system_import_actions.enter_rows(batch) == 0
    assert set(System.objects.values_list("location", flat=True)) == {"elsewhere", "by hand"}
    assert states(batch) == ["differs", "differs"]
    assert all("changed after you looked" in said(row) for row in batch.rows.all())


def test_rows_can_stay_out_and_come_back(cast):
    batch = read(cast, "Name,Kind\nA,wiki\nB,wiki\nAB,wiki\n")
    assert system_import_actions.leave_rows(batch=batch, state="new", words="a", by=cast.admin) == 2
    assert states(batch) == ["skipped", "new", "skipped"]
    first = batch.rows.order_by("line").first()
    system_import_actions.choose_rows(batch=batch, takes={}, left_out={first.pk: False}, by=cast.admin)
    entered(batch, cast.admin)
    assert set(System.objects.values_list("name", flat=True)) == {"A", "B"}


def test_a_confirmed_table_changes_no_more_and_a_dropped_one_is_gone(cast):
    batch = read(cast, "Name,Kind\nA,wiki\n")
    entered(batch, cast.admin)
    for act in (
        lambda: system_import_actions.confirm_system_import(batch=batch, by=cast.admin),
        lambda: system_import_actions.drop_system_import(batch=batch, by=cast.admin),
        lambda: system_import_actions.leave_rows(batch=batch, state="new", by=cast.admin),
    ):
        with pytest.raises(Conflict):
            act()
    other = read(cast, "Name,Kind\nB,wiki\n")
    system_import_actions.drop_system_import(batch=other, by=cast.admin)
    assert not SystemImportRow.objects.filter(batch=other).exists()
    assert read(cast, "Name,Kind\nB,wiki\n").pk != other.pk, "a dropped table can be read again"


def test_whoever_stops_in_between_loses_nothing(cast, monkeypatch):
    monkeypatch.setattr("initiatives.portfolio.imports.systems.actions.TOGETHER", 2)
    batch = read(cast, "Name,Kind\n" + "".join(f"S{n},wiki\n" for n in range(5)))
    batch = system_import_actions.confirm_system_import(batch=batch, by=cast.admin)
    assert system_import_actions.enter_rows(batch, seconds=0) == 3
    assert System.objects.count() == 2
    assert enter_waiting(seconds=60) == 0
    assert System.objects.count() == 5
    assert Entry.objects.filter(kind="system import entered").count() == 1


def test_every_row_leaves_its_entry_and_its_history(cast):
    entered(read(cast, "Name,Kind\nA,wiki\nB,wiki\n"), cast.admin)
    assert Entry.objects.filter(kind="system described").count() == 2
    assert {row.history_user_id for row in System.history.all()} == {cast.admin.pk}


# --- Links, accounts, definitions ------------------------------------------------------------------------------------


def test_links_enter_void_what_rests_on_sources_and_reach_the_initiative(cast):
    initiative = factories.make_mvp(cast)
    factories.make_system(cast, "Ledger")
    content = (
        f"Initiative,System,Pattern,Direction,Interface,Live\n{initiative.ref},ledger,feed,lesend,REST,no\n"
    )
    batch = read(cast, content, "links")
    assert states(batch) == ["new"]
    before = Voiding.objects.count()
    entered(batch, cast.admin)
    link = Link.objects.get(initiative=initiative)
    assert (link.pattern, link.direction, link.access, link.by) == ("feed", "reads", "api", cast.admin)
    assert Voiding.objects.count() > before
    assert initiative.requirement_findings.filter(system=link.system, ended_at__isnull=True).exists()
    again = read(cast, content.replace("REST", "sftp"), "links")
    assert states(again) == ["differs"]


def test_links_that_cannot_stand_say_why(cast):
    initiative = factories.make_prototype(cast)
    factories.make_system(cast, "Ledger")
    factories.make_system(cast, "Sources", kind="knowledge_collection")
    rows = [
        f"{initiative.ref},Ledger,feed,reads,api,yes",
        f"{initiative.ref},Sources,feed,reads,api,no",
        "AI-9999,Ledger,feed,reads,api,no",
        f"{initiative.ref},Nowhere,feed,reads,api,no",
    ]
    batch = read(cast, "Initiative,System,Pattern,Direction,Access,Live\n" + "\n".join(rows), "links")
    words = [said(row) for row in batch.rows.order_by("line")]
    assert states(batch) == ["wrong"] * 4
    for text, expected in zip(
        words,
        (
            "A prototype must not use production data",
            "First list the sources of the collection one by one",
            "no initiative called",
            "no system called “Nowhere”",
        ),
        strict=True,
    ):
        assert expected in text


def test_a_technical_lead_brings_what_belongs_to_own_initiatives_and_nothing_else(cast):
    initiative = factories.make_mvp(cast)
    ledger = factories.make_system(cast, "Ledger")
    factories.make_system(cast, "Foreign")
    link = factories.make_link(cast, initiative, ledger)
    with pytest.raises(Refused, match="Only admins can import systems"):
        read(cast, "Name,Kind\nA,wiki\n", by=cast.lead)
    with pytest.raises(Refused, match="technical leads"):
        read(cast, "Initiative,System\n", "links", by=cast.owner)
    batch = read(
        cast,
        "Term,System,Field,Meaning\nRate,Ledger,rate,Rate of the day\nRate,Foreign,rate,Another\nTerm alone,,,x\n",
        "definitions",
        by=cast.lead,
    )
    assert states(batch) == ["wrong"] * 3, "nobody agreed to the link, and nobody named the term"
    factories.agree(link)
    again = "Term,System,Field,Meaning\nRate,Ledger,rate,Rate of the day \n"
    batch = read(cast, again, "definitions", by=cast.lead)
    assert "First propose the term" in said(batch.rows.get())
    factories.make_term(cast, "Rate")
    batch = read(
        cast,
        "Term,System,Field,Meaning\nRate,Ledger,rate,Rate of the day\nRate,Foreign,rate,Others\nTerm alone,,,x\n",
        "definitions",
        by=cast.lead,
    )
    assert states(batch) == ["new", "wrong", "wrong"]
    assert "Ask an admin to import the table" in said(batch.rows.order_by("line")[1])
    entered(batch, cast.lead)
    assert TermDefinition.objects.get().system == ledger
    for act in (system_import_actions.drop_system_import, system_import_actions.confirm_system_import):
        with pytest.raises(Refused):
            act(batch=read(cast, "Name,Kind\nZ,wiki\n"), by=cast.lead)


def test_accounts_need_their_system_and_take_the_earliest_expiry(cast):
    batch = read(cast, (SYSTEM_IMPORTS / "entra_credentials.csv").read_bytes(), "accounts")
    assert set(states(batch)) == {"wrong"}
    assert "Import the system first" in said(batch.rows.first())
    factories.make_system(cast, "Microsoft Entra ID")
    system_import_actions.map_system_import(batch=batch, columns=batch.columns["fields"], by=cast.admin)
    assert states(batch) == ["new", "skipped", "skipped", "new"]
    entered(batch, cast.admin)
    first = ServiceAccount.objects.get(name="Claims assistant")
    assert (first.review_by, first.source_key[-4:]) == (date(2026, 12, 1), "0001")
    assert ServiceAccount.objects.get(name="Nightly export").owner is None


def test_definitions_make_their_terms_and_a_changed_one_ends_evidence(cast):
    initiative = factories.make_mvp(cast)
    ledger = factories.make_system(cast, "Ledger")
    factories.make_link(cast, initiative, ledger)
    head = "Begriff,System,Feld,Bedeutung,Format,Gültig ab\n"
    batch = read(cast, f"{head}Kunde,Ledger,cust_id,Wer zahlt,8 digits,2020-01-01\n", "definitions")
    entered(batch, cast.admin)
    definition = TermDefinition.objects.get()
    assert (str(definition.term), definition.valid_from) == ("Kunde", date(2020, 1, 1))
    before = Voiding.objects.count()
    batch = read(cast, f"{head}kunde,Ledger,CUST_ID,Wer bestellt,8 digits,2020-01-01\n", "definitions")
    assert list(batch.rows.get().mapped["differs"]) == ["meaning"]
    system_import_actions.take_column(batch=batch, field="meaning", take=True, by=cast.admin)
    entered(batch, cast.admin)
    definition.refresh_from_db()
    assert definition.meaning == "Wer bestellt"
    assert Voiding.objects.count() > before
    assert Term.objects.count() == 1


def test_facets_of_a_definition_come_in_and_what_cannot_stand_is_said_at_its_row(cast):
    factories.make_system(cast, "Ledger")
    head = "Term,System,Field,Meaning,Counted unit,Währung,Identifier standard,Identifier mask\n"
    lines = [
        "Customer,Ledger,iban,Who pays,payer,CHF,IBAN,",
        "Customer,Ledger,id,Who pays,,,,A{2}9{8}",
        "Customer,Ledger,no,Who pays,,,,C-######",
        "Customer,Ledger,nr,Who pays,,,gold,",
        "Customer,Ledger,both,Who pays,,,LEI,9{8}",
    ]
    batch = read(cast, head + "\n".join(lines) + "\n", "definitions")
    assert states(batch) == ["new", "new", "wrong", "wrong", "wrong"]
    for row, why in zip(
        batch.rows.order_by("line")[2:], ("unknown sign, “C”", "“gold” is no", "not both"), strict=True
    ):
        assert why in said(row)
    entered(batch, cast.admin)
    facets = "counted_unit", "unit_or_currency", "identifier_standard", "identifier_mask"
    assert list(TermDefinition.objects.order_by("pk").values_list(*facets)) == [
        ("payer", "CHF", "iban", ""),
        ("", "", "", "A{2}9{8}"),
    ]


def test_a_glossary_brings_terms_alone_and_what_says_nothing_stays_out(cast):
    factories.make_system(cast, "Ledger")
    content = "Term,System,Field,Meaning\nCustomer,,,Who pays\nRate,Ledger,rate,\nOrphan,,field,Something\n"
    batch = read(cast, content, "definitions")
    assert states(batch) == ["new", "skipped", "wrong"]
    entered(batch, cast.admin)
    assert list(Term.objects.values_list("name", "meaning")) == [("Customer", "Who pays")]


# --- Exports ---------------------------------------------------------------------------------------------------------

FILES = {
    "entra-credentials": "entra_credentials.csv",
    "entra-applications": "entra_applications.csv",
    "sharepoint-sites": "sharepoint_sites.csv",
    "power-platform-connectors": "power_platform_connectors.csv",
    "salesforce-fields": "salesforce_fields.csv",
    "salesforce-setup": "salesforce_setup.csv",
    "netsuite-records": "netsuite_records.csv",
    "netsuite-schema": "netsuite_schema.csv",
    "openapi": "claims_api.yaml",
}


@pytest.mark.parametrize("export", EXPORTS, ids=lambda export: export.key)
def test_each_known_export_is_mapped_in_full(cast, export):
    for name in ("Microsoft Entra ID", "Salesforce", "NetSuite", "Claims core"):
        factories.make_system(cast, name)
    batch = read(cast, (SYSTEM_IMPORTS / FILES[export.key]).read_bytes(), export.kind, FILES[export.key])
    assert any(export.words in note for note in batch.notes), batch.notes
    needed = {field.name for field in FIELDS[export.kind] if field.needed}
    fields = batch.columns["fields"]
    assert needed <= set(fields)
    assert set(fields) <= set(export.columns) | set(export.values)
    assert "wrong" not in states(batch), [said(row) for row in batch.rows.filter(state="wrong")]
    assert "new" in states(batch)
    for row in batch.rows.filter(state="new"):
        assert needed <= set(row.mapped["values"]), row.mapped


def test_sites_and_connectors_become_systems(cast):
    content = (
        (SYSTEM_IMPORTS / "sharepoint_sites.csv").read_text().replace("lead@example.org", cast.lead.email)
    )
    batch = read(cast, content)
    assert states(batch) == ["new", "new", "skipped"], "what is deleted at its source stays out"
    entered(batch, cast.admin)
    site = System.objects.get(source_key="s-1")
    assert (site.name, site.kind, site.owner) == (
        "example.sharepoint.com/sites/Claims",
        "file_share",
        cast.lead,
    )
    assert site.last_updated_on == date(2026, 11, 2)
    assert System.objects.get(source_key="s-2").condition(clock.today()) == "orphaned"


def test_field_lists_become_definitions_with_object_and_format(cast):
    for name in ("Salesforce", "NetSuite"):
        factories.make_system(cast, name)
    entered(read(cast, (SYSTEM_IMPORTS / "salesforce_fields.csv").read_bytes(), "definitions"), cast.admin)
    entered(read(cast, (SYSTEM_IMPORTS / "netsuite_records.csv").read_bytes(), "definitions"), cast.admin)
    one = TermDefinition.objects.get(field="Account.Customer_Number__c")
    assert one.identifier_format == "Text(10), at most 10 characters"
    assert not TermDefinition.objects.filter(field="Account.Rating__c").exists(), "nobody says what it means"
    assert TermDefinition.objects.get(field="entityid").meaning.startswith("Identifies the customer")


def test_generic_headers_are_guessed_in_english_and_german(cast):
    assert guess("systems", ["Anwendung", "Typ", "Eigentümer", "Hersteller", "In Betrieb seit"], {}) == {
        "name": {"columns": ["Anwendung"]},
        "kind": {"columns": ["Typ"]},
        "owner": {"columns": ["Eigentümer"]},
        "vendor": {"columns": ["Hersteller"]},
        "in_service_since": {"columns": ["In Betrieb seit"]},
    }
    assert guess("systems", ["Name", "Location", "Hosting location"], {}) == {
        "name": {"columns": ["Name"]},
        "location": {"columns": ["Location"]},
        "regions": {"columns": ["Hosting location"]},
    }
    assert guess("systems", ["Name", "Hosting location"], {})["regions"] == {"columns": ["Hosting location"]}


def test_a_guess_for_the_register_is_checked_against_the_cells():
    days = ["2025-06-01", "2026-02-11", "2025-11-20"]
    for field, header in (("owner", "Owners"), ("vendor", "Vendor"), ("kind", "Type")):
        assert guess("systems", ["Name", header], {header: ["Robert Miller"]})[field] == {"columns": [header]}
        assert field not in guess("systems", ["Name", header], {header: days})
    said = guess("systems", ["Name", "Go-live dates"], {"Go-live dates": ["yes", "no", "no"]})
    assert "in_service_since" not in said
