"""How alike two undertakings are, by words alone: the pure rules."""

import pytest

from initiatives.likeness import Undertaking, compare, initials, one_slip, stem, telling, words

RARE = {
    stem(word): 0.8
    for word in ("lexisnexis", "runway", "airport", "invoice", "matching", "camtasia", "veritone")
}
COMMON = {stem(word): 0.1 for word in ("data", "analysis", "chatbot")}


def like(one: str, other: str, **told):
    return compare(Undertaking(one, **told), Undertaking(other), RARE | COMMON)


SAME = [
    ("Veritone", "VERITONE"),
    ("Invoice matching", "Matching of invoices"),
    ("Invoice matching", "Invoice Matching Tool (Phase 2)"),
    ("LexisNexis", "LexisNexus"),
    ("Co-Pilot for invoices", "Copilot for invoices"),
    ("UEBA", "User and Entity Behavior Analytics"),
    ("User and Entity Behavior Analytics (UEBA)", "User and Entity Behaviour Analytics"),
]
OTHER = [
    ("Arrival runway prediction", "Airport configuration prediction"),
    ("Chatbot", "Chatbot"),  # one common word tells nothing
    ("AI model", "AI model"),
    ("Research on products for IT", "Research on products for HR"),
    ("Offshore Precipitation Capability (OPC)", "Probabilistic guidance of waves (OPC)"),
    ("Invoice matching", "Veritone"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_nearly_the_same_title_is_probably_the_same_undertaking_from_either_side(one, other):
    assert like(one, other).same
    assert like(other, one).same


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_titles_with_words_of_their_own_are_not(one, other):
    assert not like(one, other).same
    assert not like(other, one).same


def test_a_problem_told_again_is_one_undertaking_only_with_something_of_the_title_or_at_length():
    told = "Suppliers send bills by letter mail fax portal courier; clerks type amounts dates banks twice nightly"
    one, other = (
        Undertaking("Runway invoices at the airport", told),
        Undertaking("Airport invoices mailbox", told),
    )
    assert compare(one, other, RARE).same
    assert not compare(one, Undertaking("Clerk relief", told), RARE).same
    long = told + " ".join(f"{first}{second}ox" for first in "bcdfghkl" for second in "aeiou")
    assert compare(Undertaking("One", long), Undertaking("Two", long), {}).same
    assert not compare(one, Undertaking("Airport invoices mailbox", "Bills arrive."), RARE).same


def test_why_says_the_words_shared_the_vendor_and_the_problem():
    asked = Undertaking("Invoice matching with Veritone")
    found = compare(asked, Undertaking("Invoice reader", vendors=("Veritone",)), RARE)
    assert found.why == ("same words: invoice", "same vendor: Veritone")
    assert compare(asked, Undertaking("Zebra crossing"), RARE).why == ()
    told = "Suppliers send bills by letter mail fax portal courier; clerks type amounts dates banks twice nightly"
    again = compare(Undertaking("Invoices", told), Undertaking("Invoice", told), RARE)
    assert "the problem in nearly the same words" in again.why


def test_a_known_vendor_or_the_same_unit_brings_a_case_nearer_but_makes_nothing_the_same():
    one = Undertaking("Runway plan", vendors=("Veritone",), unit=4)
    alone, vendor, unit = (
        compare(one, Undertaking("Runway map", **told), RARE).near
        for told in ({}, {"vendors": ("Veritone",)}, {"unit": 4})
    )
    assert vendor > alone
    assert unit > alone
    assert not compare(one, Undertaking("Airport map", vendors=("Veritone",), unit=4), RARE).same
    assert compare(Undertaking("Zebra", unit=4), Undertaking("Map", unit=4), RARE).near == 0


def test_a_word_that_is_still_typed_may_go_on():
    assert compare(Undertaking("Invoice matc"), Undertaking("Invoice matching"), RARE, typing=True).same
    assert not compare(Undertaking("Invoice matc"), Undertaking("Invoice matching"), RARE).same


def test_words_stems_and_slips():
    assert words("Co-pilot, e-mail & state-of-the-art ÄB") == [
        "Copilot", "email", "state", "of", "the", "art", "ÄB",
    ]  # fmt: skip
    assert {stem(word) for word in ("summary", "Summaries", "summarization")} == {"summar"}
    assert telling(["for", "IT", "and", "it"]) == ["IT"]
    assert telling(["FOR", "IT"]) == []
    assert initials(["Department", "of", "Defense"])["dod"] == ["Department", "of", "Defense"]
    assert one_slip("lexisnexis", "lexisnexus")
    assert one_slip("lexisnexis", "lexisnxeis")
    assert one_slip("lexisnexis", "lexisnexi")
    assert not one_slip("lexisnexis", "lexusnexus")
    assert not one_slip("cargo", "carga")
