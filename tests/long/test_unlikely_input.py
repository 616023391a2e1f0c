"""Every form of every page is sent with one unlikely value after another. `-s` prints how many were sent.

No sending reaches a constraint of the database: the form or the act says before what is wrong, at its field. A run
sends some values of each form, `--rounds 500` all.

A change in governance/web, a new form or a new constraint asks for it.
"""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
from bs4.element import Tag
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, connection, transaction

from governance import clock
from governance.web.middleware import RefusalPages
from governance.web.sent_once import TOKEN
from tests.acceptance.pages.test_access import world  # noqa: F401 (a fixture)
from tests.acceptance.pages.test_what_was_shown import pages_of
from tests.support.web.pressed_buttons import Button

pytestmark = pytest.mark.django_db
TEXTS = ("", "   ", "\u200b", "-", "Words")
NUMBERS = ("0", "-1", "0.5", "101", "9999999999999999999", "1e400")
MOST_OPTIONS = 8
MOST, SOME = 60, 4  # sendings of a form, with `--rounds 500` and without
FULL = 500  # rounds
MOST_ALIKE = 3  # fields of one form whose names differ only in a number or a requirement


class Hits:
    """What the database refused by a constraint while a form was sent."""

    def __init__(self):
        self.names: list[str] = []

    def __call__(self, execute, sql, params, many, context):
        try:
            return execute(sql, params, many, context)
        except IntegrityError as wrong:
            self.names.append(str(wrong.__cause__.diag.constraint_name))
            raise


def unlikely(field: Tag) -> Iterator[list[str]]:
    """Yield values that somebody could send in this field: other options, days, numbers and texts."""
    kind = field.get("type", "text")
    if field.name == "select":
        options = [option.get("value", "") for option in field.select("option")]
        yield from ([value] for value in options[:MOST_OPTIONS])
        if field.has_attr("multiple"):
            yield []
            yield options
    elif kind in ("date", "datetime-local"):
        for days in (-4000, -1, 0, 1, 4000):
            moment = clock.now() + timedelta(days=days)
            yield [f"{moment:%Y-%m-%d}" if kind == "date" else f"{moment:%Y-%m-%dT%H:%M}"]
        yield [""]
    elif kind == "number" or field.get("inputmode") in ("decimal", "numeric"):
        yield from ([value] for value in (*NUMBERS, ""))
    elif kind in ("checkbox", "radio"):
        yield [field.get("value", "on")]
        yield []
    elif field.name == "textarea" or kind in ("text", "url", "email", "search"):
        yield from ([value] for value in TEXTS)
        yield [clock.today().isoformat()]
        yield ["7"]


def sendings(button: Button, most: int) -> list[tuple[str, dict[str, list]]]:
    """Return what to send: a careful filling with one field changed. At most `most`, spread over the fields."""
    found = list(_all_sendings(button))
    return found[:: -(-len(found) // most)] if found else []


def _all_sendings(button: Button) -> Iterator[tuple[str, dict[str, list]]]:
    whole = button.fields(fill=True)
    seen = set()
    alike: Counter = Counter()
    for field in button.form.select("input[name],select[name],textarea[name]"):
        like = re.sub(r"[\d.]+|[a-z]+\.\w+", "", field["name"])
        alike[like] += 1
        if field["name"] != like and alike[like] > MOST_ALIKE:
            continue
        for values in unlikely(field):
            key = (field["name"], *values)
            if key not in seen:
                seen.add(key)
                yield f"{field['name']}={values}", whole | {field["name"]: values}


def test_no_form_reaches_a_constraint(cast, as_, world, unsealed, rounds, monkeypatch):  # noqa: F811
    wrong, sent, uncaught = [], Counter(), []
    real = RefusalPages.process_exception

    def noted(self, request, exception):
        if isinstance(exception, ValidationError | DatabaseError):
            uncaught.append(repr(exception))
        return real(self, request, exception)

    monkeypatch.setattr(RefusalPages, "process_exception", noted)
    for name, client, buttons in pages_of(cast, as_, world):
        client.raise_request_exception = False
        forms = {(button.path, *button.fields(fill=False)): button for button in buttons}
        for button in forms.values():
            for what, data in sendings(button, MOST if rounds >= FULL else SOME):
                hits = Hits()
                for values in data.values():
                    for one in values:
                        if hasattr(one, "seek"):
                            one.seek(0)
                data.pop(TOKEN, None)
                with transaction.atomic():
                    with connection.execute_wrapper(hits):
                        answer = client.post(button.action, data)
                    transaction.set_rollback(True)
                sent[name] += 1
                if hits.names or uncaught or answer.status_code >= 500:
                    met = f"{answer.status_code} {hits.names} {uncaught}"
                    wrong.append(f"{name} {button.words}: {what}: {met}")
                    uncaught.clear()
    print(sum(sent.values()), "sendings of", len(sent), "pages")
    assert not wrong, "\n".join(wrong)
