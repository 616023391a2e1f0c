"""What a text takes in and what it leaves out: for each of its words whether it is counted, denied, or of no matter.

A marker works on the words before or behind it, as far as its clause or its list goes: "without VAT and freight",
"interns and temps left out", "staffed or not", "rebates are not deducted".
"""

from dataclasses import dataclass, field

from initiatives.disagreeing.tables import markers, phrases, words

# Taken in, left out, of no matter; of a list only: taken off a sum, which leaves nothing out of
# what is counted; of the first names of a list before a marker it is open whether they belong to it.
IN, OUT, EITHER, OFF, OPEN = 1, -1, 2, -2, 3
SUBTRACTING = words("minus less moins abzuglich abzgl net after nach apres")
# The verbs that join what is counted to "not counted" and the like.
HELPING = words("""
is are was were be been being do does did will would may can must ist sind wird werden wurde wurden est sont sera also
again even still ever longer hereby to only then explicitly fully generally always themselves all both each already yet
counted zahlen zahlt count counts gezahlt
""")
COUNTING = words("""
counted included contained considered mitgezahlt gezahlt enthalten compris comptes counting count counts included
include includes zahlt zahlen berucksichtigt dabei taken covered eligible part recognised recognized regarded relevant
comprise comprises compte comptent inclus inclues comptee comptees treated shown reported booked added
""")
# Who is said to count: behind these nothing is left out yet, and what is not counted follows.
SPEAKING = words("""
we you they it one i do does did will would wir man es sie ich nous on il elle ils vous ne n not never nicht pas are is
sind werden sont
""")
REQUIRED = words("required needed necessary erforderlich notig requis obligatoire mandatory")
# The phrases of phrases.txt in the order in which they are tried: on which side their words stand, and the sign.
PHRASES = (
    ("either after", "after", EITHER),
    ("either before", "before", EITHER),
    ("out after", "after", OUT),
    ("in before", "before", IN),
    ("out before", "before", OUT),
    ("still before", "still", IN),
)
# A price or sum from which this is taken off already.
DEDUCTED = words("discounted rabattiert rabattierter rabattierte")
# What is taken off a sum when it stands after "after", "less" or "before".
TAKEN_OFF = words("""
discount discounts returns return refunds refund rebates rebate cancellations cancellation rework deductions credit
notes discounting retouren rabatt rabatten abzug remises retours reinsurance
""")


# Verbs of which an "in" or "out" is a part: check in, log out.
PARTICLED = words(
    "check checked log logged sign signed opt opted walk cut buy lock roll drop time move hand pay phase step"
)


# What parts two chunks of one clause.
APART = (",", "(", ")")


# After these "count" is a noun.
NOUN_BEFORE = words("the a of from in head")
COUNTS = words("count counts zahlen zahlt compte")
# These take in only where nothing, or one of those, follows them; else they say how or where.
OFTEN_BESIDE = words("counted count counts compte comptes considered kept added stay stays")
PLAINLY = {",", *words("and und et in too as with fully mit")}
# After a "not" these make a limit: no later than.
THAN = words("later more less earlier fewer longer sooner spater mehr weniger langer fruher plus moins")
# Of these the subject holds what follows: the price does not include installation.
COMPRISING = words("""
include includes contain contains comprise comprises cover covers umfasst umfassen enthalt enthalten comprend
comprennent
""")


@dataclass
class Signs:
    """For each word of a text its sign, whether that was said outright, and the list of words of each marker."""

    sign: list[int]
    outright: list[bool]
    marker: list[bool]
    groups: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)


def signs(text: list[str]) -> Signs:
    """The signs of the words of a text."""
    found = Signs([0] * len(text), [False] * len(text), [False] * len(text))
    clauses = list(_clauses(text))
    for at, word in enumerate(text):
        if word in DEDUCTED:
            found.sign[at] = OUT
    for at in range(len(text) - 2):  # paid or unpaid
        if text[at + 1] in ("or", "and", "oder", "und", "ou", "et") and text[at + 2] in (
            f"un{text[at]}",
            f"non{text[at]}",
            f"in{text[at]}",
        ):
            found.sign[at] = found.sign[at + 2] = EITHER
    for at in range(1, len(text) - 1):  # degree and non-degree students
        tied = {"and", "or", "und", "oder", "et", "ou"} & set(text[max(0, at - 4) : at])
        if tied and text[at] in ("non", "nicht") and text[at + 1] in text[max(0, at - 5) : at]:
            found.sign[at + 1] = EITHER
            found.sign[text.index(text[at + 1], max(0, at - 5))] = EITHER
    for place, (start, end) in enumerate(clauses):
        _clause(text, start, end, found)
        headed = end < len(text) and text[end] == ":" and place + 1 < len(clauses)
        _, sign, length = _marker(text, start, end, start) if headed else ("", 0, 0)
        if length == end - start and sign in (IN, OUT):  # "not counted: interns and temps"
            following = clauses[place + 1]
            _give(found, text, range(*following), sign)
    return found


def _clauses(text: list[str]):
    start = 0
    for at, word in enumerate(text):
        if word in markers("clause ends"):
            if at > start:
                yield start, at
            start = at + 1
    if start < len(text):
        yield start, len(text)


def _clause(text: list[str], start: int, end: int, found: Signs) -> None:
    at, since, carried = start, start, 0
    while at < end:
        which, sign, length = _marker(text, at, end, start)
        if not length:
            if text[at] in APART:
                since = at + 1
            at += 1
            continue
        for one in range(at, at + length):
            found.marker[one] = True
        if which == "before":
            reach = _list_behind(text, at + length, end, short=sign == OUT and text[at] in markers("not"))
            _give(found, text, range(at + length, reach), sign, off=text[at] in SUBTRACTING)
            carried = sign
            at = since = at + length
            since = max(since, reach)
        elif which == "after":
            reach = range(since, at)
            listed = sign == OUT and {"and", "or", "und", "oder", "et", "ou"} & set(text[since:at])
            if listed and since > start and text[since - 1] == ",":
                before = _chunk_before(text, since, start)
                if len(before) <= 2:
                    for one in before:
                        found.sign[one] = found.sign[one] or OPEN
            if sign == OUT:  # "journeys without a ticket do not count": those with one do
                chunk = max((one + 1 for one in range(start, at) if text[one] in APART), default=start)
                denied = markers("without") & set(text[chunk:at])
                turned = {one for one in range(chunk, at) if denied and found.sign[one] == OUT}
                for one in turned:
                    found.sign[one] = IN
                found.groups = [(IN if turned & set(group) else kind, group) for kind, group in found.groups]
                if turned:
                    reach = range(at, at)
            given = any(found.sign[one] for one in reach if not found.marker[one])
            if not given or sign == EITHER:
                if not _nothing(text, reach, found):
                    _give(found, text, reach, sign)
                elif not (sign == OUT and turned):
                    _give(found, text, _chunk_before(text, since, start), sign)
            carried = sign
            at += length
            if sign == OUT and text[at : at + 1] in (
                ["as"],
                ["als"],
                ["comme"],
            ):  # "does not count as movement"
                for one in range(at, _list_behind(text, at, end, short=False)):
                    found.sign[one] = found.sign[one] or OPEN
            since = at
        else:  # "even if" goes on with the sign of what stands before it
            _give(
                found,
                text,
                range(at + length, _list_behind(text, at + length, end, short=False)),
                carried or IN,
            )
            at += length
            since = at


def _nothing(text, reach, found) -> bool:
    """Whether no word that names anything stands there."""
    return not any(
        text[one][0].isalpha() and text[one] not in markers("stop") and not found.marker[one] for one in reach
    )


def _chunk_before(text, since: int, start: int) -> range:
    """The words of the chunk before the comma that a bare "excluded" follows."""
    end = since - 1
    if end > start and text[end] == ")" and "(" in text[start:end]:
        end = max(at for at in range(start, end) if text[at] == "(")
    begin = end
    while begin > start and text[begin - 1] not in APART:
        begin -= 1
    return range(begin, max(begin, end))


def _give(found: Signs, text, reach: range, sign: int, *, off: bool = False) -> None:
    given = tuple(at for at in reach if not found.marker[at] and text[at] not in APART)
    given = tuple(at for at in given if found.sign[at] != EITHER)
    for at in given:
        found.sign[at] = sign
        found.outright[at] = True
    if given:
        found.groups.append((OFF if off and sign == OUT else sign, given))


def _starts(text, at: int, end: int, name: str) -> int:
    """How many words of one of the phrases of this sort stand there; none where none does."""
    for phrase in phrases(name).get(text[at], ()):
        if at + len(phrase) <= end and tuple(text[at : at + len(phrase)]) == phrase:
            return len(phrase)
    return 0


def _marker(text: list[str], at: int, end: int, start: int) -> tuple[str, int, int]:
    """The marker that begins there: on which side of it its words stand, their sign, its length; no length if none."""
    word = text[at]
    alone = at > start and (at + 1 == end or text[at + 1] in APART)
    for name, which, sign in PHRASES:
        length = _starts(text, at, end, name)
        if length:
            return which, sign, length
    if (
        word in ("extra", "pending", "ausstehend", "separately")
        and alone
        and text[at - 1] not in markers("ties")
    ):
        return "after", OUT, 1
    if word in ("too", "auch", "aussi") and alone:
        return "after", IN, 1
    if word in markers("irrelevant") and (at + 1 == end or text[at + 1] in (",", "ob")):
        return "after", EITHER, 1
    if (
        word in ("no", "keine", "kein", "none")
        and at > start + 1
        and text[at - 1] in ("are", "is", "sind", "ist")
    ):
        return "after", OUT, min(2, end - at)  # trailers are no lorries
    if word == "no" and text[at + 1 : at + 2] and text[at + 1] in ("show", "shows"):
        return "", 0, 0
    if word in markers("not"):
        return _after_not(text, at, end, start)
    if word in markers("without") and not (
        word in ("ex", "plus", "ausser") and at + 1 < end and text[at + 1] in ("works", "betrieb")
    ):
        return ("after" if alone else "before"), OUT, 1
    if word in markers("taking in"):
        return ("after" if alone else "before"), IN, 1
    if word in markers("left out"):
        return ("after", OUT, 1) if at > start else ("", 0, 0)
    if word in ("in", "drin", "out", "draussen") and alone and text[at - 1] not in PARTICLED:
        return "after", OUT if word in ("out", "draussen") else IN, 1
    divided = word == "count" and {"by", "/", "divided"} & set(text[max(0, at - 3) : at])
    if word == "count" and at and (divided or text[at - 1] in NOUN_BEFORE):
        return "", 0, 0
    if word in markers("taken in") and at > start:
        return _counted(text, at, end)
    if word in ("after", "nach", "apres") and at + 1 < end and text[at + 1] in TAKEN_OFF:
        return "before", OUT, 1
    return "", 0, 0


def _after_not(text: list[str], at: int, end: int, start: int) -> tuple[str, int, int]:
    """What a "not" does: "not counted" leaves out, "not deducted" takes in, else it denies what follows it."""
    ahead = at + 1
    if ahead < end and text[ahead] in THAN:
        return "", 0, 0
    if (ahead == end or text[ahead] in APART) and text[at] in ("not", "nicht", "pas"):
        return "after", OUT, 1
    while ahead < min(end, at + 4):
        word = text[ahead]
        if word in markers("left out") or _starts(text, ahead, end, "out after"):
            length = _starts(text, ahead, end, "out after") or 1
            return "after", IN, ahead + length - at
        if word in COMPRISING and ahead + 1 < end:
            return "before", OUT, ahead + 1 - at
        if word in REQUIRED:
            return "after", EITHER, ahead + 1 - at
        if word in COUNTING and not (word in ("counting", "include", "includes") and ahead + 1 < end):
            behind = ahead + 1
            while behind < end and text[behind] in HELPING | markers("not"):
                behind += 1
            whom = behind < end and text[behind] not in markers("joins") | set(APART)
            if whom and not set(text[start:at]) - SPEAKING:
                return "before", OUT, behind - at
            return "after", OUT, ahead + 1 - at
        if word in ("excluding", "without"):
            return "before", IN, ahead + 1 - at
        if word not in HELPING:
            break
        ahead += 1
    return "before", OUT, 1


def _counted(text: list[str], at: int, end: int) -> tuple[str, int, int]:
    """What "counted" and the like do: they take in, unless a "not" follows, or they only say how and where."""
    ahead = at + 1
    while ahead < end and text[ahead] in HELPING:
        ahead += 1
    if ahead < end and text[ahead] in markers("not"):
        return "after", OUT, ahead + 1 - at
    plain = at + 1 >= end or text[at + 1] in PLAINLY
    if text[at] in COUNTS and text[at + 1 : at + 3] == ["as", "one"]:
        return "", 0, 0
    if text[at] in OFTEN_BESIDE and not plain:
        return "", 0, 0
    if text[at] == "counted" and at + 1 < end and text[at + 1] in ("as", "in", "with"):
        return "", 0, 0
    return "after", IN, 1


def _list_behind(text: list[str], at: int, end: int, *, short: bool) -> int:
    """How far a list goes on behind a marker: over "and", and over a comma where short names follow.

    `short`: of a plain "not", which ends at the next "and" or comma.
    """
    reach, listed = at, False
    while reach < end:
        word = text[reach]
        if reach > at:
            if short and word in ("and", "und", "et", ",", "but"):
                break
            if word in APART and not (word == "," and _goes_on(text, reach + 1, end, listed=listed)):
                break
            listed = listed or word == ","
            if word in markers("taking in") or word in ("divided", "/", "per", "je", "minus", "less"):
                break
            if _marker(text, reach, end, at)[1] in (IN, OUT) and word not in markers("taken in"):
                break
            if word in ("by", "at") and reach + 1 < end and not short:
                break
            if word in ("and", "und", "et") and _finite(text, reach + 1, end):
                break
        reach += 1
    return reach


def _goes_on(text: list[str], at: int, end: int, *, listed: bool) -> bool:
    """Whether what follows the comma is one more short name of the list: a few words up to an "and" or comma.

    `listed`: there was a comma before, so that the list may end here too.
    """
    last = at
    while last < end and text[last] not in (",", "and", "und", "et", "or", "oder", "ou", "&"):
        last += 1
    chunk = text[at:last]
    if not chunk or len(chunk) > 3:
        return False
    joined = last < end or (listed and len(chunk) < 3)
    return joined and not any(
        word in markers("joins") | markers("per") | markers("only") | markers("taking in") | markers("not")
        or word[0].isdigit()
        for word in chunk
    )


def _finite(text: list[str], at: int, end: int) -> bool:
    """Whether a new statement begins there: with a verb, a figure or a word that opens one."""
    if at >= end:
        return True
    return (
        text[at]
        in words(
            "is are was has have by at per only already started at counted one all each paid with on in must date"
        )
        or text[at][0].isdigit()
    )
