"""Characters that readers cannot see, in every field of every form: refused in words, and nothing of them is kept."""

import random
from collections import Counter

import pytest
from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.test import RequestFactory

from governance.sign_in.password_validators import PasswordField
from governance.vocabulary.readable_text import ReadableText
from initiatives.lifecycle.holds import deeds as hold_deeds
from tests.acceptance.input.test_generated_input import (
    FULL,
    LEFT_BEHIND,
    all_forms,
    doors,
    in_other_states,
    people,  # noqa: F401 - a fixture
    read_page,
    sound,
    taken_back,
)
from tests.acceptance.pages.test_access import world  # noqa: F401 - a fixture
from tests.support import factories
from tests.support.input.generated_input import forms_of

pytestmark = pytest.mark.django_db

HIDDEN = {
    "NUL": "\x00",
    "a control character": "\x07",
    "a direction mark": "\u202e",
    "an isolate": "\u2066",
    "a zero-width space": "\u200b",
    "a joiner": "\u200d",
    "a byte order mark": "\ufeff",
    "a noncharacter": "\ufffe",
    "half a character": "\ud83d",
    "a tag": "\U000e0041",
}
# Fields whose own rule leaves no room for a hidden character.
NARROWER = (forms.GenericIPAddressField,)
MARK = "q7x"
TYPED = ("text", "search", "email", "url", "tel")
PAGES, ENOUGH = 12, 30  # at least so many pages, and texts sent; at full length those of every page


def below(kind: type) -> set[type]:
    """Every class that derives from this one, and itself."""
    return {kind}.union(*map(below, kind.__subclasses__()))


def forms_of_admin(person) -> set[type]:
    """The form of each model that the admin lets somebody edit, as it builds them."""
    request = RequestFactory().get("/admin/")
    request.user = person
    found = set()
    for model_admin in admin.site._registry.values():
        if model_admin.has_change_permission(request) or model_admin.has_add_permission(request):
            found.add(model_admin.get_form(request))
    return found


def test_every_kind_of_text_field_has_the_rule():
    assert all_forms()
    without = {
        kind
        for kind in below(forms.CharField)
        if ReadableText() not in kind.default_validators and not issubclass(kind, (*NARROWER, PasswordField))
    }
    assert not without


def test_every_field_of_every_form_refuses_every_hidden_character(cast, record_property):
    wrong, tried = [], Counter()
    for form in {*all_forms(), *forms_of_admin(cast.admin)}:
        for name, field in form.base_fields.items():
            if isinstance(field, (forms.FileField, forms.BooleanField)):
                continue
            if isinstance(field, forms.ModelChoiceField) and field.queryset is None:
                continue  # the form says on which rows it rests once it is made
            kind = "text" if isinstance(field, forms.CharField) else "other"
            tried[kind] += 1
            for words, letter in HIDDEN.items():
                sent = f"a{letter}b"
                several = isinstance(field, (forms.MultipleChoiceField, forms.ModelMultipleChoiceField))
                try:
                    with transaction.atomic():
                        field.clean([sent] if several else sent)
                except ValidationError as refused:
                    said = " ".join(refused.messages)
                    if not said.strip():
                        wrong.append(f"{form.__name__}.{name}: {words}: refused without words")
                    elif isinstance(field, PasswordField) and "a" + letter in said:
                        wrong.append(f"{form.__name__}.{name}: {words}: the secret is quoted")
                    continue
                except Exception as trouble:
                    wrong.append(f"{form.__module__}.{form.__name__}.{name}: {words}: {trouble!r}")
                    continue
                if not isinstance(field, PasswordField) or words in ("NUL", "half a character"):
                    wrong.append(f"{form.__module__}.{form.__name__}.{name}: {words}: taken")
    record_property("fields", dict(tried))
    print(f"fields tried: {tried['text']} of text, {tried['other']} others, {len(HIDDEN)} characters each")
    assert tried["text"] > 250
    assert not wrong, "\n".join(sorted(wrong))


def test_no_field_of_one_line_takes_a_line_break(cast):
    wrong, kinds = [], Counter()
    for form in {*all_forms(), *forms_of_admin(cast.admin)}:
        for name, field in form.base_fields.items():
            if not isinstance(field, forms.CharField) or isinstance(field, PasswordField):
                continue
            if isinstance(field.widget, (forms.Textarea, forms.HiddenInput)):
                continue  # hidden fields have what a page wrote, and each is looked up again
            kinds[type(field.widget).__name__] += 1
            for sent in ("a\nb", "a\r\nb", "a\rb"):
                read = field.widget.value_from_datadict({name: sent}, {}, name)
                try:
                    taken = field.clean(read)
                except ValidationError:
                    continue
                if {"\n", "\r"} & {*str(taken)}:
                    wrong.append(f"{form.__module__}.{form.__name__}.{name}: {sent!r} is {taken!r}")
    print(dict(kinds))
    assert kinds.total() > 150
    assert not wrong, "\n".join(sorted(wrong))


def test_a_title_is_one_line(people):  # noqa: F811
    client = people("owner")
    shown = client.get("/initiatives/register/")
    forms_there = forms_of("/initiatives/register/", shown.content.decode())
    (form,) = [one for one in forms_there if "title" in one.fields]
    answer = client.post(form.action, form.sent | {"title": "Two\r\nlines"})
    assert 'value="Two lines"' in answer.content.decode()


class Written:
    """Collects what is written to the database that holds the mark, outside of what a refusal leaves behind."""

    def __init__(self):
        self.found: list[str] = []

    def __call__(self, execute, sql, params, many, context):
        head = str(sql).lstrip()[:400]
        if head.startswith(("INSERT", "UPDATE")) and MARK in repr(params):
            table = head.split('"')[1] if '"' in head else head
            if table.replace("_historical", "_") not in LEFT_BEHIND:
                self.found.append(head[:120])
        return execute(sql, params, many, context)


def test_no_form_of_a_page_keeps_a_hidden_character(world, people, rounds, cast):  # noqa: F811
    """Pages are drawn by chance until enough texts were sent: many pages have no field for one."""
    written, tried, wrong = Written(), 0, []
    every = doors(world) + (in_other_states(cast) if rounds >= FULL else [])
    for number, (url, who) in enumerate(random.sample(every, len(every))):
        if number >= PAGES and tried >= ENOUGH and rounds < FULL:
            break
        for form in read_page(people, url, who)[2]:
            names = [name for name in form.fields if form.kinds.get(name) in TYPED]
            if not names:
                continue
            # Half of a character cannot come in a form: browsers and web servers replace it.
            for letter in random.sample(["\x00", "\u202e", "\u200b", "\ufffe"], 2):
                values = form.sent | {name: [f"{MARK}{letter}{MARK}"] for name in names}
                tried += len(names)
                with taken_back(), connection.execute_wrapper(written):
                    answer = getattr(people(who), form.method)(form.action, values)
                    sound(answer, (url, who, names))
                if written.found:
                    wrong.append(f"{who} at {form.action}: {names}: {written.found}")
                    written.found.clear()
    print(f"text fields of forms on pages tried, with repetitions: {tried}")
    assert tried >= ENOUGH
    assert not wrong, "\n".join(wrong)


def test_a_form_says_which_field_holds_the_character(people, cast):  # noqa: F811
    client = people("owner")
    shown = client.get("/initiatives/register/")
    (form,) = [
        one for one in forms_of("/initiatives/register/", shown.content.decode()) if "title" in one.fields
    ]
    answer = client.post(form.action, form.sent | {"title": "Only\u202e draft"})
    page = answer.content.decode()
    assert "U+202E (right-to-left override), after “Only”" in page
    assert "\u202e" not in page
    assert "Only[U+202E] draft" in page, "what was typed is shown, with the character spelled out"


def test_no_act_takes_a_reason_with_a_hidden_character(cast):
    """Acts are called by more than forms, and the audit log keeps each reason."""
    initiative = factories.make_initiative(cast)
    for letter in HIDDEN.values():
        with pytest.raises(ValidationError, match="readers cannot see"):
            hold_deeds.hold(initiative=initiative, reason=f"Look{letter}again", by=cast.seat_risk)
    assert not initiative.holds.exists()
