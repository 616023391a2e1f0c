"""How definitions are compared: by facets, identifier standards and masks, measured patterns; without a database."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initiatives.integration.comparison import facets, identifier_formats, identifier_standards, masks
from initiatives.integration.comparison.facets import Definition, compare
from initiatives.models.integration.definitions import STATED, WORDING


def said(system="CRM", field="id", meaning="account", term="customer", **rest) -> Definition:
    own = {name: rest.pop(name) for name in list(rest) if name not in STATED}
    return Definition(term, system, field, meaning, stated=rest, **own)


def found(one, other) -> list[str]:
    return [difference.facet for difference in compare(one, other)]


# Facets


@pytest.mark.parametrize("name", [name for name in STATED if not name.startswith("identifier")])
def test_each_facet_of_counting_is_a_conflict_where_both_state_it_otherwise(name):
    (conflict,) = compare(said(**{name: "one"}), said("ERP", **{name: "other"}))
    assert (conflict.facet, conflict.severity) == ("business_logic", "blocking")
    assert f"{STATED[name]}: “one” and “other”" in conflict.words
    assert found(said(**{name: "one"}), said("ERP")) == [WORDING], "what one side states alone is undecided"
    assert found(said(**{name: " One"}), said("ERP", **{name: "one "})) == []


def test_lists_are_compared_in_any_order_and_texts_word_by_word():
    assert found(said(includes="tests, trials"), said("ERP", includes="Trials;\n tests")) == []
    assert found(said(population="tests, trials"), said("ERP", population="trials, tests")) == [
        "business_logic"
    ]


@pytest.mark.parametrize("name", ["meaning", "identifier_format", "business_logic"])
def test_other_words_are_undecided_however_alike_they_read(name):
    one, other = said(**{name: "ten digits"}), said("ERP", **{name: "10 digits"})
    (difference,) = compare(one, other)
    assert (difference.facet, difference.severity) == (WORDING, "note")
    assert "No one has confirmed that CRM id and ERP id mean the same." in difference.words
    assert "“ten digits” and “10 digits”" in difference.words
    assert found(one, said("ERP", **{name: " Ten  digits"})) == []


def test_a_conflict_is_not_undecided_too_and_both_facets_are_named():
    one = said(meaning="a", counted_unit="account", identifier_mask="9{10}")
    other = said("ERP", meaning="b", counted_unit="payer", identifier_mask="X{18}")
    assert found(one, other) == ["identifier_format", "business_logic"]


def test_two_terms_are_not_compared_unless_they_name_one_field():
    assert found(said(), said("ERP", term="client", counted_unit="x")) == []
    (conflict,) = compare(said(), said(term="contract"))
    assert conflict.facet == "validity"
    assert "Term: “customer” and “contract”" in conflict.words


def test_one_field_that_means_two_things_by_the_year_or_at_once():
    before = said(counted_unit="contract", valid_to=date(2020, 12, 31))
    after = said(counted_unit="payer", valid_from=date(2021, 1, 1))
    (conflict,) = compare(after, before)
    assert (conflict.facet, conflict.severity) == ("validity", "blocking")
    assert conflict.words == (
        "CRM id has two meanings, depending on the year, to 31 December 2020 and from 1 January 2021. "
        "Counted unit: “contract” and “payer”."
    )
    assert "at the same time" in compare(said(counted_unit="contract"), after)[0].words
    assert found(said(identifier_mask="9{8}"), said(identifier_standard="iban")) == ["validity"]
    column = {"type": "text", "patterns": {"A{18}": 1.0}}
    assert found(said(identifier_mask="9{8}"), said(profile=column)) == [WORDING], "one column, measured once"


def test_a_long_text_is_quoted_in_short():
    assert len(compare(said(meaning="x" * 9000), said("ERP"))[0].words) < 400


# Identifiers


def identifier(text) -> identifier_formats.Identifier:
    if isinstance(text, dict):
        return identifier_formats.measured({"type": "text", "patterns": text})
    return identifier_formats.stated(*((text, "") if text in identifier_standards.STANDARDS else ("", text)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("iban", "iban"),
        ("9{10}", "#{10}"),
        ("99999", "9{2}9{3}"),
        ('"C-"9{6}', '"C"-999999'),
        ("iban", "A{2}9{20}"),
        ("ean", "9{13}"),
        ("iban", {"A{2}9{20}": 0.9, "A{2}9{19}": 0.1}),
        ("iban", {"X{22}": 1.0}),
        ('"C-"9{6}', {"A{1}-9{6}": 1.0}),
        ("9{10}", {"9{10}": 0.85, "text": 0.15}),
        ("9{10}", {"9+": 1.0}),
        ("h{8}-h{4}-h{4}-h{4}-h{12}", {"h{8}-h{4}-h{4}-h{4}-h{12}": 1.0}),
        ({"9{10}": 1.0}, {"9{11}": 1.0}),
    ],
    ids=str,
)
def test_identifiers_that_are_written_alike(one, other):
    for pair in ((one, other), (other, one)):
        assert not identifier_formats.differ(*map(identifier, pair))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("iban", "bic"),
        ("9{10}", "9{11}"),
        ("9{10}", "X{10}"),
        ('"C-"9{6}', '"D-"9{6}'),
        ("iban", "9{10}"),
        ("ean", {"9{10}": 1.0}),
        ("9{10}", {"X{10}": 1.0}),
        ("9{10}", {"A+9+": 1.0}),
        ({"9{10}": 1.0}, {"A{10}": 1.0}),
    ],
    ids=str,
)
def test_identifiers_that_are_written_otherwise(one, other):
    for pair in ((one, other), (other, one)):
        assert identifier_formats.differ(*map(identifier, pair))


@pytest.mark.parametrize(
    "column",
    [
        None,
        {},
        {"type": "decimal", "patterns": {"9{3}.9{2}": 1.0}},
        {"type": "integer", "distinct_share": 0.01, "patterns": {"9{1}": 1.0}},
        {"type": "text", "patterns": {"9{10}": 0.5, "A{10}": 0.5}},
        {"type": "text", "patterns": {"blank": 1.0, "": 0.2}},
    ],
)
def test_what_was_measured_of_figures_blanks_and_mixtures_says_nothing_about_identifiers(column):
    assert identifier_formats.measured(column) is None
    assert not identifier_formats.differ(identifier("9{10}"), None)


def test_a_field_measured_otherwise_than_stated_says_which_share_fits():
    column = {"patterns": {"9{10}": 0.3, "A{18}": 0.7}}
    assert (
        facets.against_measure(said(identifier_mask="9{10}", profile=column))
        == "30% of the values have this format"
    )
    assert facets.against_measure(said(identifier_mask="X{18}", profile={"patterns": {"A{18}": 0.9}})) == ""
    assert facets.against_measure(said(profile=column)) == "", "nothing is stated"
    assert facets.against_measure(said(identifier_mask="9{10}")) == "", "nothing was measured"


# Masks and identifier_standards


@pytest.mark.parametrize(
    ("mask", "why"),
    [
        ("", "one to 80"),
        ("9" * 81, "one to 80"),
        ("C-9{6}", "unknown sign, “C”"),
        ("8", "unknown sign, “8”"),
        ("9{0}", "not a valid number of characters"),
        ("9{4,2}", "not a valid number of characters"),
        ("9{", "cannot be read"),
        ('"C', "cannot be read"),
        ("{6}", "cannot be read"),
        ("9{999}9{999}", "at most 999"),
    ],
)
def test_what_is_no_mask_says_how_to_write_one(mask, why):
    with pytest.raises(masks.Unreadable, match=why) as wrong:
        masks.read(mask)
    assert '"C-"9{6}' in str(wrong.value)


def test_a_mask_with_bounds_fits_between_them_alone():
    fitting = [count for count in range(1, 9) if masks.fits("A9{2,4}A+", f"A{{1}}9{{{count}}}A{{1}}")]
    assert fitting == [2, 3, 4]
    assert masks.fits("A+", "A{40}")
    assert not masks.fits("A9", "A{1}9{1}-")
    assert not masks.fits("9+", "9{5000}"), "longer than identifiers are"


PIECES = st.lists(st.sampled_from(["9", "A", "a", "-", '"Q7"', "X"]), min_size=1, max_size=8)


@given(PIECES, st.lists(st.integers(1, 4), min_size=8, max_size=8))
def test_a_mask_fits_what_is_measured_of_its_own_identifiers(signs, counts):
    mask = "".join(f"{sign}{{{count}}}" for sign, count in zip(signs, counts, strict=False))
    assert masks.fits(mask, masks.shortest(mask))
    assert not masks.fits(mask, masks.shortest(mask) + "!")


def test_every_standard_has_a_name_and_masks_that_can_be_read():
    assert identifier_standards.STANDARDS.keys() == identifier_standards.MASKS.keys()
    for written in identifier_standards.MASKS.values():
        assert all(map(masks.read, written))
    assert identifier_standards.name_of("iban").startswith("IBAN")
    assert identifier_standards.name_of("of.yore") == "of.yore"
    assert identifier_formats.stated("of.yore", "") is None


@pytest.mark.parametrize(
    ("key", "number"),
    [
        ("iban", "CH9300762011623852957"),
        ("lei", "213800KUD8LAJWSQ9D15"),
        ("isin", "US0378331005"),
        ("ean", "4006381333931"),
        ("bic", "DEUTDEFF"),
        ("de.vat", "DE136695976"),
    ],
)
def test_a_number_of_the_standard_fits_its_masks(key, number):
    assert identifier_standards.valid(key, number)
    assert (
        not identifier_standards.valid(key, number[:-1] + ("1" if number[-1] != "1" else "2")) or key == "bic"
    )
    pattern = "".join("9{1}" if sign.isdigit() else "A{1}" for sign in number)
    assert any(masks.fits(mask, pattern) for mask in identifier_standards.MASKS[key])
