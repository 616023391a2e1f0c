"""A sheet that is brought again after changes: its list of changes equals the changes that were made."""

import random
from datetime import date

import pytest
from django.db import transaction

from governance.organisation import actions as organisation_actions
from governance.organisation import people_import
from governance.tables.reader import read_table
from initiatives.portfolio.imports.portfolio import actions as portfolio_actions
from initiatives.portfolio.imports.systems import actions as system_actions
from initiatives.portfolio.imports.systems import systems_table

pytestmark = pytest.mark.django_db
ROWS = 20


class Portfolio:
    """The own portfolio: changes are proposed row by row."""

    columns = ("Ticket", "Title", "Status", "Description", "Vendor", "Budget", "Currency", "Go-live")
    fields = ("", "title", "", "problem", "vendor", "budget", "", "go_live_on")

    def __init__(self, cast, dice):
        self.cast, self.dice = cast, dice

    def row(self, place):
        return [f"P-{place}", *self.others(place)]

    def others(self, place):
        return [
            f"Initiative {place} {self.dice.randrange(10**6)}",
            "Pilot",
            f"Calls take {self.dice.randrange(10**6)} minutes",
            f"Vendor {self.dice.randrange(10**6)}",
            str(self.dice.randrange(1, 10**6)),
            "EUR",
            date.fromordinal(self.dice.randrange(738_000, 740_000)).isoformat(),
        ]

    def enter(self, text):
        batch = portfolio_actions.upload_portfolio(
            content=text.encode(), file_name="a.csv", by=self.cast.admin
        )
        portfolio_actions.confirm_portfolio(batch=batch, by=self.cast.admin)

    def again(self, text):
        batch = portfolio_actions.upload_portfolio(
            content=text.encode(), file_name="b.csv", by=self.cast.admin
        )
        rows = batch.rows.order_by("line")
        changes = {
            row.mapped["key"]: {each["field"] for each in row.mapped["changes"]}
            for row in rows
            if row.decision == "change"
        }
        return changes, {row.mapped["key"] for row in rows if row.decision == "import"}


class Systems(Portfolio):
    """The systems: changes are offered line by line."""

    columns = ("Key", "Name", "Kind", "Owner", "Purpose", "Location", "Unit", "Last updated", "Regions")
    fields = ("", "name", "kind", "owner", "purpose", "location", "unit", "last_updated_on", "regions")

    def others(self, place):
        day = date.fromordinal(self.dice.randrange(737_000, 739_000))
        return [
            f"System {place} {self.dice.randrange(10**6)}",
            self.dice.choice(("wiki", "database", "SaaS")),
            self.dice.choice([one.login for one in self.cast.people.values() if one.is_active]),
            f"Takes {self.dice.randrange(10**6)} orders",
            f"Rack {self.dice.randrange(10**6)}",
            self.dice.choice((self.cast.unit.name, self.cast.elsewhere.code)),
            day.isoformat(),
            self.dice.choice(("EU", "US", "CH, EU")),
        ]

    def enter(self, text):
        system_actions.import_systems(table=read_table(text.encode()), kinds={}, by=self.cast.admin)

    def again(self, text):
        lines = systems_table.read(read_table(text.encode()), {}).lines
        return (
            {line.cells["source_key"]: set(line.offered) for line in lines if line.offered},
            {line.cells["source_key"] for line in lines if line.known is None},
        )


class People(Portfolio):
    """The people: an account that is here stays, and each difference is told."""

    columns = ("User name", "Name", "Mail", "Unit", "Manager")
    fields = ("", "name", "mail", "unit", "manager")

    def row(self, place):
        return [f"person-{place}", *self.others(place)]

    def others(self, place):
        number = self.dice.randrange(10**6)
        return [
            f"Ana Ruiz {number}",
            f"ana{number}.{place}@example.org",
            self.dice.choice((self.cast.unit.code, self.cast.elsewhere.code)),
            self.dice.choice(("owner", "lead", "chair")),
        ]

    def enter(self, text):
        organisation_actions.add_people(table=read_table(text.encode()), invite=False, by=self.cast.admin)

    def again(self, text):
        lines = people_import.read(read_table(text.encode()), by=self.cast.admin).lines
        told = {line.cells["login"]: {words.split()[1] for words in line.remarks} for line in lines}
        return (
            {login: names for login, names in told.items() if names},
            {line.cells["login"] for line in lines if line.known is None},
        )


def written(columns, rows):
    return "\n".join(";".join(row) for row in [columns, *rows])


@pytest.mark.parametrize("kind", [Portfolio, Systems, People])
def test_the_list_of_changes_equals_the_changes_that_were_made(cast, kind, rounds):
    """Five seeds, or thirty with `--rounds 30`."""
    for seed in range(rounds):
        dice = random.Random(seed)
        sheet = kind(cast, dice)
        rows = [sheet.row(place) for place in range(ROWS)]
        with transaction.atomic():
            sheet.enter(written(sheet.columns, rows))
            made = {}
            for _ in range(dice.randrange(1, 30)):
                place = dice.randrange(ROWS)
                at = dice.choice([at for at, name in enumerate(sheet.fields) if name])
                new = sheet.row(place)[at]
                if new != rows[place][at] and sheet.fields[at] not in made.get(rows[place][0], ()):
                    rows[place][at] = new
                    made.setdefault(rows[place][0], set()).add(sheet.fields[at])
            gone = rows.pop(dice.randrange(len(rows)))
            made.pop(gone[0], None)
            new = sheet.row(ROWS)
            dice.shuffle(rows)
            assert sheet.again(written(sheet.columns, [*rows, new])) == (made, {new[0]}), seed
            transaction.set_rollback(True)
