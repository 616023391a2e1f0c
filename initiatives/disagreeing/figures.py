"""What the figures of two rules of counting say against each other: other amounts, limits, spans, units.

Source of the rule: int.definitions.
"""

from initiatives.disagreeing.speaking import Said, said
from initiatives.disagreeing.tables import markers
from initiatives.disagreeing.vocabulary import words_of

# One threshold with the figure itself and without it: over 65, 65 and over.
BOUNDARIES = ({">", ">="}, {"<", "<="})


def other_figures(left: Said, right: Said, *, strict: bool) -> str:
    """Another span, share or threshold of one measure: 12 months against 24, 15 minutes against no tolerance."""
    measures = {one.measure for one in left.quantities} & {one.measure for one in right.quantities}
    for measure in sorted(measures):
        mine = [one for one in left.quantities if one.measure == measure]
        theirs = [one for one in right.quantities if one.measure == measure]
        if measure == "count" and not (any(one.limit for one in mine) and any(two.limit for two in theirs)):
            continue
        new = [one for one in mine if not any(one.same(two) for two in theirs)]
        old = [two for two in theirs if not any(two.same(one) for one in mine)]
        named = (
            measure.startswith("number of the") and (len(new) + len(old)) and min(len(mine), len(theirs)) > 1
        )
        if (new and old) or ((strict or named) and (new or old)):
            return f"another number of {measure.replace('count', 'units').replace('_', ' ')}"
        whole = measure.startswith("count ")  # more than 2 children is 3 of them already
        for one in mine:
            for two in theirs:
                if not whole and one.raw == two.raw and {one.bound, two.bound} in BOUNDARIES:
                    return f"{one.raw:g} itself on one side only"
    mine, theirs = ([one for one in text.quantities if one.limit and one.raw != 1] for text in (left, right))
    new = [one for one in mine if not any(one.measure == two.measure or one.raw == two.raw for two in theirs)]
    old = [two for two in theirs if not any(one.measure == two.measure or one.raw == two.raw for one in mine)]
    if strict and new and old:
        return "a limit on something else"
    for these, those in ((left, right), (right, left)):
        more = [
            one for one in these.quantities if one.measure not in {two.measure for two in those.quantities}
        ]
        if (
            strict
            and those.quantities
            and any(
                one.limit and {"and", "und", "et"} & set(these.words[max(0, one.at - 7) : one.at])
                for one in more
            )
        ):
            return "another limit beside the first"
        bare = [one for one in these.quantities if one.measure == "count"]
        if len(bare) == len(those.quantities) == len(these.quantities) == 1:
            (one,), (two,) = these.quantities, those.quantities
            if one.limit and two.limit and one.raw != two.raw and two.measure != "count":
                return "another limit"
        measured = {one.measure for one in these.quantities}
        endless = "no end" in measured and not measured & {"time", "terms"}
        if endless and any(one.measure in ("time", "terms") for one in those.quantities):
            return "a span on one side only"
        if any(one.measure == "margin" for one in these.quantities) and any(
            one.measure in ("time", "share", "mass") and one.value for one in those.quantities
        ):
            return "a tolerance on one side only"
    return ""


def other_units(left: Said, right: Said) -> str:
    """Whether one thing is told in two units: in tonnes against in kilograms."""
    if any(one.raw == 1000 for text in (left, right) for one in text.quantities):
        return ""  # kWh / 1000
    for measure in left.units.keys() & right.units.keys():
        if not left.units[measure] & right.units[measure]:
            return f"another unit of {measure.split()[0]}"
    return ""


def complementary(one: str, other: str) -> bool:
    """Whether one leaves out what lies below a threshold and the other takes what lies from there on: under 6 do not
    count, 6 and older."""
    figures = [said(text).quantities for text in (one, other)]
    if [len(several) for several in figures] != [1, 1] or figures[0][0].raw != figures[1][0].raw:
        return False
    denied = [
        bool((markers("not") | markers("without") | markers("left out")) & set(words_of(text)))
        for text in (one, other)
    ]
    return denied[0] != denied[1] and {several[0].bound for several in figures} in ({"<", ">="}, {">", "<="})
