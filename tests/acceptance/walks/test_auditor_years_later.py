"""An auditor in 2028 asks why an initiative was trusted on a day in 2024, and finds her way back to it page by page."""

import re
from datetime import UTC, datetime

import pytest

from adoption.demo import initiative_acts
from governance import clock
from governance.transparency_log import sealing
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.evidence import actions as evidence_actions
from tests.support import factories

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_auditor_finds_the_day(as_):
    with clock.simulated(datetime(2024, 2, 1, 9, tzinfo=UTC)):
        cast = factories.make_cast()
        initiative = factories.make_initiative(cast)
    with clock.simulated(datetime(2024, 3, 4, 9, tzinfo=UTC)):
        initiative_acts.to_prototype(initiative, cast.team)
    with clock.simulated(datetime(2025, 6, 2, 9, tzinfo=UTC)):
        row = initiative_acts.fresh(initiative)
        detail_actions.rename(
            initiative=row, title="Summaries, second life", reason="A new start.", by=cast.owner
        )
        detail_actions.change_details(
            initiative=row,
            problem=row.problem,
            platform="",
            confidential=True,
            by=cast.owner,
        )
        item = row.evidence.exclude(kind="attestation").filter(generated=False).order_by("pk").first()
        evidence_actions.withdraw_evidence(evidence=item, reason="It was about another team.", by=cast.owner)
    sealing.seal()

    auditor = Walker(as_(cast.auditor))
    # Today's page has another name and another supported stage; its history asks for a day.
    auditor.open(f"/initiatives/{initiative.ref}/activity/")
    auditor.sees("Summaries, second life", "View as of")
    auditor.open(f"/initiatives/{initiative.ref}/?as_of=2024-10-15")
    auditor.sees(
        "the end of 15 October 2024",
        initiative.title,
        "<b>Prototype</b>, decided",
        "Supported stage on that day",
        "recomputed: identical",
    )
    auditor.sees_not("Summaries, second life")
    # From there every page is of that day: the evidence, who held which role, who decided and what was signed.
    auditor.follow("Requirements")
    auditor.follow("Evidence")
    auditor.follow(item.title)
    auditor.sees("The evidence expired.")
    auditor.sees_not("It was about another team.")
    auditor.follow("Overview")
    auditor.follow("People")
    auditor.sees("Marta Lindqvist")
    auditor.follow("Activity")
    auditor.sees("Approved: proposed idea to Prototype", "Evidence and sign-offs of the decision")
    auditor.follow("Everything")
    auditor.sees("Elena Novak</b> approved the gate")
    auditor.sees_not("Summaries, second life")
    review = initiative.reviews.get()
    auditor.open(f"/reviews/{review.pk}/?as_of=2024-10-15")
    auditor.sees("Approved by Elena Novak")
    auditor.follow("Read")
    auditor.sees('class="statement"', "the end of 15 October 2024")
    # The list of that day has it under its name of then; a day before it was registered there is nothing.
    auditor.follow("Initiatives")
    auditor.sees(initiative.title)
    auditor.open("/initiatives/?as_of=2024-01-31")
    auditor.sees("The initiatives that you can see did not exist on that day.")
    # Two days side by side name what came between, and nothing else.
    auditor.open(f"/initiatives/{initiative.ref}/activity/?one=2024-10-15&other=2025-06-02T09:00")
    auditor.sees("Title</th><td>" + initiative.title + "</td><td>Summaries, second life", "withdrawn")
    auditor.sees_not("Approved stage</th>")
    # That she looked is recorded too.
    seen = [
        entry
        for entry in auditor.client.get("/audit/readings/").content.decode().split()
        if "2024-10-15" in entry
    ]
    assert len(seen) >= 5


class Walker:
    """Reads one page at a time and goes on by its links."""

    def __init__(self, client):
        self.client, self.page = client, ""

    def open(self, address: str) -> None:
        """Go to this address."""
        answer = self.client.get(address)
        assert answer.status_code == 200, (address, answer.status_code)
        self.page = answer.content.decode()

    def follow(self, words: str) -> None:
        """Follow the first link with these words."""
        links = re.findall(r'<a [^>]*?href="([^"]+)"[^>]*>(.*?)</a>', self.page, flags=re.S)
        found = [link for link, said in links if re.sub(r"<.*?>", "", said).startswith(words)]
        assert found, f"no link says {words}"
        self.open(found[0].replace("&amp;", "&"))

    def sees(self, *words: str) -> None:
        """All of this stands on the page."""
        for said in words:
            assert said in self.page, said

    def sees_not(self, words: str) -> None:
        """This does not."""
        assert words not in self.page, words
