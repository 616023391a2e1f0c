"""The check of prose: what it finds and where it looks. `make lint` checks that no folder has more hits."""

import pytest

from tests.support.commands import prose as command
from tests.support.rules import prose


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("This is no mail address.", "is no X"),
        ("This key opens nothing any more.", "any more"),
        ("Ask whoever gave it to you.", "whoever"),
        ("What becomes of the rows", "clause as a subject"),
        ("This is not yours to answer.", "yours to"),
        ("The answer says which question it answers.", "software that speaks"),
        ("The text stands below.", "stands"),
        ("The report came to nothing.", "becomes of"),
        ("Nobody accepts a role for another.", "starts with Nothing"),
        ("Codes of before have ended.", "of before"),
        ("No such initiative.", "such"),
        ("It ends by itself.", "starts with It"),
        ("This was withdrawn.", "starts with It"),
        ("Of a busy week the newest 500 are counted.", "inverted start"),
        ("One way: the first. Two: b: the second.", "chain of facts"),
        ("The review ended; open another.", "semicolon"),
    ],
)
def test_each_rule_finds_its_sentence(text, rule):
    assert rule in {found.name for _, found in prose.hits(text, "pages")}


@pytest.mark.parametrize(
    "text",
    [
        "No requirements match these filters. Clear the filters.",
        "What does the system do?",
        "This request does not exist, or it was sent to someone else.",
        "The review period has ended. The review closes automatically.",
        "In a busy week, only the newest 500 decisions are counted.",
        "The chair is no longer a member.",
        "One reviewer has signed.",
        "Use HH:MM, for example 10:30.",
    ],
)
def test_a_plain_sentence_has_no_hit(text):
    assert prose.hits(text, "pages") == []


@pytest.mark.parametrize(
    ("remedy", "instructs"),
    [
        ("Ask the chair.", True),
        ("The owner can propose someone else.", True),
        ("If the person has left, ask the sponsor.", True),
        ("Nobody accepts a role for another.", False),
        ("The owner cannot.", False),
    ],
)
def test_a_remedy_is_an_instruction_or_names_who_can_help(remedy, instructs):
    assert bool(prose.INSTRUCTS.match(remedy)) is instructs


def test_a_template_is_read_as_a_reader_sees_it():
    source = (
        '<h1>{% translate "Result" %}</h1><p title="It is gone">See <a href="/x/">the\n list</a> of '
        "{{ who }}.</p>{# Nothing #}<code>is no code</code>"
    )
    found = set(prose.of_template(source))
    assert {"Result", "It is gone", "See the list of …."} <= found
    assert not any("Nothing" in text or "is no code" in text for text in found)


def test_a_module_is_divided_into_pages_refusals_remedies_and_docstrings():
    source = (
        '"""Head."""\ndef may():\n    """Return it."""\n    raise Refused("The day is over.", "Ask Ada.")\n'
        'WORDS = "Two words"\nlog.info("Not shown here")\n'
    )
    pages, refusals, docstrings = prose.of_module(source)
    assert [text for _, text in pages] == ["Two words"]
    assert [(text, remedy) for _, text, remedy in refusals] == [
        ("The day is over.", False),
        ("Ask Ada.", True),
    ]
    assert [text for _, text in docstrings] == ["Head.", "Return it."]


def test_a_document_is_read_without_its_code():
    source = "# A title\n\nOne line\nand another.\n\n```sh\nis no text\n```\n\n| a cell | x |\n- An item\n"
    assert [text for _, text in prose.of_markdown(source)] == [
        "A title",
        "One line and another.",
        "a cell",
        "An item",
    ]


def test_a_new_hit_is_named_with_its_replacement(monkeypatch):
    rule = prose.RULES[0]
    monkeypatch.setattr(
        prose, "all_hits", lambda: iter([("pages", "templates/new/x.html", "This is no page.", rule)])
    )
    assert command.risen() == ["templates/new/x.html: is no X (write: is not a …): This is no page."]
