"""A portfolio as companies keep it: gaps, nicknames, short names of departments, days in three shapes."""

import csv
import io
import random
from dataclasses import dataclass, field

HEADER = (
    *("Initiative", "Business owner", "Department", "Status", "Description", "Supplier"),
    *("Budget", "Currency", "Go-live", "Jira key", "Risk"),
)
STATUSES = {
    "Idea": "proposed",
    "Backlog": "proposed",
    "PoC": "prototype",
    "In development": "prototype",
    "Pilot": "mvp",
    "Rollout": "mvp",
    "Live": "production",
    "In production": "production",
    "Cancelled": "stopped",
}
FIRST = ("Ana", "Robert", "Ingrid", "Pieter", "Chiara", "Oskar", "Fatima", "James", "Elena", "Tomasz")
SHORT = {"Robert": "Bob", "James": "Jim", "Elena": "Lena", "Pieter": "Piet"}
LAST = ("Bakker", "Keller", "Moreau", "Rossi")
DEPARTMENTS = ("Sales", "Finance", "Claims", "Logistics", "Legal", "Human Resources", "Service", "Research")
THINGS = ("triage", "summary", "forecast", "matching", "search", "routing", "drafting", "review")


@dataclass
class Sheet:
    """The sheet, and what is right: stages by title; owners by title, where they are certain."""

    people: list[tuple[str, str, str]]  # name, login, address
    rows: list[dict[str, str]]
    stages: dict[str, str] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)  # login
    asked_about: set[str] = field(default_factory=set)  # words for an owner that are not certain

    @property
    def content(self) -> bytes:
        """The file, as a spreadsheet of Western Europe saves it."""
        out = io.StringIO()
        writer = csv.DictWriter(out, HEADER, delimiter=";")
        out.write("AI portfolio, state of play;;;;;;;;;;\r\n")
        writer.writeheader()
        writer.writerows(self.rows)
        return out.getvalue().encode("utf-8-sig")


def make(count: int = 300, seed: int = 27) -> Sheet:
    """So many initiatives of forty people in eight departments."""
    chance = random.Random(seed)
    people = [
        (f"{first} {last}", f"{first}{last}".lower(), f"{first}{last}@example.org".lower())
        for first, last in ((first, last) for first in FIRST for last in LAST)
    ]
    sheet = Sheet(people, [])
    for number in range(count):
        name, login, address = chance.choice(people)
        title = f"{chance.choice(DEPARTMENTS)} {chance.choice(THINGS)} {number + 1}"
        status = chance.choice([*STATUSES, *["Pilot", "Live", "Idea"]])
        first, last = name.split()
        way = chance.random()
        if way < 0.35:
            owner, certain = name, True
        elif way < 0.6:
            owner, certain = address.upper() if number % 2 else address, True
        elif way < 0.7:
            owner, certain = f"{last}, {first}", True
        elif way < 0.78 and first in SHORT:
            owner, certain = f"{SHORT[first]} {last}", False
        else:
            owner, certain = "", False
        day = (chance.randint(1, 28), chance.randint(1, 12), chance.choice([2025, 2026, 2027]))
        written = chance.choice(
            [
                "",
                f"{day[2]}-{day[1]:02}-{day[0]:02}",
                f"{day[0]:02}.{day[1]:02}.{day[2]}",
                f"Q{(day[1] + 2) // 3} {day[2]}",
            ]
        )
        amount = chance.randint(10, 900)
        sheet.rows.append(
            dict(
                zip(
                    HEADER,
                    (
                        title,
                        owner,
                        chance.choice([*DEPARTMENTS, ""]),
                        status,
                        chance.choice(["", f"People spend hours on {title.lower()}."]),
                        chance.choice(["", "", "Acme", "Northwind", "N/A"]),
                        chance.choice(["", f"{amount}k", f"{amount}.000", f"€ {amount},5k"]),
                        chance.choice(["", "EUR"]),
                        written,
                        f"AI-P-{number + 1}" if chance.random() < 0.8 else "",
                        chance.choice(["", "", "high", "Low", "medium"]),
                    ),
                    strict=True,
                )
            )
        )
        sheet.stages[title] = STATUSES[status]
        if certain:
            sheet.owners[title] = login
        elif owner:
            sheet.asked_about.add(owner)
    return sheet
