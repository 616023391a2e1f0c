"""Many requirements in one form: saved together or not at all; the contract's answers taken word for word."""

import pytest
from bs4 import BeautifulSoup
from django.core.files.uploadedfile import SimpleUploadedFile

from governance import clock
from governance.models import Rulebook
from governance.rulebook import parse, shipped_text
from initiatives.contributions import contributed
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.evidence.forms import added_kinds
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.lifecycle.requirements.several import presentation
from tests.support import factories
from tests.support.initiatives.initiative_pages import at, text_of

pytestmark = pytest.mark.django_db

WORDS = {
    "mvp.problem": "Two clerks sort forty letters a day by hand.",
    "mvp.workflow": "The letters of the morning, as drawn in the file.",
    "mvp.possibility": "The prototype sorted two hundred letters.",
}


def sent(words: dict, **more) -> dict:
    """What a browser sends: every requirement of the gate to MVP, answered or left empty, and the item of each kind."""
    today = clock.today().isoformat()
    fields = {}
    for kind in presentation.LIGHTEST:
        fields |= {f"item-{kind}-kind": str(kind), f"item-{kind}-observed_on": today}
    for key in Rulebook.objects.current().parsed.gates["mvp"].requirements():
        fields |= {f"{key}-kind": "answered", f"{key}-based_on": "0", f"{key}-text": words.get(key, "")}
    return fields | more


def a_file() -> SimpleUploadedFile:
    """A document that says something."""
    return SimpleUploadedFile(
        "Morning.txt", b"The letters of the morning are sorted by two clerks.", "text/plain"
    )


def texts(initiative) -> dict:
    """The answers to those requirements."""
    return dict(initiative.answers.filter(requirement__in=WORDS).values_list("requirement", "text"))


def test_the_list_leads_to_the_form_that_asks_what_is_open(cast, as_):
    initiative = factories.make_prototype(cast)
    client = as_(cast.owner)
    place = at("requirements-several", initiative.ref)
    assert place in text_of(client.get(at("requirements", initiative.ref)))
    page = text_of(client.get(place))
    for key in WORDS:
        assert f'name="{key}-text"' in page
    requirement_actions.answer(
        initiative=initiative, requirement="mvp.problem", kind="answered", text="Yes, it can.", by=cast.owner
    )
    assert 'name="mvp.problem-text"' not in text_of(client.get(place)), "it has an answer"
    assert as_(cast.seat_risk).get(place).status_code == 403
    assert as_(cast.outsider).get(place).status_code == 404


def test_what_is_written_is_saved_and_one_item_shows_what_takes_it(cast, as_):
    initiative = factories.make_prototype(cast)
    client = as_(cast.owner)
    fields = sent(WORDS, **{"item-document-file": a_file()})
    answer = client.post(at("requirements-several", initiative.ref), fields)
    assert answer.status_code == 302
    assert texts(initiative) == WORDS, "what is left empty stays open"
    item = initiative.evidence.get(title="Morning")
    assert set(item.coverage.values_list("requirement", flat=True)) == {"mvp.problem", "mvp.workflow"}
    again = client.post(at("requirements-several", initiative.ref), fields | {"then": "next"})
    assert again.status_code == 409, "answered meanwhile, by the same form sent twice"
    assert initiative.evidence.filter(title="Morning").count() == 1
    assert WORDS["mvp.problem"] in text_of(again), "what was typed is shown beside it"


def test_nothing_is_saved_where_one_part_is_wrong(cast, as_):
    initiative = factories.make_prototype(cast)
    client = as_(cast.owner)
    place = at("requirements-several", initiative.ref)
    wrong = client.post(place, sent(WORDS | {"mvp.users": "none none"}))
    assert wrong.status_code == 422
    assert "There is a problem" in text_of(wrong)
    assert not texts(initiative)
    nothing = client.post(place, sent({}))
    assert nothing.status_code == 422
    assert "Answer at least one requirement" in text_of(nothing)
    of_none = client.post(
        place, sent({"mvp.possibility": WORDS["mvp.possibility"]}, **{"item-document-file": a_file()})
    )
    assert of_none.status_code == 422
    assert "Answer at least one requirement above that uses this evidence" in text_of(of_none)
    assert not texts(initiative)


def test_an_item_that_is_chosen_is_taken_in_place_of_the_new_one(cast, as_):
    initiative = factories.make_prototype(cast)
    there = evidence_actions.add_evidence(
        initiative=initiative,
        kind="document",
        title="Letters of a week",
        observed_on=clock.today(),
        covers=["mvp.users"],
        file=a_file(),
        by=cast.owner,
    )
    client = as_(cast.owner)
    answer = client.post(
        at("requirements-several", initiative.ref), sent(WORDS, **{"mvp.workflow-item": str(there.pk)})
    )
    assert answer.status_code == 302
    assert set(there.coverage.values_list("requirement", flat=True)) == {"mvp.users", "mvp.workflow"}


def test_where_conditions_of_the_test_count_no_document_is_asked_for():
    asked = parse(shipped_text())
    assert presentation.kinds_of(asked, asked.requirements["prod.q04_exceptions"]) == ["test_report"]
    assert presentation.kinds_of(asked, asked.requirements["mvp.rollout"]) == ["document"]


@pytest.mark.parametrize("gate", ["mvp", "production"])
def test_what_only_a_register_a_measure_or_the_contract_answers_is_not_asked(cast, as_, gate):
    initiative = factories.make_prototype(cast)
    factories.make_rulebook(cast.admin, cast.chair, shipped_text())
    place = at("requirements-several", initiative.ref, gate=gate)
    client, rulebook = as_(cast.owner), Rulebook.objects.current().parsed
    with_files = {*added_kinds(rulebook), "attestation"} - {"contract_clause"}
    for _ in range(12):
        page = BeautifulSoup(client.get(place).content, "html.parser")
        keys = [field["name"].removesuffix("-text") for field in page.select("textarea[name$='-text']")]
        for key in keys:
            assert with_files & {*rulebook.requirements[key].evidence}, key
            assert key not in contributed.renewals
            requirement_actions.answer(
                initiative=initiative, requirement=key, kind="answered", text="As agreed.", by=cast.owner
            )
        if not keys:
            break
    assert "Nothing waits" not in page.get_text(), "the register and the contract do"
    assert "Your requirements on other pages" in page.get_text()


def test_what_is_saved_and_does_not_count_says_why(cast, as_):
    initiative = factories.make_prototype(cast)
    words = {"mvp.possibility": WORDS["mvp.possibility"]}
    answer = as_(cast.owner).post(at("requirements-several", initiative.ref), sent(words), follow=True)
    page = BeautifulSoup(answer.content, "html.parser").get_text()
    assert "1 answer is saved." in page
    why = supported_stage.judged(initiative).states["mvp.possibility"].words
    assert f"{Rulebook.objects.current().parsed.requirements['mvp.possibility'].question}” {why}" in page
    assert "Saved, but not met yet:" in page
