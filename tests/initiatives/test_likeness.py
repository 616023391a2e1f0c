"""How alike two undertakings are, by words alone: the pure rules."""

import pytest

from initiatives.likeness import Undertaking, coined, compare, initials, one_slip, stem, telling, words

RARE = {
    stem(word): 0.8
    for word in (
        "lexisnexis",
        "runway",
        "airport",
        "invoice",
        "matching",
        "camtasia",
        "veritone",
        "stormwater",
    )
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


@pytest.mark.parametrize(
    ("title", "bare"),
    [
        ("Invoice matching v3", ["Invoice", "matching"]),
        ("Invoice matching 2.0", ["Invoice", "matching"]),
        ("Renamed: Invoice matching (Phase II)", ["Invoice", "matching"]),
        ("Invoice matching [2024 INV#WO0000000109319]", ["Invoice", "matching"]),
        ("[2024 INV#12]", ["2024", "INV", "12"]),  # nothing else is left
        ("Invoice matching (runway)", ["Invoice", "matching", "runway"]),
        ("Version control", ["Version", "control"]),
    ],
)
def test_numbers_of_lists_and_versions_are_no_words_of_a_title(title, bare):
    assert Undertaking(title).titled == bare


def test_another_number_makes_another_undertaking_unless_the_problem_is_the_same():
    assert not like("Invoice matching 2", "Invoice matching 3").same
    assert not like("Invoice matching", "Invoice matching - 2").same
    assert like("Invoice matching (Phase 2)", "Invoice matching (Phase 3)").same
    told = "Runway invoices wait at the airport"
    one, other = (Undertaking(f"Invoice matching {number}", told) for number in (2, 3))
    assert compare(one, other, RARE).same


def unit_like(one: str, other: str, units=(4, 4)):
    return compare(Undertaking(one, unit=units[0]), Undertaking(other, unit=units[1]), RARE | COMMON)


def test_one_unit_calls_one_thing_by_other_words_but_has_sisters():
    one, other = (
        "Seasonal stormwater runway planner",
        "Planning of the runway and airport for stormwater drainage",
    )
    assert unit_like(one, other).same
    assert "in the same unit" in unit_like(one, other).why
    assert not unit_like(one, other, (4, 5)).same
    assert not unit_like(one, other, (None, None)).same
    assert not unit_like(one, other + " 2").same
    assert not unit_like("Stormwater runway for cargo", "Stormwater runway for passengers").same


def test_sisters_do_not_have_one_problem_although_it_is_told_in_the_same_words():
    told = "Suppliers send bills by letter mail fax portal courier; clerks type amounts dates banks twice nightly"
    sisters = [Undertaking(f"Runway {of} invoices", told) for of in ("cargo", "passenger")]
    assert not compare(*sisters, RARE).same
    assert compare(sisters[0], Undertaking("Invoices: cargo inbox", told), RARE).same


def test_a_problem_that_stands_in_a_longer_one_is_told_again():
    told = "Suppliers send bills by letter mail fax portal courier; clerks type amounts dates banks twice nightly"
    longer = (
        told + " Zebra crossings otherwise need painting every spring before schools open their gates again."
    )
    one, two = Undertaking("Runway inbox", told), Undertaking("Camtasia for a runway", longer)
    found = compare(one, two, RARE)
    assert found.same
    assert "the problem of one stands in that of the other" in found.why
    assert not compare(one, Undertaking("Zebra camtasia", longer), RARE).same
    assert not compare(Undertaking("Runway inbox", "Suppliers send bills by letter"), two, RARE).same


def test_a_named_product_is_one_wherever_it_is_used():
    found = like("LexisNexis", "LexisNexis for research into law and people")
    assert found.same
    assert "one named product: LexisNexis" in found.why
    assert not like("Stormwater", "Stormwater for research into law and people").same  # no name
    assert not like("LexisNexis", "LexisNexis or PaperTrail for research into law").same  # one of several
    common = {stem("lexisnexis"): 0.5}
    other = Undertaking("LexisNexis for research into law and people")
    assert not compare(Undertaking("LexisNexis"), other, common).same  # many have it


def test_parts_of_a_product_in_one_unit_are_not_one_undertaking_and_in_two_units_they_are():
    one, other = "LexisNexis counsel", "LexisNexis for research into law and people"
    assert unit_like(one, other, (4, 5)).same
    assert not unit_like(one, other).same


def test_a_name_of_few_cases_is_a_product_where_the_vendor_is_the_same():
    asked = Undertaking("Camtasia by Techsmith for films about safety at work")
    assert compare(asked, Undertaking("Camtasia", vendors=("Techsmith",)), RARE).same
    assert not compare(asked, Undertaking("Camtasia"), RARE).same
    assert not compare(asked, Undertaking("Camtasia plugins overview", vendors=("Techsmith",)), RARE).same


def test_a_case_that_names_the_other_in_its_problem_or_as_its_vendor_is_the_same():
    title = "Runway invoice matching at the airport"
    names = Undertaking("Zebra", f"Until last year it was called {title}.")
    found = compare(Undertaking(title), names, RARE)
    assert found.same
    assert "one names the other" in found.why
    assert compare(names, Undertaking(title), RARE).same
    assert compare(
        Undertaking("Invoice runway"), Undertaking("Zebra", vendors=("Invoice Runway",)), RARE
    ).same
    short = Undertaking("Zebra", "Suppliers want invoice matching.")
    assert not compare(Undertaking("Invoice matching"), short, RARE).same  # common talk
    assert not compare(Undertaking("Veritone"), Undertaking("Zebra", vendors=("Veritone",)), RARE).same


def test_general_words_of_methods_make_no_difference():
    assert like("Invoice matching algorithm", "Invoice matching network").same
    assert not like("Invoice matching", "Runway matching by a deep neural network algorithm").same


def test_what_looks_like_the_name_of_a_product():
    assert all(coined(word) for word in ("LexisNexis", "CoCounsel", "ArcGIS"))
    assert not any(coined(word) for word in ("UEBA", "eLearning", "Runway", "AIOps"))


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
