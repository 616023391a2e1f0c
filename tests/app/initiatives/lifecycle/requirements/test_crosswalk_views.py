"""Initiatives by the paragraphs of outside frameworks, for auditors."""

import csv
import io
import re

import pytest

from adoption.demo import initiative_acts
from governance import clock
from governance.models import Entry, Rulebook
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.requirements import crosswalk
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.reviews.sign_offs import actions as sign_off_actions
from initiatives.models import SignOff
from tests.support import factories
from tests.support.web import query_counts

pytestmark = pytest.mark.django_db


def words(response) -> str:
    """The page as text, without tags and runs of space."""
    assert response.status_code == 200, response.status_code
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def table(response) -> list[dict]:
    """A CSV file as rows."""
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("framework", ["soc2", "eu_ai_act", "iso_42001", "nist_ai_rmf"])
def test_every_pairing_of_the_rulebook_is_there(cast, framework):
    rulebook = Rulebook.objects.current().parsed
    expected = {
        (reference, row.key)
        for row in [*rulebook.requirements.values(), *rulebook.criteria.values()]
        for reference in row.crosswalk.get(framework, ())
    }
    listed = crosswalk.references(rulebook, framework)
    assert {(name, row.key) for name, rows in listed.items() for row in rows} == expected
    assert len(expected) > 10


def test_paragraphs_are_ordered_as_people_count():
    names = ["CC10.1", "CC9.2", "Art. 14(4)", "Art. 9(2)", "A.6.2.10", "A.6.2.2"]
    assert sorted(names, key=crosswalk._natural) == [
        "A.6.2.2",
        "A.6.2.10",
        "Art. 9(2)",
        "Art. 14(4)",
        "CC9.2",
        "CC10.1",
    ]


def test_a_requirement_is_signed_for_by_the_seats_whose_criteria_rest_on_it(cast):
    rulebook = Rulebook.objects.current().parsed
    rows = [row for found in crosswalk.references(rulebook, "soc2").values() for row in found if row.signed]
    assert rows
    for row in rows:
        for gate, seat in row.signed:
            mine = [one for one in rulebook.criteria.values() if (one.gate, one.seat) == (gate, seat)]
            assert any(row.key == one.key or row.key in one.requirements for one in mine), row.key


def test_a_paragraph_shows_answer_evidence_and_sign_offs_of_each_initiative(cast, as_, initiative):
    idea = factories.make_initiative(cast, title="An idea")
    client = as_(cast.auditor)
    listing = words(client.get("/audit/frameworks/?framework=soc2"))
    assert "CC3.1" in listing
    assert "What is inside and outside the scope?" in listing
    page = words(client.get("/audit/frameworks/?framework=soc2&reference=CC3.1"))
    answer = initiative.answers.get(requirement="proto.scope")
    item = initiative.evidence.filter(coverage__requirement="proto.scope").first()
    assert f"Answered : {answer.text[:60]}" in page
    assert item.title in page
    assert f"Approve {SignOff.objects.filter(review__gate='prototype').first().person}" in page
    assert "An idea" in page
    assert "not answered" in page
    only = words(client.get(f"/audit/frameworks/?framework=soc2&reference=CC3.1&initiative={idea.ref}"))
    assert idea.title in only
    assert initiative.title not in only
    assert "No initiative has this reference" in words(
        client.get("/audit/frameworks/?framework=soc2&reference=CC3.1&initiative=AI-9999")
    )
    junk = words(client.get("/audit/frameworks/?framework=x&reference=y&initiative=%C2%B2&page=z"))
    assert "SOC 2" in junk


def test_evidence_that_no_longer_stands_is_said(cast, initiative):
    rulebook = Rulebook.objects.current().parsed
    (asked,) = [row for row in crosswalk.references(rulebook, "soc2")["CC3.1"] if row.key == "proto.scope"]

    def states():
        return {
            offered.evidence.pk: offered.state
            for row in crosswalk.found([initiative], [asked], rulebook)
            for offered in row.offered
        }

    before = states()
    assert set(before.values()) <= {"", "superseded"}
    item = initiative.evidence.filter(
        coverage__requirement="proto.scope", generated=False, withdrawn_at=None, kind="document"
    ).first()
    item = item or initiative.evidence.filter(coverage__requirement="proto.scope").last()
    evidence_actions.withdraw_evidence(evidence=item, reason="Wrong file", by=cast.owner)
    assert states() == before | {item.pk: "withdrawn"}


def test_a_sign_off_that_was_taken_back_is_not_shown(cast):
    initiative = factories.make_initiative(cast)
    initiative_acts.parts(initiative, cast.team)
    review = review_actions.open_review(initiative=initiative, by=cast.owner)
    asked = ("prototype.honest",)
    initiative_acts.sign_off(
        review, "business_value", cast.seat_value, "object", reason="No.", criteria=asked
    )
    rulebook = Rulebook.objects.current().parsed
    asked = [
        row
        for rows in crosswalk.references(rulebook, "soc2").values()
        for row in rows
        if ("prototype", "business_value") in row.signed
    ]

    def signed():
        return {
            sign_off.pk
            for row in crosswalk.found([initiative], asked, rulebook)
            for sign_off in row.sign_offs
        }

    sign_off = review.sign_offs.get()
    assert sign_off.pk in signed()
    sign_off_actions.withdraw_sign_off(sign_off=sign_off, reason="Too early", by=cast.seat_value)
    assert not {row.pk for row in review.sign_offs.all()} & signed()


def test_the_export_has_a_row_for_each_pairing_and_initiative_and_is_recorded(cast, as_, initiative):
    factories.make_initiative(cast, title="An idea")
    client = as_(cast.auditor)
    rulebook = Rulebook.objects.current().parsed
    listed = crosswalk.references(rulebook, "eu_ai_act")
    rows = table(client.get("/audit/frameworks/?format=csv&framework=eu_ai_act"))
    assert len(rows) == 2 * sum(len(asked) for asked in listed.values())
    assert {row["Framework"] for row in rows} == {"EU AI Act"}
    proved = next(row for row in rows if row["Initiative"] == initiative.ref and "sha-256" in row["Evidence"])
    digest = re.search(r"sha-256 ([0-9a-f]{64})", proved["Evidence"])[1]
    assert initiative.evidence.filter(sha256=digest).exists()
    signed = next(row["Signed"] for row in rows if row["Signed"])
    assert SignOff.objects.filter(digest=re.search(r"statement sha-256 ([0-9a-f]{64})", signed)[1]).exists()
    assert clock.today().isoformat() in signed
    one = table(
        client.get(
            f"/audit/frameworks/?format=csv&framework=soc2&reference=CC3.1&initiative={initiative.ref}"
        )
    )
    assert {(row["Reference"], row["Initiative"]) for row in one} == {("CC3.1", initiative.ref)}
    taken = Entry.objects.filter(kind="export taken").select_related("body").order_by("pk")
    assert [tuple(entry.facts["facts"].values()) for entry in taken] == [
        ("crosswalk-eu_ai_act", "every reference"),
        ("crosswalk-soc2", f"CC3.1 {initiative.ref}"),
    ]


def test_more_initiatives_cost_no_query_more(cast, as_, initiative):
    client, page = as_(cast.auditor), "/audit/frameworks/?framework=soc2&reference=CC3.1"
    before = query_counts.asked(client, page)
    for number in range(3):
        factories.make_initiative(cast, title=f"Idea {number}")
    assert query_counts.asked(client, page) == before <= 16
