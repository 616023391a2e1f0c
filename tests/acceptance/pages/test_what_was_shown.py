"""Every page that overwrites or binds acts on what it showed, and saves nothing where nothing was changed.

The pages are those of the list of addresses. `-s` prints which of them were tried.
"""

import json
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from django.db import transaction

from adoption.demo import initiative_acts
from governance.database.shown_state import STOOD
from governance.models import Entry
from governance.sign_in.signing import SHOWN
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.models import Initiative
from tests.acceptance.pages.test_access import address, world  # noqa: F401 (a fixture)
from tests.support.web.access_table import CAST, TABLE
from tests.support.web.pressed_buttons import Button, Page

pytestmark = pytest.mark.django_db
# Saving says something even where every value stays: that somebody looked, or that a draft is now an answer.
CONFIRMS = {"service-accounts/review", "changes/complete", "meetings/write-attendance"}
OTHER = "Written by somebody else."
MINE = "Written on the older page."


def pages_of(cast, as_, world) -> Iterator[tuple]:  # noqa: F811
    """Name, client and buttons of each page that somebody may open."""
    for name, row in TABLE.items():
        for login in [one for one in CAST if row.read and one in row.opens][:1]:
            client, url = as_(getattr(cast, login)), address(name, world)
            answer = client.get(url)
            if answer.status_code == 200 and "html" in answer.get("Content-Type", ""):
                yield name, client, Page(answer, url).buttons


def forms(cast, as_, world, wanted) -> Iterator[tuple]:  # noqa: F811
    """Name, client and button of each page on which `wanted` finds what it looks for in a form."""
    for name, client, buttons in pages_of(cast, as_, world):
        if found := next(filter(wanted, buttons), None):
            yield name, client, found


def prefilled(button: Button) -> bool:
    """Whether the form shows a text that somebody saved before."""
    texts = button.form.select("textarea, input[type=text]:not([inputmode=numeric]), input:not([type])")
    return any(field.get_text().strip() or field.get("value") for field in texts)


def stood(button: Button) -> dict:
    """The marks of what a form shows, by field, for a form without a prefix."""
    field = button.form.select_one(f"input[name={STOOD}]")
    return json.loads(field["value"]) if field else {}


def count_of_acts() -> int:
    return Entry.objects.acts().exclude(kind="refused").count()


def kinds_since(count: int) -> list[str]:
    """The kinds of the acts after so many."""
    acts = Entry.objects.acts().exclude(kind="refused").order_by("pk")
    return list(acts.values_list("kind", flat=True))[count:]


def other_than(field, value: str) -> str | None:
    """Another value for this input, as somebody else might have saved it; None for inputs that do not matter."""
    if field.name == "textarea":
        return value
    if field.name == "select":
        options = [
            one["value"]
            for one in field.select("option")
            if one.get("value") and not one.has_attr("selected")
        ]
        return options[0 if value == OTHER else 1] if len(options) > 1 else None
    if field.get("type") == "date" and field.get("value"):
        return (date.fromisoformat(field["value"]) + timedelta(days=1 if value == OTHER else 2)).isoformat()
    if field.get("type") == "number" and field.get("value"):
        return str(int(float(field["value"])) + (1 if value == OTHER else 2))
    return value if field.get("type", "text") == "text" else None


def saved_unchanged(client, button: Button) -> list[str]:
    """The kinds of the entries of a form that is sent as it is, with the line ends of a browser."""
    sent = {
        field: [value.replace("\n", "\r\n") if isinstance(value, str) else value for value in values]
        for field, values in button.fields(fill=False).items()
    }
    before = count_of_acts()
    with transaction.atomic():
        client.post(button.action, sent)
        kinds = kinds_since(before)
        transaction.set_rollback(True)
    return kinds


def overwritten(client, button: Button) -> tuple[str, str] | None:
    """The first field that somebody else can change meanwhile, and what is wrong with the answer to the older page."""
    shown = button.fields(fill=True)
    for key in stood(button):
        field = button.form.select_one(f'[name="{key}"]')
        if field is None or (others := other_than(field, OTHER)) is None:
            continue
        with transaction.atomic():
            first = client.post(button.action, shown | {key: others, "reason": "It is so."})
            before = count_of_acts()
            second = client.post(button.action, shown | {key: other_than(field, MINE), "reason": "No."})
            written = count_of_acts() - before
            transaction.set_rollback(True)
        if first.status_code != 302:
            continue
        of_words = button.form.select_one(f'textarea[name="{key}"], input[type=text][name="{key}"]')
        kept = not of_words or MINE in second.content.decode()
        right = second.status_code == 409 and kept and not written
        return key, "" if right else f"{second.status_code}, words kept: {kept}, entries: {written}"
    return None


def signed_after_a_change(cast, client, button: Button, ref: str) -> str:
    """What is wrong with the answer to a signature, after somebody else changed the words of the initiative."""
    shown = button.fields(fill=True)
    with transaction.atomic():
        initiative = initiative_acts.fresh(Initiative.objects.get(number=int(ref[3:])))
        detail_actions.change_details(
            initiative=initiative, problem=OTHER, platform="", confidential=False, by=cast.owner
        )
        before = count_of_acts()
        answer = client.post(button.action, shown | {"reason": MINE})
        kinds = kinds_since(before)
        transaction.set_rollback(True)
    right = answer.status_code == 409 and kinds == ["signature ended"]
    return "" if right else f"{answer.status_code}, {kinds}"


# Pages that bind and show the words of the initiative that they act on.
BINDS = {"confirm-tier", "stop", "demote", "hold", "switch-off"}


def test_every_page_acts_on_what_it_showed(cast, as_, world, unsealed):  # noqa: F811
    wrong, unchanged, overwrites, binds = [], [], [], []
    signs = f"input[name={SHOWN}]"
    for name, client, button in forms(
        cast, as_, world, lambda one: stood(one) or prefilled(one) or one.form.select_one(signs)
    ):
        if button.form.select_one(signs):
            if name in BINDS:
                binds.append(name)
                wrong += (
                    [f"{name}: {told}"]
                    if (told := signed_after_a_change(cast, client, button, world["ref"]))
                    else []
                )
            continue
        unchanged.append(name)
        if (kinds := saved_unchanged(client, button)) and name not in CONFIRMS:
            wrong.append(f"{name}, saved unchanged: {kinds}")
        if stood(button) and (found := overwritten(client, button)):
            overwrites.append(f"{name} ({found[0]})")
            wrong += [f"{name}, {found[0]}: {found[1]}"] if found[1] else []
    print(len(unchanged), "pages saved unchanged:", *unchanged)
    print(len(overwrites), "pages overwrite:", *overwrites)
    assert not wrong, "\n".join(wrong)
    assert len(unchanged) >= 20
    assert len(overwrites) >= 12
    assert set(binds) == BINDS
