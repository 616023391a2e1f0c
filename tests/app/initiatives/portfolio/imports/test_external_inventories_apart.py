"""An external inventory changes no count, menu, inbox or reminder of one's own. A newer file asks, and moves
nothing.
"""

import re

import pytest
from django.urls import reverse

from governance.models import Unit
from governance.notifications import due
from governance.notifications.inbox import all_tasks
from governance.permission_result import Refused
from initiatives.models import ImportBatch, Initiative
from initiatives.portfolio.imports.inventories import actions
from initiatives.portfolio.units import actions as unit_actions
from tests.support import factories

pytestmark = pytest.mark.django_db
LIST = (
    "Use case name,Agency,Use case ID,Stage\n"
    "Invoice reader,Other Org,O-1,In production\n"
    "Route planner,Other Org,O-2,Pilot\n"
    "Idea of theirs,Other Org,O-3,Planned\n"
)
PAGES = [
    reverse("portfolio"),
    reverse("portfolio") + "?view=board",
    reverse("insights-flow"),
    reverse("insights"),
    reverse("inbox"),
    reverse("ideas"),
    reverse("decisions"),
    reverse("insights-money"),
    reverse("register"),
    reverse("crosswalk"),
    reverse("units"),
]


def bring_in(cast, **options):
    batch = actions.upload_batch(
        content=LIST.encode(), file_name="theirs.csv", source="theirs", by=cast.admin, **options
    )
    actions.confirm_batch(batch=batch, by=cast.admin)
    return batch


def told(client, url) -> str:
    """What the page says, without what differs from one look to the next."""
    text = client.get(url).content.decode()
    text = re.sub(r'nonce="[^"]*"|"[A-Za-z0-9]{64}"|[0-9a-f]{32}', "", text)
    return re.sub(r"\d+ [A-Z][a-z]+ 20\d\d at \d\d:\d\d|\d\d:\d\d(:\d\d)?", "", text)


def test_pages_of_admin_auditor_chair_and_owner_are_the_same_before_and_after(cast, as_):
    factories.make_initiative(cast, title="Claims triage")
    people = (cast.admin, cast.auditor, cast.chair, cast.owner)
    clients = [as_(person) for person in people]
    before = {(place, url): told(client, url) for place, client in enumerate(clients) for url in PAGES}
    bring_in(cast)
    clients = [as_(person) for person in people]
    for (place, url), text in before.items():
        if url == reverse("units") and people[place] in (cast.admin, cast.auditor):
            continue  # where an admin takes units over, they stand under a heading of their own
        assert told(clients[place], url) == text, (people[place], url)


def test_nobody_is_reminded_and_no_inbox_has_more(cast):
    factories.make_initiative(cast, title="Claims triage")
    people = [cast.admin, cast.auditor, cast.chair, cast.owner]
    before = [len(all_tasks(person)) for person in people]
    messages = len(due.find())
    bring_in(cast)
    assert [len(all_tasks(person)) for person in people] == before
    assert len(due.find()) == messages


def test_their_units_are_in_no_menu(cast, as_):
    bring_in(cast)
    for url in (reverse("register"), *PAGES):
        for person in (cast.admin, cast.auditor):
            assert "Other Org" not in "".join(
                re.findall(r"<option[^>]*>[^<]*</option>", as_(person).get(url, follow=True).content.decode())
            ), url


def test_they_are_found_apart_from_ones_own(cast, as_):
    initiative = factories.make_initiative(cast, title="Reader of invoices")
    bring_in(cast)
    client = as_(cast.admin)
    theirs = client.get(reverse("portfolio"), {"whose": "external"}).content.decode()
    assert "Invoice reader" in theirs
    assert initiative.title not in theirs
    unit = Unit.objects.get(name="Other Org")
    assert "Invoice reader" in client.get(reverse("portfolio"), {"unit": unit.pk}).content.decode()
    export = client.get(reverse("portfolio-export")).getvalue().decode()
    assert initiative.title in export
    assert "Invoice reader" not in export
    found = client.get(reverse("search"), {"q": "invoice"}).content.decode()
    assert "Other Org (imported)" in found, "marked where it is found"


def test_a_unit_that_was_taken_over_is_ones_own(cast, as_):
    bring_in(cast)
    unit = Unit.objects.get(name="Other Org")
    assert set(Initiative.objects.others()) == set(unit.initiatives.all())
    assert not Initiative.objects.own().exists()
    unit_actions.move_unit(unit=unit, into=cast.unit, reason="We bought them.", by=cast.admin)
    assert set(Initiative.objects.own()) == set(unit.initiatives.all())
    assert not Initiative.objects.others().exists()
    assert "Invoice reader" in as_(cast.admin).get(reverse("portfolio")).content.decode()


def test_a_list_of_ones_own_is_ones_own(cast, as_):
    bring_in(cast, own=True)
    assert Initiative.objects.own().count() == 3
    assert "Invoice reader" in as_(cast.admin).get(reverse("portfolio")).content.decode()


def test_the_confirmation_says_where_rows_land(cast, as_):
    for own, words in ((False, "External inventories"), (True, "counted in your portfolio")):
        batch = actions.upload_batch(
            content=(LIST + f"Another {own},Other Org,O-9,Pilot\n").encode(),
            file_name="theirs.csv", source=f"theirs-{own}", own=own, by=cast.admin,
        )  # fmt: skip
        assert words in as_(cast.admin).get(reverse("import-confirm", args=[batch.pk])).content.decode()


def sent(cast, text: str) -> ImportBatch:
    """A file of a source that is not known, which waits."""
    text = "Name,Stage,Agency,ID\n" + text
    return actions.upload_batch(content=text.encode(), file_name="a.csv", source="acme", by=cast.admin)


def test_a_name_ties_nothing_and_is_asked_about(cast):
    actions.confirm_batch(batch=sent(cast, "Bot,Pilot,Acme,A-1\nMap,Pilot,Acme,A-2\n"), by=cast.admin)
    batch = sent(cast, "Bot,Live,Acme,B-1\nMap,Live,Acme,B-2\nSign,Live,Acme,B-3\n")
    bot, other, sign = batch.rows.order_by("line")
    assert [row.decision for row in (bot, other, sign)] == ["triage", "triage", "import"]
    assert bot.initiative is None
    assert Initiative.objects.get(title="Bot").ref in bot.problems[-1]["text"]
    actions.confirm_batch(batch=batch, by=cast.admin)
    assert Initiative.objects.count() == 3
    assert actions.decide_row(row=bot, reason="The same.", by=cast.admin).decision == "reject"
    row = actions.decide_row(row=other, stage="mvp", reason="Another office.", by=cast.admin)
    assert (row.decision, row.initiative.stage) == ("import", "mvp")
    assert Initiative.objects.filter(title="Map").count() == 2


def test_a_row_set_aside_is_no_second_initiative_of_what_a_newer_file_brought(cast):
    older = sent(cast, "Bot,Quartz,Acme,A-1\n")
    actions.confirm_batch(batch=older, by=cast.admin)
    newer = sent(cast, "Bot,Live,Acme,A-1\n")
    actions.confirm_batch(batch=newer, by=cast.admin)
    with pytest.raises(Refused, match="A later import added a system"):
        actions.decide_row(row=older.rows.get(), stage="mvp", reason="Remembered.", by=cast.admin)
    assert Initiative.objects.count() == 1
