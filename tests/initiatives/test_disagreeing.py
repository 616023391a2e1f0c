"""Where two definitions disagree: how well the finder does on the labelled pairs, and what each reading must keep."""

from collections import defaultdict

import pytest

from initiatives import disagreeing
from initiatives.disagreeing import (
    formats,
    logic,
    meanings,
    questions,
    shapes,
    tables,
    trees,
    vocabulary,
    weighing,
)
from tests.labelled import grow
from tests.labelled.__main__ import READ, score

# What people write for ten digits, two letters and six digits, K- and six digits, and days.
ONE_FORMAT = (
    ("10 digits", r"^\d{10}$"),
    ("10 digits", "NUMC10"),
    ("10 digits", "zehnstellige Nummer"),
    ("10 digits", "dix chiffres"),
    ("10 digits", "4 digits office and 6 digits running number"),
    ("10 digits", "between 8 and 12 digits"),
    ("10 digits", "varchar(20)"),
    ("10 digits", "z.B. 4711000815"),
    ("10 digits", "see handbook"),
    ("2 letters + 6 digits", "[A-Z]{2}[0-9]{6}"),
    ("2 letters + 6 digits", "deux lettres suivies de six chiffres"),
    ("2 letters + 6 digits", "country code + 6 digits"),
    ("2 letters + 6 digits", "DE123456"),
    ("K-nnnnnn", "letter K, hyphen, six digits"),
    ("K-nnnnnn", "8 characters"),
    ("YYYY-MM-DD", "AAAA-MM-JJ"),
    ("YYYYMMDD", "8 digits yyyymmdd"),
    ("UUID", "8-4-4-4-12 hex"),
    ("3 letters", "EUR, USD, GBP"),
    ("5 digits", "00000-99999"),
    ("nnn-nnn-nnn", r"(\d{3}-){2}\d{3}"),
    ("EAN-13", "GTIN"),
    ("PIC 9(08)", "8N"),
    ("AAA", "3 letters"),
    ("8 or 11 chars: 4 letters, 2 letters, 2 alnum, optional 3 alnum", "[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?"),
    ("LLRKKGGG (Land 2, Bezirk 1, Kreis 2, Gemeinde 3)", "8-stellig"),
    ("RE-2023-000123: RE, year, six-digit counter, hyphens between", r"RE-\d{4}-\d{6}"),
    ("10 digits, Luhn check digit over the first nine", "zehnstellig, letzte Stelle Prüfziffer"),
    ("E.164 digits only", "E.164 sans « + » (ex. 33612345678)"),
    ("5 digits, zero-padded to 10", "10 digits with leading zeros"),
    ("A-AAAA / AA-AAA", "A-AAAA or AA-AAA"),
    ("A, B or C", "A / B / C / D"),
    ("string(10)", "10 digits"),
    ("WTG nnn", "WTG + 3 digits"),
    ("0-999", "0 to 999"),
    ("yyyy-Www, ISO", "ISO 8601 week, e.g. 2022-W07"),
    ("YYYYMMDD", "year, month, day in eight digits without separators"),
    ("yyyymm-nnnnnnn", "year and month, hyphen, seven-digit number"),
    ("UTC, YYYY-MM-DDThh:mm:ssZ", "ISO 8601 to the second, Zulu"),
    ("E.164 with the plus sign", "+, country code, number, no blanks"),
    ("20 alphanumerics", "18 upper-case alphanumerics and 2 check digits"),
    ("aisle-rack-level", "nn-nn-n"),
    ("year and month", "6 digits"),
)
OTHER_FORMATS = (
    ("de:nnnnn:nnnn", "SH-nnn"),
    ("WTG nn", "SEE + 12 digits"),
    ("Crew-nn", "E, L or N"),
    ("shelf aa-nn-nn", "4 letters"),
    ("DE7 + 4 digits", "DE1 + 4 digits"),
    ("10 digits", "CHAR(8)"),
    ("10 digits", "e-mail address"),
    ("10 digits", "K-nnnnnnnn"),
    ("10 digits", "starts with letter C"),
    ("10 digits", "3-3-4 with dashes"),
    ("2 letters + 6 digits", "bigint"),
    ("K-nnnnnn", "C-nnnnnn"),
    ("YYYY-MM-DD", "TT.MM.JJJJ"),
    ("UUID", "UUID without dashes, 32 hex"),
    ("DE, AT, CH", "DEU, AUT, CHE"),
    ("leading zeros kept", "leading zeros stripped"),
    ("S1234567", "1234567"),
    ("9(10)", "550e8400-e29b-41d4-a716-446655440000 style"),
    ("E.164 without plus", "E.164"),
    ("E.164 without plus", "10 digits with leading 0"),
    ("9 digits", "surname, first name and date of birth"),
    ("alpha-2", "name of the country"),
    ("six digits e.g. 410200", "99.99.99 (dots are stored)"),
    ("NNNN.NN.NNN", "the same numbers without dots"),
    ("https://orcid.org/ + the iD", "ORCID"),
    ("hex, 40 chars", "SHA-256"),
    ("SHA-1", "SHA-256"),
    ("1 = male, 2 = female", "m, f or x"),
    ("A, B or C", "1 to 3"),
    ("8 digits, without suffix", "8 digits with suffix"),
    ("prefix dropped", "with prefix AB"),
    ("phone number, national", "E.164"),
    ("user principal name", "employee number, 6 digits"),
    ("latitude, longitude", "easting/northing"),
    ("machine, spindle, doff", "24 hex characters"),
    ("plate and time stamp", "slip number, 6 digits"),
    ("cost centre / sequence", "RF-nnn"),
    ("account, value date and running number", "UUID"),
    ("YYYY-MM-DD hh:mm, UTC", "YYYY-MM-DD hh:mm, local time of the site"),
    ("12,5 with decimal comma", "12.5 with decimal point"),
    ("decimal, 10 digits", "hexadecimal, 8 characters"),
    ("decimal fraction, 0.0425", "percent, 4.25 %"),
    ("seconds, integer", "hh:mm:ss"),
    ("number and revision letter", "number without revision"),
    ("serial number with check letter", "serial number, check letter cut off"),
    ("E.164, +41791234567", "national, 079 123 45 67"),
    ("+49 30 123456, international with blanks", "E.164"),
    ("10 digits, filled with leading zeros", "up to 10 digits, zeros in front dropped"),
    ("5 digits as text", "number, so 01067 is stored as 1067"),
    ("7 digits", "7 chiffres précédés de l'année"),
    ("ISO letters, EUR", "ISO numeric, 978"),
    ("6 digits", "fully qualified domain name"),
)
ONE_RULE = (
    ("without Sundays", "Saturdays count"),
    ("one per policy", "je Police ein Satz"),
    ("without VAT", "netto"),
    ("cancelled orders are excluded", "orders, not counting cancellations"),
    ("excluding staff", "employees left out"),
    ("last 12 months", "rolling year"),
    ("fiscal year April to March", "Geschäftsjahr April bis März"),
    ("manually maintained by the sales team", "imported from the ERP every night"),
    ("excludes intercompany sales", "only sales to third parties"),
    ("sold tickets minus refunds", "tickets sold net of refunds"),
    ("counted once a day at 6 am", "daily count in the morning"),
    ("more than 3 lost days", "at least 4 lost days"),
    ("under 250 employees", "fewer than 250 staff"),
    ("older than 65", "over 65 years"),
    ("not more than 5 kg", "5 kg or less"),
    ("3 or more children", "at least three children"),
    ("6 months without an order", "half a year without an order"),
    ("status open or pending", "open and pending ones"),
    ("consumption in MWh", "kWh consumed / 1000"),
)
OTHER_RULES = (
    ("net of VAT", "with VAT"),
    ("per household", "per person"),
    ("Vollzeitäquivalente", "Köpfe"),
    ("Kalenderjahr", "exercice fiscal"),
    ("last 12 months", "last 24 months"),
    ("excluding trainees", "including trainees"),
    ("under 18", "under 21"),
    ("by ship date", "by delivery date"),
    ("unique visitors", "page views"),
    ("number of orders", "number of customers"),
    ("over 65 years", "65 years and over"),
    ("under 16", "16 or under"),
    ("more than 30 days overdue", "30 days overdue or more"),
    ("Verspätung über 6 Minuten", "Verspätung ab 6 Minuten"),
    ("three or more children", "four or more children"),
    ("yield of 7.5 t per ha or more", "min. 7.5 dt per ha"),
    ("meters read or estimated", "meters read"),
    ("meters estimated or read", "meters read"),
    ("vom Anruf bis zur Ankunft", "vom Alarm bis zum Eintreffen der Feuerwehr"),
    ("du dépôt au paiement", "de la commande au paiement du client"),
    ("claims incurred", "claims paid"),
    ("students per semester", "students per academic year"),
    ("Anreise", "Abreise"),
)
# What both sides say outright is a conflict however alike they read; what is no more than likely is not.
OUTRIGHT = (
    ("18 holes; 9 holes count as half", "9 or 18 holes, each counts as one"),
    ("under 16 at the beginning of the season", "under 18 at the beginning of the season"),
    ("Rechnungen, mehr als 30 Tage überfällig", "Rechnungen, 30 Tage überfällig oder mehr"),
    ("class 1 to 3 of the rating in use", "class 1 to 4 of the rating in use"),
)
IN_OTHER_WORDS = (
    ("Umsatz netto", "Umsatz ohne MwSt."),
    ("Kinder unter 6 zählen nicht", "Fahrgäste ab 6 Jahren"),
    ("25 °C ± 2 K", "23 to 27 °C"),
)


# What the trees were grown on: many of the pairs are minimal contrasts, or of one trade that nothing else names.
ENOUGH = (
    ("tuning", 0.95),
    ("more", 0.9),
    ("fresh", 0.94),
    ("later", 0.9),
    ("rules", 0.85),
    ("trades", 0.83),
)


def test_whatever_may_be_read_is_held_to_a_figure():
    assert tuple(half for half, _ in ENOUGH) == READ


@pytest.mark.parametrize(("half", "least"), ENOUGH)
def test_on_the_labelled_pairs_that_may_be_read_few_are_missed_and_few_are_named_for_nothing(half, least):
    result = score(half)
    assert result.precision() >= least, result.misses
    assert result.recall() >= least, result.misses


def test_on_the_half_that_nobody_reads_nine_in_ten_are_found_and_nine_in_ten_are_right():
    result = score("held_out")
    right, found = result.precision(), result.recall()
    del result  # what is missed there is not shown where this fails
    assert right >= 0.9
    assert found >= 0.9


@pytest.mark.parametrize(("one", "other"), ONE_FORMAT)
def test_one_format_in_two_notations_is_no_conflict(one, other):
    assert shapes.clash(formats.described(one), formats.described(other)) == ""


@pytest.mark.parametrize(("one", "other"), OTHER_FORMATS)
def test_two_formats_that_nothing_fits_both_of_are_one(one, other):
    assert shapes.clash(formats.described(one), formats.described(other))


@pytest.mark.parametrize(("one", "other"), ONE_RULE)
def test_one_rule_in_other_words_is_no_conflict_nor_are_two_that_speak_of_different_things(one, other):
    assert logic.of_logic(one, other) == logic.of_logic(other, one) == ""


@pytest.mark.parametrize(("one", "other"), OTHER_RULES)
def test_two_answers_to_one_question_are_a_conflict(one, other):
    assert logic.of_logic(one, other)
    assert logic.of_logic(other, one)


def of_rules(one, other):
    """The conflicts of two definitions that are alike but for these rules."""
    return disagreeing.find(
        disagreeing.Definition("Visitor", "Gate", "v", "who comes", "", one),
        disagreeing.Definition("Visitor", "Till", "v_no", "who comes", "", other),
    )


@pytest.mark.parametrize(("one", "other"), OUTRIGHT)
def test_what_both_say_outright_is_named_however_alike_they_read(one, other):
    assert [found.facet for found in of_rules(one, other)] == ["business_logic"]


@pytest.mark.parametrize(("one", "other"), IN_OTHER_WORDS)
def test_what_comes_to_the_same_is_one_rule(one, other):
    assert of_rules(one, other) == []


# One of a pair takes in, denies or limits what the other does not: by general means, in words no labelled pair has.
OUT_AND_IN = (
    ("lorries, trailers left out", "lorries incl. trailers"),
    ("trailers and vans are not counted", "vans count too"),
    ("we do not count trailers", "trailers count too"),
    ("nicht gezählt werden Anhänger", "inklusive Anhänger"),
    ("ne sont pas comptées les remorques", "y compris les remorques"),
    ("trailers are no lorries", "lorries incl. trailers"),
    ("Anhänger fallen weg", "Anhänger zählen mit"),
    ("trailers aside", "trailers count"),
    ("à l'exclusion des remorques", "remorques comprises"),
    ("less breakages", "breakages are not deducted"),
    ("staffed or not", "staffed"),
    ("sold or unsold", "only sold ones"),
    ("up to 3 trees", "up to 4 trees"),
    ("within 2 weeks", "within 21 days"),
    ("over 500 g", "over 1 kg"),
    ("from sowing to harvest", "from sowing to sale"),
    ("eggs / hens", "eggs / cages"),
    ("by date of calving", "by date of slaughter"),
    ("in litres", "in hectolitres"),
    ("any vessel", "the same vessel"),
    ("15 min tolerance", "no tolerance"),
    ("until 30 June", "until 30 September"),
    ("EUR 221.000", "EUR 216.000"),
    ("up to 5:59 min", "up to 3:59 min"),
    ("15-minute averages", "hourly mean"),
    ("a double crate is one", "a double crate is two"),
    ("A = ripe, B = green", "A = green, B = ripe"),
    ("at least one harvest", "at least one harvest or sowing"),
    ("eggs of any farm", "eggs of our own farm"),
    ("weight without straw", "weight without straw and mud"),
    ("eggs per week", "eggs per month"),
    ("all trees, for non-payment too", "trees; those felled for non-payment are not counted"),
)
SAME_SAID = (
    ("lorries, trailers left out", "lorries, not counting trailers"),
    ("within 2 weeks", "within 14 days"),
    ("over 1,500 g", "more than 1.5 kg"),
    ("38 h 30 min", "38.5 hours"),
    ("minors are not counted", "adults only"),
    ("AVD = average vessel delay", "average vessel delay"),
    ("no incumbent", "post without holder"),
    ("first 10 s are not counted", "after more than 10 s"),
    ("at least three hens", "more than 2 hens"),
    ("half a million euros of eggs", "eggs of 500,000 EUR"),
)
MEASURED_ALIKE = (
    ("C + 7 digits", {"A9999999": 0.99, "9999999": 0.01}),
    ("K-nnnn", {"A{1}-9{4}": 1.0}),
    ("10 digits", {"9{10}": 0.6, "9{9}": 0.03}),
    ("3 letters, 4 digits, e.g. BIO1010", {"AAA9999": 1.0}),
)


@pytest.mark.parametrize(("one", "other"), OUT_AND_IN)
def test_what_one_leaves_out_limits_or_measures_otherwise_is_a_conflict_in_both_directions(one, other):
    assert logic.of_logic(one, other)
    assert logic.of_logic(other, one)


@pytest.mark.parametrize(("one", "other"), SAME_SAID)
def test_one_amount_or_exclusion_said_in_another_way_is_none(one, other):
    assert logic.of_logic(one, other) == logic.of_logic(other, one) == ""


@pytest.mark.parametrize(("typed", "patterns"), MEASURED_ALIKE)
def test_a_profile_is_read_with_its_counts_in_braces_or_letter_by_letter(typed, patterns):
    measured = formats.measured({"patterns": patterns, "blank_share": 0.0, "type": "varchar(20)"})
    assert shapes.compare(formats.described(typed), [], shapes.Shape(), measured) == ""
    assert shapes.compare(formats.described("UUID"), [], shapes.Shape(), measured)


def test_an_example_decides_between_two_readings_of_a_description():
    told = formats.described("site, three letters - 5 digits, e.g. NOR-00417")
    assert shapes.clash(told, formats.described("NOR-00417")) == ""
    assert shapes.clash(told, formats.described("8 digits"))


def test_two_meanings_with_nothing_in_common_are_two_things_and_two_in_other_words_one():
    assert meanings.other_kind("socket on a network switch", "place where ships moor", term="port")
    assert not meanings.other_kind(
        "vessel calling at our port", "seagoing ship in the harbour", term="vessel"
    )
    terms = ("cab", "hired car")
    assert meanings.one_thing(
        "car with driver hired for a trip", "hired car with a driver for one trip", terms
    )
    assert not meanings.one_thing("party handing over the goods", "party receiving the goods", ("a", "b"))


# Rules in words that nothing knows, and no rule of the finder names what differs: worded alike or one-sidedly.
UNKNOWN_WORDS = (
    ("splints of the husk, every glimmer weighed", "splints of the husk, however glimmering"),
    ("yarns of the outer husk, splints counted in full", "yarns of the inner husk"),
)
# The same once more, in words of each side's own.
UNKNOWN_ALIKE = (
    ("at least three splints in each husk", "husks of 3 splints or more"),
    ("glimmering from bell to bell", "from the first bell until the last, glimmering"),
)


def _rule(words, system):
    return disagreeing.Definition("glim", system, f"glim_{system}", "a glim", business_logic=words)


@pytest.mark.parametrize(("one", "other"), UNKNOWN_WORDS)
def test_rules_in_unknown_words_are_weighed_and_the_conflict_says_which_words_stand_on_one_side(one, other):
    assert logic.of_logic(one, other) == ""
    for mine, theirs in ((one, other), (other, one)):
        (found,) = disagreeing.find(_rule(mine, "a"), _rule(theirs, "b"))
        assert (found.facet, found.severity) == ("business_logic", disagreeing.BLOCKING)
        assert "on one side only: “" in found.words
        assert mine in found.words
        assert theirs in found.words


@pytest.mark.parametrize(("one", "other"), UNKNOWN_ALIKE)
def test_one_rule_in_unknown_words_and_another_wording_is_no_conflict(one, other):
    assert disagreeing.find(_rule(one, "a"), _rule(other, "b")) == []
    assert disagreeing.find(_rule(other, "b"), _rule(one, "a")) == []


def test_what_a_rule_names_does_not_stand_where_all_signs_speak_against_it():
    one, other = (
        "in cash or by cheque; fees of lessons are not gifts",
        "cash and cheques, lesson fees excluded",
    )
    assert logic.of_logic(one, other)
    assert disagreeing.find(_rule(one, "a"), _rule(other, "b")) == []


def test_every_rule_that_speaks_is_a_sign_and_the_first_of_them_gives_the_words():
    one, other = "net of VAT, last 12 months", "with VAT, last 24 months"
    assert logic.named(logic.compared(one, other)) >= {"another answer", "other figures"}
    assert logic.of_logic(one, other) == logic.RULES["another answer"](logic.compared(one, other))
    signs = weighing.signs_of_rule(one, other, within=False)
    assert signs["named"] == signs["named: another answer"] == signs["named: other figures"] == 1
    assert signs["named: other units"] == 0
    alike = weighing.signs_of_rule("net of VAT", "without VAT", within=False)
    assert not any(value for name, value in alike.items() if name.startswith("named"))


@pytest.mark.parametrize(
    ("one", "other", "alike", "clash"),
    [
        ("10 digits", "9(10)", 1, 0),
        ("10 digits", "K-nnnnnn", 0, 1),
        ("10 digits", "", 0, 0),
        ("number", "10 digits", 0, 0),
    ],
)
def test_whether_identifiers_match_is_a_sign_of_two_things(one, other, alike, clash):
    left = disagreeing.Definition("Order", "Shop", "no", "what somebody buys", one)
    right = disagreeing.Definition("Order", "Buying", "id", "what we buy", other)
    for signs in (weighing.signs_of_things(left, right), weighing.signs_of_things(right, left)):
        assert (signs["one form of identifier"], signs["identifiers clash"]) == (alike, clash)


def test_one_meaning_in_unknown_words_is_of_one_thing_whatever_the_rest_says():
    left, right = (
        disagreeing.Definition("Zorb", system, field, "a Quombat  blifft", form)
        for system, field, form in (("Frob", "zb", "10 digits"), ("Knax", "nmr", "UUID"))
    )
    assert [found.facet for found in disagreeing.find(left, right)] == ["identifier_format"]


def test_a_long_description_of_parts_is_read_in_one_go():
    parts = " and ".join(["plate"] * 60)
    assert formats.described(parts).parts
    assert not formats.described(parts + " (!)").parts


def test_every_fork_asks_for_a_sign_that_is_given():
    signs = {
        "rule": weighing.signs_of_rule("a", "b", within=False).keys(),
        "one thing": weighing.signs_of_things(_rule("a", "a"), _rule("b", "b")).keys(),
        "two things": weighing.signs_of_things(_rule("a", "a"), _rule("b", "b")).keys(),
    }
    given = trees.grown()
    assert given.keys() == signs.keys() == grow.NOT_ASKED.keys()
    for question, grown in given.items():
        assert len(grown.trees) == grow.SIZES[question][0]
        assert grown.signs() <= signs[question] - grow.NOT_ASKED[question]
        assert grow.NOT_ASKED[question] <= signs[question]


def test_a_tree_sends_signs_along_its_forks_and_is_read_as_it_was_written():
    tree = trees.Fork("a", 0.5, trees.Fork("b <= c", 2, -1.0, 0.25), 1.0)
    grown = trees.Grown(0.5, (tree, 2.0))
    assert grown.odds({"a": 0.5, "b <= c": 2}) == 1.5
    assert grown.odds({"a": 0.5, "b <= c": 3}) == 2.75
    assert grown.odds({"a": 0.6, "b <= c": 2}) == 3.5
    assert grown.signs() == {"a", "b <= c"}
    written = "# by hand\n" + trees.written("one", grown) + trees.written("other", trees.Grown(-1.0, ()))
    assert trees.read(written) == {"one": grown, "other": trees.Grown(-1.0, ())}
    with pytest.raises(ValueError, match="has 1 of its two branches"):
        trees.read("one\n 0.5\n a <= 0.5\n  1.0\n")
    with pytest.raises(KeyError):
        grown.odds({"a": 0.1})


def test_trees_are_grown_to_the_signs_that_tell_and_the_same_each_time():
    rows = [
        grow.Example(group, f"{group}{at}", {"tells": float(at % 2), "idle": float(at % 3)}, at % 2 == 1)
        for group in "ab"
        for at in range(60)
    ]
    found = grow.grown("one thing", rows, ["tells", "idle"])
    assert found == grow.grown("one thing", rows, ["tells", "idle"])
    assert "tells" in found.signs()
    odds = grow.left_out("one thing", rows, ["tells", "idle"])
    assert all((odds[row.name] > 0) == row.yes for row in rows)
    assert "in order 1.000" in grow.told(rows, odds)
    assert "in order 0.000" in grow.told(rows, {name: -one for name, one in odds.items()})


def test_a_set_is_read_without_the_words_that_only_it_uses_and_the_finder_reads_on_as_before():
    assert vocabulary.lexicon().concept(("lorry",))
    with grow.Blanked().standing_in() as blanked:
        blanked.gone = {("lorry",), ("?", ("netto",))}
        blanked.forget()
        assert not vocabulary.lexicon().concept(("lorry",))
        assert not weighing.said("netto").answers
    assert vocabulary.lexicon().concept(("lorry",))
    assert weighing.said("netto").answers


def test_what_two_countries_spell_in_two_ways_is_one_word_and_no_part_of_another():
    assert meanings.same_term("Cost centre", "Cost center")
    assert meanings.same_term("Training programmes", "Training programs")
    assert vocabulary.words_of("programmed by a programmer") == ["programmed", "by", "a", "programmer"]


def test_the_thesaurus_is_well_formed():
    known = vocabulary.lexicon()
    assert len(known.written) > 5_000
    assert {kind for pair in known.alike for kind in pair} <= set(known.kinds.values())
    named = {name.strip().replace(" ", "_") for line in tables.lines("near") for name in line.split(",")}
    assert not named - known.scenes.keys()
    for line in tables.lines("opposites"):
        one, _, other = (part.strip().replace(" ", "_") for part in line.partition(":"))
        assert {one, other} <= known.scenes.keys()


def test_every_question_has_answers_that_exclude_each_other():
    answers, phrases = defaultdict(set), defaultdict(lambda: defaultdict(set))
    flags, question = defaultdict(set), ""
    for name in questions.FILES:
        for line in tables.lines(name):
            if not line.startswith("  "):
                question, _, several = line.partition(" (")
                flags[question].add(several)
                continue
            answer, _, given = line.partition(":")
            answers[question].add(answer.strip())
            for phrase in given.split(","):
                key = tuple(questions.bare(word) for word in vocabulary.words_of(phrase))
                assert key, (question, answer)
                phrases[question][key].add(answer.strip())
    assert len(answers) > 300
    assert not {question for question, several in flags.items() if len(several) > 1}
    assert not {question for question, several in answers.items() if len(several) < 2}
    twice = {
        (question, key) for question, of in phrases.items() for key, several in of.items() if len(several) > 1
    }
    assert not twice


def test_a_question_of_a_trade_tells_two_ways_of_counting_apart():
    one = disagreeing.Definition("Vacancy", "Yard", "vac", "Empty share", "", "let sqm / lettable sqm")
    other = disagreeing.Definition(
        "Vacancy", "Board", "vac_pct", "Empty share", "", "empty units / all units"
    )
    (found,) = disagreeing.find(one, other)
    assert found.facet == "business_logic"
    assert "floor area against units" in found.words
