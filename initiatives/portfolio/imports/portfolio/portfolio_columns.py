"""Columns and cells of an organisation's sheet. Pure: no lookups, and no silent guesses."""

import re
from calendar import monthrange
from datetime import date

from governance.tables.column_values import Guide
from governance.tables.columns import parse_date
from governance.vocabulary import Tier
from initiatives.portfolio.imports.inventories import header_synonyms as inventories

# What is read from a row, and what the page calls it.
FIELDS = {
    "title": "Title",
    "reference": "Reference",
    "unit": "Department",
    "owner": "Owner",
    "stage": "Status",
    "problem": "Problem",
    "vendor": "Vendor",
    "tier": "Risk tier",
    "budget": "Budget",
    "run_cost": "Run cost a year",
    "benefit": "Benefit a year",
    "currency": "Currency",
    "go_live_on": "Go-live",
    "ticket": "Ticket",
}
AMOUNTS = ("budget", "run_cost", "benefit")
# Headers by which each is guessed, the likeliest first; in the languages that portfolios are kept in.
HEADERS = {
    "title": (
        "title", "initiative", "name", "use case", "project", "project name", "use case name", "ai use case",
        "solution", "product", "titel", "bezeichnung", "projekt", "initiatief", "naam", "projet", "nom", "titre",
        "iniciativa", "proyecto", "nombre", "progetto", "nome", "título", "projeto",
    ),
    "reference": (
        "reference", "plumbline reference", "initiative reference", "register no", "register number", "register nr",
        "registration number", "registry number", "registernummer", "registriernummer", "numéro de registre",
        "número de registro", "numero di registro", "registratienummer",
    ),
    "unit": (
        "unit", "department", "business unit", "division", "area", "team", "function", "bereich", "abteilung",
        "afdeling", "département", "service", "departamento", "área", "reparto", "direction",
    ),
    "owner": (
        "owner", "business owner", "responsible", "accountable", "lead", "project lead", "sponsor", "verantwortlich",
        "verantwortliche", "eigenaar", "responsable", "eigner", "projektleiter", "referente", "responsabile",
        "responsável", "contact", "product owner",
    ),
    "stage": (
        "approved stage", "status", "stage", "phase", "state", "lifecycle", "maturity", "projektstatus",
        "projectstatus", "statut", "estado", "fase", "étape", "stato", "situação", "stand",
    ),
    "problem": (
        "problem", "description", "purpose", "objective", "goal", "summary", "business problem", "beschreibung",
        "zweck", "omschrijving", "doel", "objectif", "objetivo", "descripción", "descrizione", "descrição", "ziel",
    ),
    "vendor": (
        "vendor", "supplier", "provider", "partner", "anbieter", "lieferant", "leverancier", "fournisseur",
        "proveedor", "fornitore", "fornecedor",
    ),
    "tier": (
        "risk tier", "risk", "risk class", "risk level", "risk category", "eu ai act class", "criticality", "risiko",
        "risikoklasse", "risico", "risque", "riesgo", "rischio", "risco",
    ),
    "budget": (
        "budget", "approved budget", "capex", "project cost", "investment", "cost", "total cost", "kosten",
        "investition", "begroting", "coût", "presupuesto", "costo", "orçamento",
    ),
    "run_cost": (
        "run cost a year", "run cost", "annual cost", "opex", "yearly cost", "running cost", "cost per year",
        "betriebskosten", "laufende kosten", "jaarlijkse kosten", "coût annuel", "coste anual",
    ),
    "benefit": (
        "benefit a year", "benefit", "benefits", "expected benefit", "annual benefit", "value", "savings",
        "expected value", "nutzen", "baten", "bénéfice", "beneficio", "ahorro", "roi",
    ),
    "currency": ("currency", "währung", "valuta", "devise", "moneda", "moeda"),
    "go_live_on": (
        "go-live", "go live", "go live date", "target date", "planned go-live", "launch", "launch date", "due date",
        "target go-live", "einführung", "produktivstart", "livegang", "ingebruikname", "mise en service",
        "puesta en marcha", "fecha de inicio", "data di avvio", "rollout", "start",
    ),
    "ticket": (
        "ticket", "jira", "jira key", "issue key", "key", "id", "project id", "number", "no", "nr", "ref",
        "identifier", "issue", "demand id", "projektnummer", "vorgang",
    ),
}  # fmt: skip
# What else a header of an inventory may be called.
for _role, _theirs in (
    *(
        ("title", "title"),
        ("unit", "bureau"),
        ("unit", "organisation"),
        ("stage", "stage"),
        ("problem", "problem"),
    ),
    ("vendor", "vendor"),
    ("ticket", "key"),
):
    HEADERS[_role] = tuple(dict.fromkeys((*HEADERS[_role], *inventories.ALIASES[_theirs])))
# What the cells of a column are, by which a guess is checked.
KINDS = {
    **{
        "title": "title",
        "reference": "id",
        "unit": "words",
        "owner": "person",
        "stage": "status",
        "problem": "words",
    },
    **{"vendor": "words", "tier": "status", "currency": "currency", "go_live_on": "day", "ticket": "id"},
} | dict.fromkeys(AMOUNTS, "amount")
# What a header speaks of besides, by which it is another field than its words suggest.
NEVER = {role: inventories.NEVER[role] for role in ("title", "stage", "problem", "vendor")} | {
    "unit": inventories.NEVER["bureau"],
    "owner": (
        r"\b(?:organi[sz]ation|organisme|organismo|organizacion|organizzazione|organizacao|organisatie|department|unit|team"
        r"|agency|authority|company|entity|entite|entidad|behorde|stelle|abteilung|bereich|amt|einrichtung|ministry|data"
        r"|type|dates?|status|afdeling|departement|departamento|servicio|reparto|ente|azienda|empresa|bedrijf)\b"
    ),
    "ticket": inventories.NEVER["key"],
    "reference": inventories.NEVER["key"],
    "tier": r"\b(?:mitigation|owner|comments?|notes?|dates?|description|beschreibung)\b",
}
GUIDE = Guide(HEADERS, KINDS, NEVER)
TIERS = {
    Tier.HIGH: ("high", "high-risk", "critical", "severe", "hoch", "hoog", "élevé", "alto", "unacceptable"),
    Tier.LIMITED: (
        "limited",
        "medium",
        "moderate",
        "mittel",
        "begrenzt",
        "middel",
        "beperkt",
        "moyen",
        "medio",
    ),
    Tier.MINIMAL: ("minimal", "low", "niedrig", "gering", "laag", "faible", "bajo", "basso", "baixo"),
}
NEGATED = {"not", "no", "non", "none", "nicht", "kein", "keine", "niet", "geen", "pas", "sin", "sem"}
UNREAD = {  # what is said of a cell that cannot be read, by field
    "go_live_on": "is not a clear day, month, quarter or year",
    "tier": "is not a known risk tier",
} | dict.fromkeys(AMOUNTS, "is not a clear amount")


def parse_go_live(text: str, order: str = "") -> date | None:
    """Return the last day of a planned go-live: a day, quarter, month or year.

    The last day promises least. `order` is that of `parse_date`. Returns None for other text.
    """
    if found := re.fullmatch(
        r"(?:Q([1-4])[\s/-]*(\d{4})|(\d{4})[\s/-]*Q([1-4]))", text.strip(), re.IGNORECASE
    ):
        quarter, year = int(found[1] or found[4]), int(found[2] or found[3])
        return date(year, 3 * quarter, monthrange(year, 3 * quarter)[1])
    said = parse_date(text, order)
    if not said:
        return None
    year, month, day = (*map(int, said.split("-")), 0, 0)[:3]
    month = month or 12
    return date(year, month, day or monthrange(year, month)[1])


def parse_tier(text: str) -> str:
    """Return the risk tier that the words of a cell name, the higher of two, or ""."""
    words = re.findall(r"[\w-]+", text.casefold())
    if NEGATED.intersection(words):
        return ""
    return next((tier for tier, known in TIERS.items() if any(word in known for word in words)), "")
