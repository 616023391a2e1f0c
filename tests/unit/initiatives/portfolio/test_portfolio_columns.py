"""Cells of a sheet of one's own: amounts, days of go-live, tiers, and who is meant."""

from datetime import date

import pytest

from governance.people.people_matching import (
    Directory,
    Known,
    address_in,
    name_in,
    spellings,
)
from initiatives.portfolio.imports.portfolio.portfolio_columns import (
    FIELDS,
    GUIDE,
    HEADERS,
    parse_go_live,
    parse_tier,
)


@pytest.mark.parametrize(
    ("text", "order", "day"),
    [
        ("2027-03-14", "", date(2027, 3, 14)),
        ("14.03.2027", "", date(2027, 3, 14)),
        ("03/14/2027", "", date(2027, 3, 14)),
        ("03/04/2027", "dmy", date(2027, 4, 3)),
        ("Q3 2026", "", date(2026, 9, 30)),
        ("2026-Q4", "", date(2026, 12, 31)),
        ("Feb 2028", "", date(2028, 2, 29)),
        ("2027", "", date(2027, 12, 31)),
        ("14. März 2027", "", date(2027, 3, 14)),
        ("Okt '26", "", date(2026, 10, 31)),
        ("14.03.27", "", date(2027, 3, 14)),
        ("14/03/27", "dmy", date(2027, 3, 14)),
    ],
)
def test_a_go_live_is_the_last_day_that_was_said(text, order, day):
    assert parse_go_live(text, order) == day


@pytest.mark.parametrize("text", ["Decision 2026", "Marketing 2027", "jui 2027", "after summer"])
def test_a_word_that_only_begins_like_a_month_is_none(text):
    assert parse_go_live(text) is None


@pytest.mark.parametrize("text", ["03/04/2027", "soon", "Q5 2026", "31.02.2027", "14/03/27", "May 25"])
def test_a_day_that_could_be_another_is_not_guessed(text):
    assert parse_go_live(text) is None


@pytest.mark.parametrize(
    ("text", "tier"),
    [
        ("High", "high"),
        ("high-risk (Annex III)", "high"),
        ("mittel", "limited"),
        ("low / medium", "limited"),
        ("gering", "minimal"),
        ("to be assessed", ""),
        ("none", ""),
        ("not high", ""),
        ("kein hoch", ""),
    ],
)
def test_a_tier_is_read_by_its_words_and_the_higher_of_two(text, tier):
    assert parse_tier(text) == tier


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (
            ["Initiative", "Owner", "Department", "Status", "Vendor", "Budget", "Go-live", "Ticket"],
            ["title", "owner", "unit", "stage", "vendor", "budget", "go_live_on", "ticket"],
        ),
        (
            ["Projekt", "Verantwortlich", "Abteilung", "Projektstatus", "Anbieter", "Kosten", "Währung"],
            ["title", "owner", "unit", "stage", "vendor", "budget", "currency"],
        ),
        (
            ["Nom", "Responsable", "Département", "Statut", "Fournisseur", "Mise en service"],
            ["title", "owner", "unit", "stage", "vendor", "go_live_on"],
        ),
    ],
)
def test_columns_are_guessed_by_their_headers(headers, expected):
    found = GUIDE.guess(headers, {})
    assert {found[role]: role for role in found} == dict(zip(headers, expected, strict=True))
    assert HEADERS.keys() == FIELDS.keys()


REGISTER = {
    "register_no": ["R-0401", "R-0402", "R-0403", "R-0404", "R-0405"],
    "name_ai_service_de": ["Parkplatzprognose", "Menüplaner", "Fundbüro-Suche", "Preisschilder", "Türdienst"],
    "name_ai_service_en": [
        "Parking forecast",
        "Menu planner",
        "Lost property search",
        "Price labels",
        "Door rota",
    ],
    "responsible_organisation": ["Facilities / Gebäude", "Facilities / Gebäude", "Retail / Handel"],
    "purpose_summary_en": ["Tells staff whether the car park will be full", "Proposes the canteen menu"],
    "supplier_information": ["Built in-house", "Tessera GmbH", "Modelwright Inc., hosted", "Built in-house"],
    "ai_service_status_en": ["In production", "In development", "in production", "Retired"],
    "ai_service_status_de": ["In Betrieb", "In Entwicklung", "In Betrieb", "Außer Betrieb"],
    "status_date": ["2025-06-01", "2026-02-11", "2025-11-20", "2024-12-31"],
    "handles_personal_data": ["N", "N", "Y", "N", "N"],
}
READ = {
    "title": "name_ai_service_en",
    "reference": "register_no",
    "unit": "responsible_organisation",
    "problem": "purpose_summary_en",
    "vendor": "supplier_information",
    "stage": "ai_service_status_en",
}


def test_headers_of_a_register_are_understood_in_the_language_of_the_installation():
    assert GUIDE.guess(list(REGISTER), REGISTER, language="en") == READ
    german = READ | {"title": "name_ai_service_de", "stage": "ai_service_status_de"}
    assert GUIDE.guess(list(REGISTER), REGISTER, language="de") == german


@pytest.mark.parametrize(
    ("values", "read"),
    [
        (
            {
                "BezeichnungKIDienst": ["Tischplan", "Rufbereitschaft"],
                "VerantwortlicheStelle": ["Amt für Bau", "Amt für Verkehr"],
                "ZweckDesSystems": ["Plant die Tische im Saal", "Teilt Dienste ein"],
                "StatusDatum": ["01.02.2026", "15.03.2026"],
                "StatusKISystem": ["In Betrieb", "In Erprobung"],
                "HerstellerAngaben": ["Eigenbau", "Tessera GmbH"],
                "ProjektKosten": ["1,5 Mio", "TEUR 40"],
            },
            {
                "title": "BezeichnungKIDienst",
                "unit": "VerantwortlicheStelle",
                "problem": "ZweckDesSystems",
                "stage": "StatusKISystem",
                "vendor": "HerstellerAngaben",
                "budget": "ProjektKosten",
            },
        ),
        (
            {
                "nom_service_ia_fr": ["Plan de salle", "Astreintes"],
                "statut_projet_fr": ["En service", "En développement"],
                "date_statut": ["2026-01-02", "2026-02-03"],
                "finalite_systeme_fr": ["Place les clients", "Répartit les équipes"],
                "informations_fournisseur": ["Interne", "Tessera SA"],
                "numero_de_registre": ["F-1", "F-2"],
            },
            {
                "title": "nom_service_ia_fr",
                "stage": "statut_projet_fr",
                "problem": "finalite_systeme_fr",
                "vendor": "informations_fournisseur",
                "reference": "numero_de_registre",
            },
        ),
        (
            {
                "nombreSistemaIA": ["Plan de mesas", "Turnos"],
                "estadoProyecto": ["En uso", "En desarrollo"],
                "fechaEstado": ["2026-01-02", "2026-02-03"],
                "proveedorSistema": ["Interno", "Tessera SL"],
                "descripcionServicio": ["Asigna mesas a clientes", "Reparte turnos"],
                "responsableProyecto": ["Ana Ruiz", "Luis Ortega"],
            },
            {
                "title": "nombreSistemaIA",
                "stage": "estadoProyecto",
                "vendor": "proveedorSistema",
                "problem": "descripcionServicio",
                "owner": "responsableProyecto",
            },
        ),
        (
            {
                "aiServiceName": ["Table plan", "Rota"],
                "serviceStatus2026": ["Live", "Pilot"],
                "businessOwner": ["Robert Miller", "ana.ruiz@corp.example"],
                "supplierInfo": ["In-house", "Tessera Ltd"],
                "totalBudgetEur": ["0.5m", "120k"],
                "plannedGoLive": ["Q3 2026", "2026-05-01"],
                "lastReviewDate": ["2026-01-02", "2026-02-03"],
            },
            {
                "title": "aiServiceName",
                "stage": "serviceStatus2026",
                "owner": "businessOwner",
                "vendor": "supplierInfo",
                "budget": "totalBudgetEur",
                "go_live_on": "plannedGoLive",
            },
        ),
    ],
)
def test_words_within_a_header_are_understood_in_other_languages(values, read):
    assert GUIDE.guess(list(values), values, language="en") == read


@pytest.mark.parametrize(
    ("header", "cells", "role"),
    [
        ("Status", ["2025-06-01", "2026-02-11", "2025-11-20"], "stage"),
        ("Vendor", ["Yes", "No", "Yes"], "vendor"),
        ("Project owner", ["Facilities / Gebäude", "Retail / Handel"], "owner"),
        ("Planned launch", ["Yes", "No", "No"], "go_live_on"),
        ("Expected benefits", ["Faster answers", "Fewer errors", "Less paper"], "benefit"),
        ("Benefits", ["Faster", "Fewer errors", "Less paper", "Better", "Cheaper"], "benefit"),
        ("Programme title", ["A", "A", "A", "B", "A", "B"], "title"),
    ],
)
def test_a_guess_is_checked_against_the_cells(header, cells, role):
    columns = [header, "Notes"]
    assert GUIDE.guess(columns, {})[role] == header, "by its header it would be"
    assert role not in GUIDE.guess(columns, {header: cells})


PEOPLE = Directory(
    [
        Known(1, "Robert Miller", "rmiller", "robert.miller@corp.example"),
        Known(2, "Ana Ruiz", "ana", "ana@corp.example"),
        Known(3, "Zoë Großmann", "zg", ""),
        Known(4, "Jan Smit", "jsmit", "jan@corp.example"),
        Known(5, "Jan Smit", "jsmit2", "jan.smit@corp.example"),
        Known(6, "Kim Park", "kim", ""),
        Known(7, "Kim Olsen", "kolsen", ""),
    ]
)


@pytest.mark.parametrize(
    ("cell", "person", "how"),
    [
        ("robert.miller@corp.example", 1, "address"),
        ("Bob <Robert.Miller@corp.example>", 1, "address"),
        ("rmiller", 1, "login"),
        ("Ana Ruiz", 2, "name"),
        ("RUIZ, Ana", 2, "name"),
        ("Dr. Zoe Grossmann", 3, "name"),
    ],
)
def test_who_is_certain(cell, person, how):
    found = PEOPLE.match(cell)
    assert (found.person, found.how) == (person, how)


@pytest.mark.parametrize(
    ("cell", "candidates"),
    [
        ("Bob Miller", [1]),
        ("R. Miller", [1]),
        ("Anna Ruiz", [2]),
        ("Jan Smit", [4, 5]),
        ("Jan", [4, 5]),
        ("Kim", [6, 7]),
        ("Marketing team", []),
        ("", []),
        ("Robert Miller <bob@elsewhere.example>", [1]),
        ("Robert Miller 2", [1]),
    ],
)
def test_who_is_not_certain_is_asked_about(cell, candidates):
    found = PEOPLE.match(cell)
    assert found.person is None
    assert found.candidates == candidates


SIX = [
    "Rossi, Anna",
    "A. Rossi",
    "anna.rossi@corp.example",
    "ANNA.ROSSI@CORP.EXAMPLE",
    "Anna Rossi",
    "Rossi Anna",
]


def test_spellings_of_one_person_are_one_question():
    assert spellings(SIX, lambda cell: []) == [SIX]
    assert address_in(SIX) == "anna.rossi@corp.example"
    assert name_in(SIX) == "Anna Rossi"
    assert name_in(["A. Rossi", "Rossi, Anna"]) == "Anna Rossi"


@pytest.mark.parametrize(
    ("cells", "others", "groups"),
    [
        (["Anna Rossi", "A. Rossi"], ["Alberto Rossi"], [["Anna Rossi"], ["A. Rossi"]]),
        (["Anna Rossi", "Alba Rossi", "A. Rossi"], [], [["Anna Rossi"], ["Alba Rossi"], ["A. Rossi"]]),
        (["Anna Rossi", "Rossi", "Anna"], [], [["Anna Rossi"], ["Rossi"], ["Anna"]]),
        (["Anna Rossi <a@x.example>", "Anna Rossi <b@x.example>", "Anna Rossi"], [], None),
        (["Person 1", "Person 2"], [], [["Person 1"], ["Person 2"]]),
        (["?!", "--+"], [], [["?!"], ["--+"]]),
    ],
)
def test_people_who_may_be_two_stay_two_questions(cells, others, groups):
    assert spellings(cells, lambda cell: others) == (groups or [[cell] for cell in cells])
