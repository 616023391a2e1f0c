"""Two rulebooks compared in sentences, what ends each tolerance, and whom a new version meets."""

import dataclasses

import pytest
from bs4 import BeautifulSoup

from governance.models import Rulebook
from governance.organisation import actions as organisation_actions
from governance.rulebook import diff, parse, shipped_text
from governance.vocabulary import RUNNING_STAGES
from initiatives.lifecycle.reviews import actions as review_actions
from tests.support import factories
from tests.support.rules.plain_rulebook import plain_text
from tests.support.rules.rulebook_editing import read, with_values, without_requirement

TEXT = plain_text()


def against(*edits: tuple[str, str]) -> dict[str, tuple[str, ...]]:
    """What differs from the default text after these edits, each made once, by title."""
    text = TEXT
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    return {section.title: section.lines for section in diff.differences(parse(TEXT), parse(text))}


def test_equal_rulebooks_differ_in_nothing():
    assert against(('version = "0.9"', 'version = "1.0"')) == {}


def test_each_change_is_one_sentence_at_its_place():
    found = against(
        ("sign_off_max_age_days = 45", "sign_off_max_age_days = 30"),
        ("max_days_before_review = 180", "max_days_before_review = 120"),
        ('question = "Who, by name, owns the outcome?"', 'question = "Who owns the outcome?"'),
        ('"low maintainability"]', '"low maintainability", "no documentation"]'),
    )
    assert found == {
        "Terms": ("Number of days for which a signature counts: now 30, before 45.",),
        "Stage: prototype": (
            "What is tolerated: added no documentation.",
            "Number of days until the chair decides to continue or stop: now 120, before 180.",
        ),
        "Requirement: Who owns the outcome?": (
            "Question: now “Who owns the outcome?”, before “Who, by name, owns the outcome?”.",
        ),
    }


def test_what_kinds_of_evidence_carry_is_told():
    carries = '[evidence_carries]\ndetails = ["test_report"]\nregisters = ["telemetry", "drill_record"]'
    assert against(("[evidence_carries]", carries)) == {
        "Contents of each kind of evidence": (
            "Kinds whose form asks for details: added test_report.",
            "Kinds that are never uploaded: added drill_record, telemetry.",
        )
    }


def test_what_came_and_what_is_gone_say_so():
    found = diff.differences(parse(TEXT), parse(TEXT))
    assert found == []
    rulebook = parse(TEXT)
    fewer = dataclasses.replace(
        rulebook, requirements={key: row for key, row in rulebook.requirements.items() if key != "mvp.users"}
    )
    (gone,) = diff.differences(rulebook, fewer)
    (came,) = diff.differences(fewer, rulebook)
    assert gone.title == came.title == f"Requirement: {rulebook.requirements['mvp.users'].question}"
    assert gone.lines == ("Gone: the newer version does not have it.",)
    assert came.lines[0] == "New: the older version does not have it."
    assert gone.gates == came.gates == {"mvp"}


def test_every_field_of_every_row_is_compared():
    """Whichever field differs, something is said: no field can be changed unseen."""
    rulebook = parse(TEXT)
    key = "mvp.users"
    row = rulebook.requirements[key]
    for one in dataclasses.fields(row):
        value = getattr(row, one.name)
        other = {str: "other", bool: not value, int: 7}.get(type(value), ("other",))
        if isinstance(value, dict):
            other = {"other": ("1",)}
        changed = dataclasses.replace(row, **{one.name: other})
        sections = diff.differences(
            rulebook, dataclasses.replace(rulebook, requirements=rulebook.requirements | {key: changed})
        )
        assert [len(section.lines) for section in sections] == [1], one.name


def test_whatever_is_tolerated_is_ended_by_a_requirement_of_a_later_gate():
    rulebook = parse(TEXT)
    for stage in ("prototype", "mvp"):
        rows = rulebook.tolerated(stage)
        assert [words for words, _, _ in rows] == list(rulebook.stages[stage].tolerated)
        for words, asked, gate in rows:
            assert asked.key in gate.requirements(), words
            assert RUNNING_STAGES.index(gate.to) > RUNNING_STAGES.index(stage), words
    assert rulebook.tolerated("production") == rulebook.tolerated("stopped") == []


@pytest.mark.django_db
def test_the_page_names_the_gates_it_touches_and_counts_the_initiatives(cast, as_, client):
    factories.make_mvp(cast)
    review = review_actions.open_review(initiative=factories.make_initiative(cast), by=cast.owner)
    text = TEXT.replace('"0.9"', '"1.0"').replace("Which people and departments use it?", "Who uses it?")
    factories.make_rulebook(cast.admin, cast.chair, source=text)
    page = BeautifulSoup(as_(cast.owner).get("/rulebook/1.0/changes/").content, "html.parser")
    rows = [
        [cell.get_text(strip=True) for cell in row.find_all(["th", "td"])] for row in page.select("tbody tr")
    ]
    assert rows == [["Prototype to MVP", "0", "1", "0"]]
    assert "Requirement: Who uses it?" in page.get_text()
    assert "Against 0.9" in page.get_text()
    terms = text.replace('"1.0"', '"2026.3"').replace(
        "sign_off_max_age_days = 45", "sign_off_max_age_days = 40"
    )
    organisation_actions.load_rulebook(source=terms, by=cast.admin)
    page = BeautifulSoup(as_(cast.owner).get("/rulebook/2026.3/changes/?since=0.9").content, "html.parser")
    rows = [
        [cell.get_text(strip=True) for cell in row.find_all(["th", "td"])] for row in page.select("tbody tr")
    ]
    gates = Rulebook.objects.current().parsed.gates
    assert [gates[review.gate].title, "1", "1", "1"] in rows
    # Drafts and counts are for people who have signed in.
    assert client.get("/rulebook/2026.3/changes/").status_code == 404
    assert client.get("/rulebook/1.0/changes/?since=2026.3").status_code == 404
    assert "Affected initiatives" not in client.get("/rulebook/1.0/changes/").content.decode()
    for query in ("since=%00", "since=9", "since=" + "x" * 300):
        assert client.get(f"/rulebook/1.0/changes/?{query}").status_code in (400, 404)
    assert "nothing to compare with" in client.get("/rulebook/0.9/changes/").content.decode()


@pytest.mark.django_db
def test_the_initiative_and_the_rulebook_say_what_ends_each_tolerance(cast, as_):
    initiative = factories.make_prototype(cast)
    for address in (initiative.get_absolute_url(), "/rulebook/"):
        page = BeautifulSoup(as_(cast.owner).get(address).content, "html.parser")
        lines = [" ".join(line.get_text(" ", strip=True).split()) for line in page.select("li")]
        assert any(
            line.startswith("Weak or temporary logging, until What is logged or watched from day one?")
            for line in lines
        ), address


def test_how_many_requirements_are_drawn_is_told():
    text = shipped_text()
    for becomes in ("drawn_at_minimal = 7\n", ""):
        assert "drawn_at_minimal = 5\n" in text
        (terms,) = diff.differences(parse(text), parse(text.replace("drawn_at_minimal = 5\n", becomes)))
        assert terms.title == "Terms"
        told = "Number of requirements drawn for verification, in production at minimal risk: "
        assert terms.lines == (f"{told}now {'7' if becomes else '0'}, before 5.",)


def test_levels_are_told_by_tier_with_why_one_is_left_out():
    lines = {
        line for section in diff.differences(parse(TEXT), parse(shipped_text())) for line in section.lines
    }
    assert "Maximum number of waivers of an initiative at the same time: now 3, before 30." in lines
    assert any("limited: now verified, before documented" in line for line in lines)
    assert any(
        line.startswith("Reason why a tier does not ask the requirement: minimal: now “the owner is the last")
        for line in lines
    )


def test_requirements_that_come_and_go_are_named_where_they_are_asked():
    text = read(shipped_text())
    new = parse(text.source)
    old = parse(without_requirement(text, "gov.impact").source)
    question = "Has the effect on people been assessed?"
    named = f"“{question}” (gov.impact)"
    came = {section.title: section for section in diff.differences(old, new)}
    why = "that no person is affected is what the tier says, and the risk seat confirmed it"
    assert {title: section.lines for title, section in came.items()} == {
        f"Criterion: {old.criteria['production.governance_satisfied'].question}": (
            f"Requirements of the criterion: added {named}.",
        ),
        f"Criterion: {old.criteria['production.test_governance'].question}": (
            f"Requirements of the criterion: added {named}.",
        ),
        f"Requirement: {question}": (
            "New: the older version does not have it.",
            f"Required level: minimal: left out, because “{why}”; limited: verified; high: verified.",
        ),
        "Scale tests": (f"Governance, its items: added {named}.",),
    }
    assert came[f"Requirement: {question}"].gates == {"production"}
    gone = {section.title: section.lines for section in diff.differences(new, old)}
    assert gone[f"Requirement: {question}"] == ("Gone: the newer version does not have it.",)
    assert gone["Scale tests"] == (f"Governance, its items: gone {named}.",)


def test_answers_that_stay_after_a_promotion_are_named():
    text = read(shipped_text())
    place = ("carry_forward", "frozen_at_mvp")
    (key, *rest) = text.value(place)
    old, new = parse(text.source), parse(with_values(text, {place: rest}).source)
    (section,) = diff.differences(old, new)
    assert section.title == "Requirements after a promotion"
    named = f"“{old.requirements[key].question}” ({key})"
    assert section.lines == (f"Answers that stay as they were decided at a gate: mvp: gone {named}.",)


def test_levels_that_change_and_tiers_that_are_left_out_are_told():
    text = read(shipped_text())
    old = parse(text.source)
    trust = ("requirement", "adopt.trust")
    left_out = {
        ("requirement", "int.identity", "level", "limited"): "documented",
        (*trust, "level", "limited"): None,
        (*trust, "left_out", "limited"): "nobody has to",
    }
    asked = {(*trust, "level", "minimal"): "stated", (*trust, "left_out", "minimal"): None}
    new, again = (parse(with_values(text, values).source) for values in (left_out, asked))
    assert [section.lines for section in diff.differences(old, new)] == [
        ("Required level: limited: now documented, before verified.",),
        (
            "Required level: limited: now left out, before verified.",
            "Reason why a tier does not ask the requirement: limited: now “nobody has to”, before nothing.",
        ),
    ]
    (section,) = diff.differences(old, again)
    assert section.lines == (
        "Required level: minimal: now stated, before left out.",
        "Reason why a tier does not ask the requirement: minimal: now nothing, "
        "before “its users may stop using it on any day”.",
    )
