"""Registering in four fields, beside the initiatives that resemble it."""

import re

import pytest
from bs4 import BeautifulSoup
from django.template.loader import render_to_string

from initiatives.lifecycle.initiative.similar_initiatives import Similar, Stub
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.models import Initiative
from tests.support import factories

FOUR = ("title", "unit", "problem", "owner")


WRONG = [
    ({"title": ""}, "This field is required"),
    ({"title": "   "}, "This field is required"),
    ({"title": "x" * 201}, "at most 200"),
    ({"problem": ""}, "This field is required"),
    ({"unit": "999999999999999999999"}, "This unit was merged"),
    ({"unit": "retail"}, "This unit was merged"),
    ({"owner": "-1"}, "This person is no longer active"),
    ({"successor_of": "AI-9999"}, "You cannot see an initiative AI-9999"),
    ({"successor_of": "; drop"}, "You cannot see an initiative"),
]


@pytest.fixture
def sent(cast):
    return {
        "title": "Sorting of supplier complaints",
        "unit": cast.unit.pk,
        "problem": "Complaints wait four days until somebody has read them.",
        "owner": cast.owner.pk,
    }


def test_exactly_four_fields_are_asked(cast, as_):
    response = as_(cast.owner).get("/initiatives/register/")
    form = response.context["form"]
    text = response.content.decode()
    asked = [name for name in form.fields if f'for="id_{name}"' in text]
    assert tuple(asked) == FOUR
    assert form["unit"].value() == cast.unit.pk
    assert form["owner"].value() == cast.owner.pk


def test_it_is_registered_and_its_page_opens(cast, as_, sent):
    client = as_(cast.owner)
    response = client.post("/initiatives/register/", sent)
    initiative = Initiative.objects.get(title=sent["title"])
    assert response.url == f"/initiatives/{initiative.ref}/"
    assert initiative.stage == "proposed"
    assert initiative.roles.in_force().get().person == cast.owner


def test_naming_somebody_else_asks_them(cast, as_, sent):
    as_(cast.outsider).post("/initiatives/register/", sent)
    initiative = Initiative.objects.get(title=sent["title"])
    assert initiative.registered_by == cast.outsider
    assert initiative.roles.waiting().get().person == cast.owner


def test_bad_input_is_said_at_its_field_and_nothing_typed_is_lost(cast, as_, sent):
    client = as_(cast.owner)
    for change, said in WRONG:
        response = client.post("/initiatives/register/", sent | change)
        text = response.content.decode()
        assert response.status_code == 200
        assert said in text, change
        assert (sent | change)["problem"] in text
    assert not Initiative.objects.exists()


def test_an_empty_form_is_answered_as_well(cast, as_):
    response = as_(cast.owner).post("/initiatives/register/", {})
    assert response.content.decode().count("This field is required") >= 4


def test_similar_initiatives_are_shown_and_nobody_is_asked_why(cast, as_, sent):
    old = factories.make_initiative(cast, title="Supplier complaints inbox")
    client = as_(cast.outsider)
    typed = sent | {"owner": cast.outsider.pk}
    for text in (
        client.post("/initiatives/register/", typed | {"unit": ""}).content.decode(),
        client.post("/initiatives/similar/", typed).content.decode(),
    ):
        assert old.ref in text
        assert f'href="/initiatives/{old.ref}/"' not in text  # a stub: this person may not open it
        assert "ask Marta Lindqvist" in text
        assert "why_new" not in text
    assert Initiative.objects.count() == 1
    assert client.post("/initiatives/register/", typed).status_code == 302


def test_the_page_says_which_words_are_shared_and_what_its_owner_still_must_give(cast, as_, sent):
    old = factories.make_prototype(cast, title="Sorting of complaints by suppliers")
    stage_actions.stop(initiative=old, reason_code="no_value", reason="Nobody asked for it", by=cast.owner)
    client = as_(cast.owner)
    text = " ".join(client.post("/initiatives/similar/", sent).content.decode().split())
    assert "These initiatives have similar words. Check whether one is the same idea." in text
    assert re.search(r"Words in common: complaints, sorting, supplier ?<", text)
    assert "ordered the initiatives by meaning" not in text
    assert "same:" not in text
    assert "%" not in text.split("Words in common")[1].split("</section>")[0], "it has no approved stage"
    assert "post-mortem still due" in text
    assert Initiative.objects.count() == 1
    other = client.post("/initiatives/similar/", sent | {"owner": cast.outsider.pk})
    assert "post-mortem still due" not in other.content.decode()
    typed = client.post("/initiatives/similar/", {"title": "Complaints sorting", "owner": cast.owner.pk})
    assert "post-mortem still due" in typed.content.decode()
    for odd in ("x", "-1", "9" * 30, "\u0662"):
        assert client.post("/initiatives/similar/", {"title": "Complaints", "owner": odd}).status_code == 200


def test_where_nobody_is_named_beside_a_similar_initiative_the_board_is_asked():
    stub = Stub("AI-0001", "Inbox", "Account management", "MVP", "", "")
    text = render_to_string("initiatives/registration/_similar.html", {"near": Similar([stub])})
    assert "ask the person named beside it. If no one is named, ask the board of the unit." in text
    assert "no owner yet, ask the board" in text


def test_a_successor_is_linked_to_the_closed_initiative_it_follows(cast, as_, sent):
    old = factories.make_initiative(cast, title="Something else entirely")
    client = as_(cast.owner)
    refused = client.post("/initiatives/register/", sent | {"successor_of": old.ref})
    assert "is not stopped or retired" in refused.content.decode()
    stage_actions.stop(initiative=old, reason_code="no_value", reason="Nobody asked for it", by=cast.owner)
    page = client.get(f"/initiatives/register/?successor_of={old.ref}")
    assert f'value="{old.ref}"' in page.content.decode()
    assert client.post("/initiatives/register/", sent | {"successor_of": old.ref}).status_code == 302
    assert Initiative.objects.latest("number").successor_of == old


def test_the_part_that_htmx_puts_in_place(cast, as_):
    old = factories.make_initiative(cast)
    client = as_(cast.owner)
    text = client.post(
        "/initiatives/similar/", {"title": "customer summaries", "problem": ""}
    ).content.decode()
    assert f'href="/initiatives/{old.ref}/"' in text
    assert "<html" not in text
    assert client.post("/initiatives/similar/").content.decode().strip() == ""
    assert client.get("/initiatives/similar/?title=customer+summaries").status_code == 405
    for odd in ("');--", "\U0001f600", "a&|!:*", "x" * 5000, "((("):
        assert client.post("/initiatives/similar/", {"title": odd, "problem": odd}).status_code == 200


def test_what_is_typed_while_registering_stands_in_no_address(cast, as_):
    page = BeautifulSoup(as_(cast.owner).get("/initiatives/register/").content, "html.parser")
    assert not page.select("[hx-get]")
    assert page.select_one("#similar")["hx-post"] == "/initiatives/similar/"


def test_what_the_owner_still_must_give_is_named_while_registering_and_afterwards(cast, as_, sent):
    old = factories.make_prototype(cast, title="Something else")
    stage_actions.stop(initiative=old, reason_code="no_value", reason="Nobody asked for it", by=cast.owner)
    client, words = as_(cast.owner), "Marta Lindqvist still has post-mortems to write."
    assert words in client.get("/initiatives/register/").content.decode()
    typed = client.post("/initiatives/similar/", {"title": "Zebra", "owner": cast.owner.pk}).content.decode()
    assert words in typed
    assert old.ref in typed
    assert (
        words
        not in client.post(
            "/initiatives/similar/", {"title": "Zebra", "owner": cast.chair.pk}
        ).content.decode()
    )
    client.post("/initiatives/register/", sent | {"title": "Zebra crossings"})
    new = Initiative.objects.latest("number")
    words = "Marta Lindqvist still has post-mortems to write."
    page = " ".join(client.get(new.get_absolute_url()).content.decode().split())
    assert words in page
    assert f"({old.ref}), due" in page
    assert words not in client.get(old.get_absolute_url()).content.decode()
