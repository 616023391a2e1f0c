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
CONFIRMS = {"account-review", "changes/complete", "meeting-attendance"}
OTHER = "Written by somebody else."
MINE = "Written on the older page."


def forms(cast, as_, world, wanted) -> Iterator[tuple]:  # noqa: F811
    """Name, client, address and button of each page on which `wanted` finds what it looks for in a form."""
    for name, row in TABLE.items():
        for login in [one for one in CAST if row.read and one in row.opens][:1]:
            client, url = as_(getattr(cast, login)), address(name, world)
            answer = client.get(url)
            if answer.status_code != 200 or "html" not in answer.get("Content-Type", ""):
                continue
            for button in Page(answer, url).buttons:
                if wanted(button):
                    yield name, client, button
                    break


def prefilled(button: Button) -> bool:
    """Whether the form shows a text that somebody saved before."""
    texts = button.form.select("textarea, input[type=text], input:not([type])")
    return any(field.get_text().strip() or field.get("value") for field in texts)


def stood(button: Button) -> dict:
    """The marks of what a form shows, by field, for a form without a prefix."""
    field = button.form.select_one(f"input[name={STOOD}]")
    return json.loads(field["value"]) if field else {}


def count_of_acts() -> int:
    return Entry.objects.acts().exclude(kind="refused").count()


def test_a_page_saved_unchanged_writes_nothing(cast, as_, world, unsealed):  # noqa: F811
    wrong, seen = [], []
    for name, client, button in forms(cast, as_, world, lambda one: stood(one) or prefilled(one)):
        shown = button.fields(fill=False)
        sent = {
            field: [value.replace("\n", "\r\n") if isinstance(value, str) else value for value in values]
            for field, values in shown.items()
        }
        before = count_of_acts()
        with transaction.atomic():
            client.post(button.action, sent)
            kinds = kinds_since(before)
            transaction.set_rollback(True)
        seen.append(name)
        if kinds and name not in CONFIRMS:
            wrong.append(f"{name}: {kinds}")
    print(len(seen), "pages saved unchanged:", *seen)
    assert not wrong, "\n".join(wrong)
    assert len(seen) >= 20


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


def test_the_second_of_two_pages_is_told_what_the_first_changed(cast, as_, world, unsealed):  # noqa: F811
    wrong, seen = [], []
    for name, client, button in forms(cast, as_, world, stood):
        shown, told = button.fields(fill=True), None
        for key in stood(button):
            field = button.form.select_one(f'[name="{key}"]')
            if field is None or (others := other_than(field, OTHER)) is None:
                continue
            with transaction.atomic():
                first = client.post(button.action, shown | {key: others, "reason": "It is so."})
                if first.status_code == 302:
                    before = count_of_acts()
                    second = client.post(
                        button.action, shown | {key: other_than(field, MINE), "reason": "No."}
                    )
                    told = (
                        key,
                        second.status_code,
                        MINE in second.content.decode(),
                        count_of_acts() - before,
                    )
                transaction.set_rollback(True)
            if told:
                break
        if told is None:
            continue
        key, status, kept, written = told
        seen.append(f"{name} ({key})")
        of_words = button.form.select_one(f'textarea[name="{key}"], input[type=text][name="{key}"]')
        if status != 409 or written or (of_words and not kept):
            wrong.append(f"{name}, {key}: {status}, typed words kept: {kept}, entries: {written}")
    print(len(seen), "pages overwrite:", *seen)
    assert not wrong, "\n".join(wrong)
    assert len(seen) >= 12


# Pages that bind and show the words of the initiative that they act on.
BINDS = ("confirm-tier", "stop", "demote", "hold", "switch-off")


def test_a_signature_is_not_taken_for_what_was_not_shown(cast, as_, world, unsealed):  # noqa: F811
    wrong, seen = [], []
    for name, client, button in forms(
        cast, as_, world, lambda one: one.form.select_one(f"input[name={SHOWN}]")
    ):
        if name not in BINDS:
            continue
        shown = button.fields(fill=True)
        with transaction.atomic():
            initiative = initiative_acts.fresh(Initiative.objects.get(number=int(world["ref"][3:])))
            detail_actions.change_details(
                initiative=initiative, problem=OTHER, platform="", confidential=False, by=cast.owner
            )
            before = count_of_acts()
            answer = client.post(button.action, shown | {"reason": MINE})
            kinds = kinds_since(before)
            transaction.set_rollback(True)
        seen.append(name)
        if answer.status_code != 409 or kinds != ["signature ended"]:
            wrong.append(f"{name}: {answer.status_code}, {kinds}")
    print(len(seen), "pages bind:", *seen)
    assert not wrong, "\n".join(wrong)
    assert set(seen) == set(BINDS)
