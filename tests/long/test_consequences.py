"""No act makes an initiative worse in silence: what pages offer is pressed, and what got worse had been said before.

A change in initiatives/lifecycle/initiative (rehearsals) or of an act with a page asks for it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from bs4 import BeautifulSoup
from django.db import transaction

from governance.models import Entry
from governance.vocabulary import STAGE_RANK
from initiatives.lifecycle.initiative.rehearsal import sight
from initiatives.models import Initiative, Voiding
from tests.support import factories
from tests.support.factories import PASSWORD
from tests.support.initiatives.open_reviews import signed_off
from tests.support.web.confirming import asked

pytestmark = pytest.mark.django_db
PEOPLE = ("owner", "chair", "seat_risk")
MOST = 90  # pages that are opened for a person: all that two clicks reach, of most states
CHOSEN = {"no", "link"}  # rather than the last: the answer that proves nothing, and evidence without a file
TYPED = {
    "password": PASSWORD,
    "date": "2026-12-20",
    "number": "2",
    "url": "https://example.org/new",
    "email": "new@example.org",
    "datetime-local": "2026-11-20T10:00",
}


def in_review(cast) -> Initiative:
    return signed_off(cast).initiative


STATES: dict[str, Callable] = {
    "in review": in_review,
    "MVP": factories.make_mvp,
    "prototype": factories.make_prototype,
}


@dataclass(frozen=True)
class Health:
    """What an act can make worse, counted from the rows and not by the rehearsal."""

    supported: int
    unmet: frozenset
    met: frozenset
    fresh: frozenset
    reviewed: bool
    obligations: int
    voidings: int

    def worse(self, before: "Health") -> list[str]:
        """Return what is worse than before, each with a word that the page had to say."""
        found = []
        if 0 <= self.supported < before.supported:
            found.append("The supported stage falls")
        if self.reviewed and before.fresh - self.fresh:  # that a review ends is the act itself
            found.append("seat will no longer count")
        if before.met & self.unmet:
            found.append("no longer met")
        if self.obligations > before.obligations:
            found.append("Due from")
        if self.voidings > before.voidings:
            found.append("no longer counts")
        return found


def health(initiative: Initiative) -> Health:
    seen = sight(initiative)
    return Health(
        supported=STAGE_RANK.get(seen.supported, -1),
        unmet=frozenset(key for key, finding in seen.findings.items() if not finding.met),
        met=frozenset(key for key, finding in seen.findings.items() if finding.met),
        fresh=frozenset(seat for seat, one in seen.sign_offs.items() if one.approves and one.fresh),
        reviewed=initiative.reviews.filter(outcome="open").exists(),
        obligations=initiative.obligations.filter(completed_at__isnull=True).count(),
        voidings=Voiding.objects.filter(evidence__initiative=initiative, change__isnull=False).count(),
    )


def forms_of(page, address: str):
    """Each form of a page that acts: its address, and what a person in a hurry would send by each of its buttons."""
    main = BeautifulSoup(page.content, "html.parser").select_one("main")
    for form in main.select("form[method=post]") if main else ():
        fields: dict[str, object] = {}
        for field in form.select("input[name],select[name],textarea[name]"):
            name, kind = field["name"], field.get("type", "text")
            if (
                name == "csrfmiddlewaretoken"
                or kind in ("file", "submit")
                or name.startswith(("sign_", "evidence-"))
            ):
                continue
            if field.name == "select":
                options = [one.get("value", "") for one in field.select("option") if one.get("value", "")]
                fields[name] = next((one for one in options if one in CHOSEN), options[-1] if options else "")
            elif field.name == "textarea":
                fields[name] = "Other words, and why."
            elif kind == "checkbox":
                fields.setdefault(name, []).append(field.get("value", "on"))
            elif kind == "radio":
                if fields.get(name) not in CHOSEN:
                    fields[name] = field.get("value", "on")
            elif kind == "hidden":
                fields[name] = field.get("value", "")
            else:
                fields[name] = TYPED.get(kind) or field.get("value") or "Other words"
        buttons = form.select("button[type=submit][name]") or [None]
        for button in buttons:
            more = {button["name"]: button.get("value", "")} if button is not None else {}
            yield form.get("action") or address, fields | more


def pages_of(client, initiative: Initiative):
    """The pages of the initiative that two clicks from its overview reach, with their addresses."""
    queue, known = [initiative.get_absolute_url()], set()
    while queue and len(known) < MOST:
        address = queue.pop(0)
        if address in known or "?" in address:
            continue
        known.add(address)
        page = client.get(address)
        if (
            page.status_code != 200
            or not page.get("Content-Type", "").startswith("text/html")
            or page.streaming
        ):
            continue
        yield address, page
        main = BeautifulSoup(page.content, "html.parser")
        for link in main.select("main a[href], nav a[href], aside a[href]"):
            target = link["href"].partition("#")[0]
            own = target.startswith((initiative.get_absolute_url(), "/acts/", "/reviews/", "/roles/", "/do/"))
            if own and target not in known:
                queue.append(target)


@pytest.mark.parametrize("state", STATES)
def test_what_got_worse_had_been_said(cast, as_, state):
    initiative = STATES[state](cast)
    pressed = acted = lowered = 0
    done: set = set()
    silent: list = []
    for name in PEOPLE:
        client = as_(getattr(cast, name))
        for address, page in list(pages_of(client, initiative)):
            for target, sent in forms_of(page, address):
                what = (target, tuple(sorted(sent)), sent.get("step", ""))
                if what in done:
                    continue
                done.add(what)
                with transaction.atomic():
                    before, entries = health(initiative), Entry.objects.count()
                    answer = client.post(target, sent, confirm=False)
                    told = asked(answer)
                    if told:
                        assert Entry.objects.count() == entries, f"{target} acts before it is confirmed"
                        client.post(target, sent)
                    pressed += 1
                    acted += Entry.objects.exclude(kind="refused").count() > entries
                    if worse := health(initiative).worse(before):
                        lowered += 1
                        silent += [
                            (name, target, words, told)
                            for words in worse
                            if words.lower() not in " ".join(told).lower()
                        ]
                    transaction.set_rollback(True)
    print(f"\n{state}: {pressed} pressed, {acted} acted, {lowered} made something worse")
    assert silent == []
    assert acted >= 10
    assert lowered >= 1
