"""The read API against the page of the same person on the same day: for the suite and the drill of 1,000 pairs."""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.test import Client

from governance.vocabulary import Seat, Stage
from governance.web.pages.as_of_views import Day
from initiatives.lifecycle.facts import open_requirements
from initiatives.models import Review
from tests.support.initiatives import past_year
from tests.support.servers.api_reader import Reader

PEOPLE = ("auditor", "owner", "chair", "seat_risk", "lead", "admin", "outsider")


def same(value: Any) -> Any:
    """A value of a page as JSON has it."""
    return json.loads(json.dumps(value, cls=DjangoJSONEncoder))


def page_of_initiative(context) -> dict:
    """What the overview says."""
    row, support, review = context["initiative"], context["support"], context["open_review"]
    return {
        "ref": row.ref,
        "title": row.title,
        "former_titles": context["former"],
        "problem": row.problem,
        "confidential": row.confidential,
        "approved_stage": row.stage,
        "basis": context["rests_on"],
        "supported_stage": support.supported if support.supported not in (None, Stage.PROPOSED) else None,
        "unsupported_stages": support.unsupported_stages,
        "scale_tests": {test["key"]: str(test["outcome"]) for test in context["tests"]},
        "open_requirements": {
            which: open_requirements.total(context["open"], which) for which in open_requirements.FOR
        },
        "open_review": review.pk if review else None,
        "review_by": context["ends"],
        "people": [
            {"role": one.role, "person": one.person.full_name, "accepted_at": one.accepted_at}
            for one in context["people"]
        ],
        "gaps": sorted(gap.pk for gap in context["gaps"]),
        "obligations": sorted((one.pk, one.due) for one in context["obligations"]),
    }


def read_of_initiative(reader: Reader, ref: str, **query) -> dict:
    """The same out of the API, which has obligations at an address of their own."""
    data = reader.read(f"initiatives/{ref}", **query)["data"]
    duties = reader.rows("obligations", initiative=ref, limit=1, **query)
    return data | {
        "gaps": sorted(gap["id"] for gap in data["gaps"]),
        "obligations": sorted([one["id"], one["due"]] for one in duties),
    }


def page_of_requirements(context) -> list:
    """The rows of the page, each by key: state, level, whether met, who is awaited, and the answer."""
    rows = [row for group in context["groups"] for row in group["rows"]]
    found = [
        [
            row["key"],
            row["state"].state,
            row["state"].level or None,
            row["group"] == "met",
            None if row["group"] == "met" else str(row["who"]).replace("You", context["user"].full_name),
            row["answer"].text if row["answer"] else None,
            row["state"].last_day,
        ]
        for row in rows
    ]
    return sorted(found, key=lambda row: row[0])


def read_of_requirements(reader: Reader, ref: str, **query) -> list:
    """The same out of the API, some rows at a time."""
    found = [
        [
            row["key"],
            row["state"],
            row["level"],
            row["met"],
            row["waits_for"],
            row["answer"]["text"] if row["answer"] else None,
            row["last_day"],
        ]
        for row in reader.rows(f"initiatives/{ref}/requirements", limit=17, **query)
    ]
    return sorted(found, key=lambda row: row[0])


def page_of_contract(context) -> dict:
    """The versions, the one that is shown, and its clauses."""
    shown, in_force = context["shown"], context["in_force"]
    clauses = [(clause.number, clause.sentence) for _, group in context["columns"] for clause in group]
    return {
        "versions": [version.number for version in context["page"]],
        "shown": shown.number if shown else None,
        "in_force": in_force.number if in_force else None,
        "clauses": sorted(clauses),
        "approvals": [[seat, str(one.person) if one else None] for seat, one in context["approvals"]],
    }


def read_of_contract(reader: Reader, ref: str, **query) -> dict:
    """The same out of the API."""
    data = reader.read(f"initiatives/{ref}/contract", **query)["data"]
    return {
        "versions": [one["number"] for one in data["versions"]],
        "shown": data["shown"],
        "in_force": data["in_force"],
        "clauses": sorted([one["number"], one["sentence"]] for one in data["clauses"]),
        "approvals": [[Seat.word(one["seat"]), one["person"]] for one in data["approvals"]],
    }


def page_of_review(context) -> dict:
    """The criteria with their state, and the current sign-offs."""
    return {
        "outcome": context["review"].outcome,
        "criteria": [[line.key, line.word, list(line.reasons)] for line in context["lines"]],
        "sign_offs": [[cast.row.pk, cast.row.verdict, list(cast.stale)] for cast in context["sign_offs"]],
    }


def read_of_review(reader: Reader, pk: int, **query) -> dict:
    """The same out of the API."""
    data = reader.read(f"reviews/{pk}", **query)["data"]
    return {
        "outcome": data["outcome"],
        "criteria": [[one["key"], one["state"], one["reasons"]] for one in data["criteria"]],
        "sign_offs": [[one["id"], one["verdict"], one["stale"]] for one in data["sign_offs"]],
    }


def page_of_portfolio(pages: Iterable) -> list:
    """The rows of all pages of the portfolio."""
    return sorted(
        [
            row.ref,
            row.title,
            row.stage,
            row.supported if row.supported not in ("recomputing", Stage.PROPOSED) else None,
            row.unsupported_stages,
            row.held,
            row.owner_name,
            row.next_due,
        ]
        for context in pages
        for row in context["page"]
    )


def read_of_portfolio(reader: Reader, **query) -> list:
    """The same out of the API, two at a time."""
    return sorted(
        [
            row["ref"],
            row["title"],
            row["approved_stage"],
            row["supported_stage"],
            row["unsupported_stages"],
            row["held"],
            row["owner"],
            row["next_due"],
        ]
        for row in reader.rows("initiatives", limit=2, **query)
    )


class Compared:
    """A person with a browser and a token, who asks pages and API the same."""

    def __init__(self, person):
        self.browser, self.reader = Client(), Reader(person)
        self.browser.force_login(person)

    def differs(self, page: str, address: str, of_page: Callable, of_api: Callable, **query) -> str:
        """What the answer of the API says other than the page; "" if nothing."""
        shown = self.browser.get(page, query)
        got = self.reader.get(address, query)
        if got.status_code != shown.status_code:
            return f"{address}: the page answers {shown.status_code}, the API {got.status_code}"
        if shown.status_code != 200:
            return ""
        one, other = same(of_page(shown.context)), of_api(self.reader)
        if isinstance(one, dict):
            other = {name: other[name] for name in one}
        return "" if one == other else f"{address}: {_first(one, other)}"

    def portfolio_differs(self, **query) -> str:
        """The same of the portfolio, whose page is one of several."""
        shown = self.browser.get("/initiatives/", query)
        got = self.reader.get("initiatives", query)
        if got.status_code != shown.status_code:
            return f"initiatives: the page answers {shown.status_code}, the API {got.status_code}"
        if shown.status_code != 200:
            return ""
        contexts = [shown.context]
        for number in range(2, shown.context["page"].paginator.num_pages + 1):
            contexts.append(self.browser.get("/initiatives/", query | {"page": number}).context)
        one, other = same(page_of_portfolio(contexts)), read_of_portfolio(self.reader, **query)
        return "" if one == other else f"initiatives: {_first(one, other)}"


def _first(one: Any, other: Any) -> str:
    if isinstance(one, dict):
        name = next(name for name in one if one[name] != other[name])
        return f"{name}: the page has {one[name]}, the API {other[name]}"[:600]
    pairs = [(a, b) for a, b in zip(one, other, strict=False) if a != b]
    return f"{len(one)} and {len(other)} rows, the first that differ: {pairs[:1]}"[:600]


def compared(cast, refs: list[str], count: int, *, seed: int) -> tuple[list[str], Counter]:
    """Ask so many random pairs of page and API of an initiative, a person and an instant of the year.

    Returns what differs, and how many pairs there were by address and status.
    """
    chance, wrong, asked = random.Random(seed), [], Counter()
    people = {name: Compared(getattr(cast, name)) for name in PEOPLE}
    reviews = list(Review.objects.values_list("pk", flat=True))
    for _ in range(count):
        who, ref = chance.choice(PEOPLE), chance.choice(refs)
        moment = past_year.BEGINS + timedelta(seconds=chance.randrange(past_year.DAYS * 86_400))
        on = {"as_of": chance.choice([Day.of(moment).asked, moment.date().isoformat()])}
        one = people[who]
        kind = chance.choice(["portfolio", "initiative", "requirements", "contract", "review"])
        if kind == "portfolio":
            found = one.portfolio_differs(**on)
        elif kind == "review":
            pk = chance.choice(reviews)
            found = one.differs(
                f"/reviews/{pk}/", f"reviews/{pk}", page_of_review,
                lambda reader, pk=pk, on=on: read_of_review(reader, pk, **on), **on,
            )  # fmt: skip
        else:
            below = "" if kind == "initiative" else f"{kind}/"
            of_page = {
                "initiative": page_of_initiative,
                "requirements": page_of_requirements,
                "contract": page_of_contract,
            }[kind]
            of_api = {
                "initiative": read_of_initiative,
                "requirements": read_of_requirements,
                "contract": read_of_contract,
            }[kind]
            found = one.differs(
                f"/initiatives/{ref}/{below}",
                f"initiatives/{ref}/{below}".rstrip("/"),
                of_page,
                lambda reader, of_api=of_api, ref=ref, on=on: of_api(reader, ref, **on),
                **on,
            )
        asked[kind] += 1
        if found:
            wrong.append(f"{who}, {on['as_of']}, {found}")
    return wrong, asked
