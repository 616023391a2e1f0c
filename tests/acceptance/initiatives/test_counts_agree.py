"""Every page that counts what is open on an initiative says the same two numbers (R3)."""

import csv
import random
import re
from datetime import timedelta

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.urls import reverse

from adoption.demo import initiative_acts
from governance import clock
from initiatives.inbox.rows.person_rows import look_of
from initiatives.inbox.tasks import inbox_tasks
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.models.initiative import gate_out_of
from tests.support import factories
from tests.support.initiatives.initiative_pages import at

pytestmark = pytest.mark.django_db

SAID = re.compile(r"(\d+) (open for its approved stage|open for the next gate)(?:, of which (\d+) yours)?")
# A number, or a number in words, beside a noun that means an open requirement.
NUMBER = r"(?:\d+|[Tt]wo|[Tt]hree|[Ff]our|[Ff]ive|[Ss]ix|[Ss]even|[Ee]ight|[Nn]ine|[Tt]en)"
OTHER = re.compile(
    rf"\b{NUMBER} (?:gaps?|questions?|requirements?|things?|answers? (?:lack|have no|not met)|yours|missing|unanswered"
    rf"|of \d+ (?:open|ready|requirements?|answered))\b|\({NUMBER}\)"
)
FOLDED = re.compile(r"(?:Obligations|Gaps|Initiatives with similar words) \(\d+\)")
STATES = ("idea", "ready idea", "prototype", "mvp", "production", "minimal")
HARM = 4  # requirements of each initiative that are answered "no", not applicable, or not again in time


def made(cast, state: str):
    """An initiative in this state."""
    if state == "idea":
        return factories.make_initiative(cast)
    if state == "ready idea":
        return factories.make_ready(cast, factories.make_initiative(cast), "prototype")
    return getattr(factories, f"make_{state}")(cast)


def spoiled(initiative, chance: random.Random, cast) -> None:
    """Answer some requirements with "no" or "not applicable", and give a role away half of the time."""
    if initiative.stage == "proposed" and chance.random() < 0.5:
        role = role_actions.propose_role(
            initiative=initiative, role="technical_lead", person=cast.lead, by=cast.owner
        )
        role_actions.accept_role(assignment=role, by=cast.lead)
    asked = [
        key
        for key, row in supported_stage.judged(initiative).rulebook.requirements.items()
        if "attestation" in row.evidence
        and key not in ("mvp.owner", "mvp.duty")
        and not key.startswith("prod.q0")
    ]
    for key in chance.sample(asked, HARM):
        requirement_actions.answer(
            initiative=initiative_acts.fresh(initiative),
            requirement=key,
            kind=chance.choice(["no", "not_applicable"]),
            text="It changed.",
            by=cast.owner,
        )


def plainly_open(initiative) -> dict[str, set[str]]:
    """The open requirements of both counts, read from the rulebook word by word."""
    judged = supported_stage.judged(initiative_acts.fresh(initiative))
    rulebook, found = judged.rulebook, {"approved": set(), "next": set()}
    stages = ["proposed", "prototype", "mvp", "production"]
    for gate in rulebook.gates.values():
        if gate.to not in stages:
            continue
        passed = stages.index(gate.to) <= stages.index(initiative.stage)
        if not passed and gate.key != gate_out_of(initiative.stage):
            continue
        for criterion in gate.criteria:
            for key in criterion.requirements:
                state = judged.states[key]
                done = state.state in ("met", "as_decided", "not_asked", "not_applicable", "waived")
                done = done or (state.state == "below" and gate.key not in state.below)
                if not done and rulebook.requirements[key].blocking and key not in rulebook.deferred(gate):
                    found["approved" if passed else "next"].add(key)
    return found


def said(text: str) -> set[tuple[str, int, int]]:
    """What a text counts: which count, how many are open, and how many of them are the reader's."""
    words = {"open for its approved stage": "approved", "open for the next gate": "next"}
    return {(words[which], int(many), int(mine or 0)) for many, which, mine in SAID.findall(text)}


def texts_of(client, person, initiative) -> list[tuple[str, str]]:
    """The pages and lines that count what is open on the initiative, as this person reads them."""
    live = at("requirements", initiative.ref, gate="live")
    several = at("requirements-several", initiative.ref)
    found = []
    for url in (
        *(at(name, initiative.ref) for name in ("initiative", "requirements", "review-open")),
        live,
        several,
    ):
        response = client.get(url)
        if response.status_code == 200:
            main = BeautifulSoup(response.content, "html.parser").select_one("main")
            found.append((url, main.get_text(" ", strip=True)))
    return [*found, *(("inbox", task.why) for task in inbox_tasks.my_initiatives(look_of(person)))]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("seed", range(2))
def test_every_page_says_the_same_two_numbers(state, seed, cast, as_):
    chance = random.Random(f"{state} {seed}")
    initiative = made(cast, state)
    if seed:
        spoiled(initiative, chance, cast)
    with time_machine.travel(clock.now() + timedelta(days=chance.choice([0, 100, 200]) if seed else 0)):
        initiative = initiative_acts.fresh(initiative)
        plain = {which: len(keys) for which, keys in plainly_open(initiative).items()}
        for person in (cast.owner, cast.lead, cast.seat_risk):
            texts = texts_of(as_(person), person, initiative)
            for url, text in texts:
                other = OTHER.findall(SAID.sub("", FOLDED.sub("", text)))
                assert not other, (url, person, other)
            found = {one for _, text in texts for one in said(text)}
            for which in plain:
                counts = {(many, mine) for key, many, mine in found if key == which}
                assert len(counts) <= 1, (which, person, counts)
                assert {many for many, _ in counts} <= {plain[which]}, (which, counts)
            if person == cast.owner and initiative.stage != "proposed":
                assert ("approved", plain["approved"]) in {(which, many) for which, many, _ in found}
        row = BeautifulSoup(as_(cast.owner).get(at("portfolio")).content, "html.parser").select_one(
            "tr[data-line]"
        )
        cell = row.find("td", attrs={"data-col": "Open requirements"}).get_text(strip=True)
        assert cell == (str(plain["approved"]) if plain["approved"] else "none")
        file = b"".join(as_(cast.owner).get(reverse("portfolio-export")).streaming_content).decode(
            "utf-8-sig"
        )
        exported = next(
            row for row in csv.DictReader(file.splitlines()) if row["Reference"] == initiative.ref
        )
        assert int(exported["Open requirements, approved stage"]) == plain["approved"]
        assert int(exported["Open requirements, next gate"]) == plain["next"]
