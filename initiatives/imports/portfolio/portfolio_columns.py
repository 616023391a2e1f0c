"""Columns and cells of a sheet of one's own initiatives. Pure: nothing is looked up, nothing guessed silently."""

import re
from calendar import monthrange
from datetime import date
from decimal import Decimal

from governance.tables.columns import parse_date, parse_number
from governance.vocabulary import Tier

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
LARGEST = Decimal(10) ** 14  # what no amount reaches, as business cases keep them
# Headers by which each is guessed, the likeliest first; in the languages that portfolios are kept in.
HEADERS = {
    "title": (
        *(
            "title",
            "initiative",
            "name",
            "use case",
            "project",
            "project name",
            "use case name",
            "ai use case",
        ),
        *("solution", "product", "titel", "bezeichnung", "projekt", "initiatief", "naam", "projet", "nom"),
        *("titre", "iniciativa", "proyecto", "nombre", "progetto", "nome", "título", "projeto"),
    ),
    "reference": ("reference", "plumbline reference", "case reference"),
    "unit": (
        *("unit", "department", "business unit", "division", "area", "team", "function", "bereich"),
        *("abteilung", "afdeling", "département", "service", "departamento", "área", "reparto", "direction"),
    ),
    "owner": (
        *("owner", "business owner", "responsible", "accountable", "lead", "project lead", "sponsor"),
        *("verantwortlich", "verantwortliche", "eigenaar", "responsable", "eigner", "projektleiter"),
        *("referente", "responsabile", "responsável", "contact", "product owner"),
    ),
    "stage": (
        *("claimed stage", "approved stage", "status", "stage", "phase", "state", "lifecycle", "maturity"),
        *(
            "projektstatus",
            "projectstatus",
            "statut",
            "estado",
            "fase",
            "étape",
            "stato",
            "situação",
            "stand",
        ),
    ),
    "problem": (
        *("problem", "description", "purpose", "objective", "goal", "summary", "business problem"),
        *("beschreibung", "zweck", "omschrijving", "doel", "objectif", "objetivo", "descripción"),
        *("descrizione", "descrição", "ziel"),
    ),
    "vendor": (
        *("vendor", "supplier", "provider", "partner", "anbieter", "lieferant", "leverancier", "fournisseur"),
        *("proveedor", "fornitore", "fornecedor"),
    ),
    "tier": (
        *("risk tier", "risk", "risk class", "risk level", "risk category", "eu ai act class", "criticality"),
        *("risiko", "risikoklasse", "risico", "risque", "riesgo", "rischio", "risco"),
    ),
    "budget": (
        *("budget", "approved budget", "capex", "project cost", "investment", "cost", "total cost"),
        *("kosten", "investition", "begroting", "coût", "presupuesto", "costo", "orçamento"),
    ),
    "run_cost": (
        *(
            "run cost a year",
            "run cost",
            "annual cost",
            "opex",
            "yearly cost",
            "running cost",
            "cost per year",
        ),
        *("betriebskosten", "laufende kosten", "jaarlijkse kosten", "coût annuel", "coste anual"),
    ),
    "benefit": (
        *("benefit a year", "benefit", "benefits", "expected benefit", "annual benefit", "value", "savings"),
        *("expected value", "nutzen", "baten", "bénéfice", "beneficio", "ahorro", "roi"),
    ),
    "currency": ("currency", "währung", "valuta", "devise", "moneda", "moeda"),
    "go_live_on": (
        *("go-live", "go live", "go live date", "target date", "planned go-live", "launch", "launch date"),
        *("due date", "target go-live", "einführung", "produktivstart", "livegang", "ingebruikname"),
        *("mise en service", "puesta en marcha", "fecha de inicio", "data di avvio", "rollout", "start"),
    ),
    "ticket": (
        *("ticket", "jira", "jira key", "issue key", "key", "id", "project id", "number", "no", "nr", "ref"),
        *("identifier", "issue", "demand id", "projektnummer", "vorgang"),
    ),
}
SIGNS = {"€": "EUR", "£": "GBP", "$": "USD", "¥": "JPY", "₹": "INR", "zł": "PLN"}
# What is taken for a currency inside a cell of an amount.
CURRENCIES = {
    *("AED", "ARS", "AUD", "BGN", "BRL", "CAD", "CHF", "CLP", "CNY", "COP", "CZK", "DKK", "EUR"),
    *("GBP", "HKD", "HUF", "IDR", "ILS", "INR", "JPY", "KRW", "MXN", "MYR", "NOK", "NZD", "PEN"),
    *("PHP", "PLN", "RON", "SAR", "SEK", "SGD", "THB", "TRY", "TWD", "UAH", "USD", "VND", "ZAR"),
}
TIMES = {
    "k": 1_000,
    "tsd": 1_000,
    "t€": 1_000,
    "m": 1_000_000,
    "mio": 1_000_000,
    "mn": 1_000_000,
    "million": 1_000_000,
}
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
    Tier.MINIMAL: ("minimal", "low", "none", "niedrig", "gering", "laag", "faible", "bajo", "basso", "baixo"),
}
UNREAD = {  # what is said of a cell that cannot be read, by field
    "go_live_on": "could not be read as a day, month, quarter or year without guessing",
    "tier": "is no risk tier that is known here",
} | dict.fromkeys(AMOUNTS, "could not be read as an amount")


def parse_amount(text: str) -> tuple[Decimal | None, str]:
    """An amount and the currency that stands with it, "" for none: "€ 120k", "1.2 Mio CHF", "120.000,50".

    Three digits behind a single point or comma are thousands: no amount has three decimals. None for all else, and
    for what is too large to be one: a number of a contract, say, in a column that was taken for amounts.
    """
    rest, currency = text.strip(), ""
    for sign, code in SIGNS.items():
        if sign in rest:
            rest, currency = rest.replace(sign, " "), code
    found = re.search(r"\b([A-Z]{3})\b", rest)
    if found and found[1] in CURRENCIES:
        currency, rest = found[1], rest.replace(found[0], " ", 1)
    rest = re.sub(r"(\.|,)(-{1,2}|\u2013)\s*$", "", rest.strip())
    found = re.fullmatch(r"(-?[\d.,'\s\u00a0]+?)\s*([A-Za-z]*)\.?", rest.strip())
    if not found or (found[2] and found[2].casefold() not in TIMES):
        return None, currency
    number = found[1].strip()
    if re.fullmatch(r"-?\d{1,3}([.,]\d{3})+", number) and len(set(re.findall(r"[.,]", number))) == 1:
        number = re.sub(r"[.,]", "", number)
    amount = parse_number(number, thousands=True)
    times = TIMES.get(found[2].casefold(), 1)
    if amount is None or abs(amount * times) >= LARGEST:
        return None, currency
    return (amount * times).quantize(Decimal("0.01")), currency


def parse_go_live(text: str, order: str = "") -> date | None:
    """The day of a planned go-live; of a quarter, a month or a year its last day, which promises least.

    `order`: how days are written, as for `parse_date`. None for what cannot be told.
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
    """The risk tier that the words of a cell name; "" for none. Where words of two tiers stand, the higher."""
    words = re.findall(r"[\w-]+", text.casefold())
    return next((tier for tier, known in TIERS.items() if any(word in known for word in words)), "")
