"""Columns and stages of inventories never seen before: guessed in several languages, in doubt in the weaker meaning."""

from dataclasses import replace

import pytest

from governance.tables.column_values import sample
from governance.tables.reader import read_table
from initiatives.portfolio.imports.inventories.header_synonyms import GUIDE
from initiatives.portfolio.imports.inventories.import_batch import Earlier, planned
from initiatives.portfolio.imports.inventories.inventory_columns import resolved
from initiatives.portfolio.imports.inventories.inventory_sources import newcomer
from initiatives.portfolio.imports.inventories.stage_words import guess_stage
from initiatives.portfolio.imports.portfolio import portfolio_columns
from tests.support.paths import SHEETS


@pytest.mark.parametrize(
    ("raw", "stage"),
    [
        # pilots, which are neither prototypes nor more than they are
        ("Pilotprojekt in Entwicklung", "mvp"),
        ("pilot phase", "mvp"),
        ("in pilot", "mvp"),
        ("pilot_phase", "mvp"),
        ("inPilot", "mvp"),
        ("Pilotbetrieb", "mvp"),
        ("proefproject", "mvp"),
        ("fase piloto", "mvp"),
        ("projet pilote", "mvp"),
        ("progetto pilota", "mvp"),
        ("Beta/Pilot", "mvp"),
        ("Pilot abgeschlossen", "mvp"),
        ("pre-pilot", "prototype"),
        ("awaiting pilot", "prototype"),
        ("planned pilot", "proposed"),
        ("Pilot geplant", "proposed"),
        ("preparing for pilot", "proposed"),
        ("Pilotphase abgebrochen", "stopped"),
        ("Retired after the pilot", "retired"),
        # what is said not to be
        ("not deployed", ""),
        ("Not implemented", ""),
        ("non-operational", ""),
        ("nicht in Betrieb", ""),
        ("niet in gebruik", ""),
        ("non déployé", ""),
        ("no está en uso", ""),
        ("non in uso", ""),
        ("não está em uso", ""),
        ("noch nicht in Betrieb", "prototype"),
        ("not yet in use", "prototype"),
        ("nicht mehr in Betrieb", "retired"),
        ("niet meer in gebruik", "retired"),
        ("No longer in use", "retired"),
        # what is only ahead
        ("To be deployed", "proposed"),
        ("Ready for production", "prototype"),
        ("Pre-production", "prototype"),
        ("On hold", ""),
        # five languages and more
        ("Idee", "proposed"),
        ("In Planung", "proposed"),
        ("In Entwicklung", "prototype"),
        ("Testbetrieb", "prototype"),
        ("Im Einsatz", "production"),
        ("Produktivbetrieb", "production"),
        ("außer Betrieb", "retired"),
        ("In ontwikkeling", "prototype"),
        ("In gebruik", "production"),
        ("Prévu", "proposed"),
        ("En cours de développement", "prototype"),
        ("Déployé", "production"),
        ("En service", "production"),
        ("Abandonné", "stopped"),
        ("Planificado", "proposed"),
        ("En desarrollo", "prototype"),
        ("En implementación", "mvp"),
        ("Implementado", "production"),
        ("Inactivo", "retired"),
        ("In sviluppo", "prototype"),
        ("Sperimentazione", "mvp"),
        ("Em desenvolvimento", "prototype"),
        ("Em produção", "production"),
        ("OperationAndMaintenance", "production"),
    ],
)
def test_stages_are_read_in_their_weaker_meaning(raw, stage):
    assert guess_stage(raw)[0] == stage
    assert guess_stage(raw.upper())[0] == stage or raw[0].islower()  # capitals part words: inPilot


@pytest.mark.parametrize(
    ("headers", "read"),
    [
        (
            "projectStatus|SystemName|Department|VendorName|startDate|status_date|use_case_id",
            {
                "stage": "projectStatus",
                "title": "SystemName",
                "organisation": "Department",
                "vendor": "VendorName",
                "began": "startDate",
                "key": "use_case_id",
            },
        ),
        (
            "Systemname|Einsatzstatus|Behörde|Beschreibung|Statusdatum|Ansprechpartner|Letzte Aktualisierung",
            {
                "title": "Systemname",
                "stage": "Einsatzstatus",
                "organisation": "Behörde",
                "problem": "Beschreibung",
                "contact": "Ansprechpartner",
            },
        ),
        (
            "naam|organisatie|gebruiksstatus|doel|begindatum|einddatum|leverancier|laatst_gewijzigd",
            {
                "title": "naam",
                "organisation": "organisatie",
                "stage": "gebruiksstatus",
                "problem": "doel",
                "began": "begindatum",
                "vendor": "leverancier",
            },
        ),
        (
            "Nom du système|Organisme|Statut|Finalité|Date de mise en service|Date de fin|Dernière mise à jour",
            {
                "title": "Nom du système",
                "organisation": "Organisme",
                "stage": "Statut",
                "problem": "Finalité",
                "began": "Date de mise en service",
            },
        ),
        (
            "Nombre del proyecto|Institución|Estado del proyecto|Objetivo|Fecha de fin|Proveedor|Última actualización",
            {
                "title": "Nombre del proyecto",
                "organisation": "Institución",
                "stage": "Estado del proyecto",
                "problem": "Objetivo",
                "vendor": "Proveedor",
            },
        ),
        (
            "Contact Name|Contact Email|System Name|Status|Status Date|Last Updated",
            {"title": "System Name", "contact": "Contact Email", "stage": "Status"},
        ),
        ("Vendor Name|Agency Name|Notes", {"vendor": "Vendor Name", "organisation": "Agency Name"}),
    ],
)
def test_columns_are_told_by_their_headers_and_not_by_what_only_looks_like_them(headers, read):
    assert GUIDE.guess(headers.split("|"), {}) == read


@pytest.mark.parametrize("heading", ["Cost in Mio.", "cost, USD", "Cost (in thousands)", "COST [k]"])
def test_the_unit_of_a_heading_is_none_of_its_words(heading):
    assert portfolio_columns.GUIDE.guess([heading], {}) == {"budget": heading}


def test_a_published_register_is_understood_as_an_inventory_too():
    table = read_table((SHEETS / "register.csv").read_bytes())
    assert resolved(newcomer("register"), table.columns, values=sample(table.lines)).columns == {
        "title": "name_ai_service_en",
        "organisation": "responsible_organisation",
        "key": "register_no",
        "stage": "ai_service_status_en",
        "problem": "purpose_summary_en",
        "vendor": "supplier_information",
    }


def test_a_day_of_this_file_ends_the_order_that_was_remembered():
    table = read_table(b"name,organisation,status,start date\nA,X,Live,25/04/2025\nB,X,Live,03/04/2025\n")
    source = replace(newcomer("register"), dates="mdy")
    rows, used = planned(lambda: iter(table.lines), table.columns, source, Earlier())
    assert used.dates == ""
    assert [row.mapped["began"] for row in rows] == ["2025-04-25", ""]
