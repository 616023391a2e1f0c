"""Who is meant by a cell of a sheet: by address, login or name; whoever is not certain is asked about. Pure."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from rapidfuzz import fuzz

from governance.vocabulary.readable_text import normalized

# It begins only where a word does, so that its time is linear.
ADDRESS = re.compile(r"(?<![^@\s<>,;])[^@\s<>,;]++@[^@\s<>,;]+\.[^@\s<>,;]+")
TITLES = {"dr", "prof", "mr", "mrs", "ms", "herr", "frau", "ing", "mme", "sr", "sra"}
OFFERED = 5  # people that one uncertain name may mean
ALIKE = 75  # of 100: how much two names have in common before one is offered for the other


@dataclass(frozen=True)
class Known:
    """Somebody with an account here, as names are compared."""

    pk: int
    name: str
    login: str
    address: str


@dataclass(frozen=True)
class Match:
    """Who a cell means. `how`: address, login or name where it is certain; "" where a person must say."""

    person: int | None = None
    how: str = ""
    candidates: list[int] = field(default_factory=list)
    address: str = ""


class Directory:
    """People who may be meant, looked up by what a sheet writes of them."""

    def __init__(self, people: Iterable[Known]):
        self.people = [(one, words_of(one.name)) for one in people]
        self.keys = {one.pk for one, _ in self.people}
        self.by_address, self.by_login, self.by_name = defaultdict(list), defaultdict(list), defaultdict(list)
        for one, words in self.people:
            if one.address:
                self.by_address[one.address.casefold()].append(one.pk)
            self.by_login[one.login.casefold()].append(one.pk)
            self.by_name[" ".join(sorted(words))].append(one.pk)

    def match(self, cell: str) -> Match:
        """Who this cell means. Nobody is certain by likeness alone, nor where two people go by the same name."""
        address = next(iter(ADDRESS.findall(cell)), "")
        if address:
            found = self.by_address.get(address.casefold(), [])
            if len(found) == 1:
                return Match(found[0], "address", address=address)
        name = ADDRESS.sub("", cell).strip(" <>()")
        words = words_of(name)
        found = self.by_login.get(cell.strip().casefold(), [])
        if len(found) == 1:
            others = [one.pk for one, known in self.people if one.pk != found[0] and set(words) <= set(known)]
            if not others:
                return Match(found[0], "login", address=address)
            return Match(candidates=[*found, *others][:OFFERED], address=address)
        found = self.by_name.get(" ".join(sorted(words)), []) if words else []
        if len(found) == 1 and not address:
            return Match(found[0], "name")
        return Match(candidates=found[:OFFERED] or self._alike(words), address=address)

    def _alike(self, words: list[str]) -> list[int]:
        """Whose names are like these words, the likeliest first: a shared surname, a short or misspelled name."""
        if not words:
            return []
        rated = []
        for one, known in self.people:
            alike = fuzz.ratio(" ".join(words), " ".join(known))
            shared = set(words) & set(known)
            short = all(any(whole.startswith(word) for whole in known) for word in words)
            if alike >= ALIKE or short or any(len(word) > 2 for word in shared):
                rated.append((-(alike / 100 + len(shared) + short), one.pk))
        return [pk for _, pk in sorted(rated)[:OFFERED]]


def words_of(name: str) -> list[str]:
    """The words and numbers of a name as they are compared: no accents, initiative, titles or punctuation."""
    bare = normalized("NFKD", name.replace("ß", "ss").replace("ø", "o").replace("ł", "l"))
    letters = "".join(letter for letter in bare if not unicodedata.combining(letter)).casefold()
    return [word for word in re.findall(r"[^\W_]+", letters) if word not in TITLES]


def _spelled(cell: str) -> tuple[str, tuple[str, ...]]:
    """The address in a cell and the words of its name, sorted; the words of the address where no name stands."""
    address = next(iter(ADDRESS.findall(cell)), "").casefold()
    words = words_of(ADDRESS.sub("", cell))
    if not words and address:
        words = [word for word in words_of(re.sub(r"[._-]", " ", address.partition("@")[0])) if len(word) > 1]
        words = words if len(words) > 1 else []
    return address, tuple(sorted(words))


def _is_initial(word: str) -> bool:
    return len(word) == 1 and word.isalpha()


def _may_be(short: tuple[str, ...], full: tuple[str, ...]) -> bool:
    """Whether a name with initials may be this full name: "a", "rossi" and "anna", "rossi"."""
    whole = [word for word in short if not _is_initial(word)]
    initials = sorted(filter(_is_initial, short))
    left = list(full)
    for word in whole:
        if word not in left:
            return False
        left.remove(word)
    return bool(whole and initials) and initials == sorted(word[0] for word in left)


def spellings(cells: Iterable[str], others: Callable[[str], Iterable[str]]) -> list[list[str]]:
    """Return the cells in groups that each name one person: by address, by the words of a name, by initials.

    Two addresses are two people. Initials join a name only where no other name fits them, of this sheet or of the
    names of `others`: who is here and may be meant by the cell.
    """
    read = {cell: _spelled(cell) for cell in cells}
    groups: dict[tuple[str, ...], list[str]] = {}
    named: dict[tuple[str, ...], set[tuple[str, ...]]] = defaultdict(set)
    for cell, (address, words) in read.items():
        if address:
            groups.setdefault(("@", address), []).append(cell)
            named[words].add(("@", address))
    for cell, (address, words) in read.items():
        if address or any(map(_is_initial, words)):
            continue
        known = named[words] if len(words) > 1 else set()
        key = next(iter(known)) if len(known) == 1 else words or ("", cell)
        groups.setdefault(key, []).append(cell)
        if len(words) > 1:
            named[words].add(key)
    full: dict[str, set[tuple[str, ...]]] = defaultdict(set)  # names in full, by each of their words
    for words in named:
        for word in words if len(words) > 1 else ():
            full[word].add(words)
    for cell, (address, words) in read.items():
        if address or not any(map(_is_initial, words)):
            continue
        whole = next((word for word in words if not _is_initial(word)), "")
        fit = {key for name in full[whole] if _may_be(words, name) for key in named[name]}
        here = {tuple(sorted(words_of(name))) for name in others(cell)}
        strange = [name for name in here if _may_be(words, name) and name not in full[whole]]
        groups.setdefault(next(iter(fit)) if len(fit) == 1 and not strange else words, []).append(cell)
    order = {cell: place for place, cell in enumerate(read)}
    return sorted(
        (sorted(group, key=order.get) for group in groups.values()), key=lambda group: order[group[0]]
    )


def address_in(group: Iterable[str]) -> str:
    """Return the address that one of the spellings holds, as it stands there; "" for none."""
    return next((found for cell in group for found in ADDRESS.findall(cell)), "").lower()


def name_in(group: Iterable[str]) -> str:
    """Return the best name among the spellings of one person: in full, the first name first; the address for none."""
    names = [ADDRESS.sub("", cell).strip(" <>()\"'") for cell in group]
    full = [name for name in names if name and not any(map(_is_initial, words_of(name)))]
    for name in sorted(full, key=lambda name: "," in name):
        last, comma, first = name.partition(",")
        return f"{first.strip()} {last.strip()}" if comma else name
    return next(filter(None, names), "") or address_in(group).partition("@")[0]
