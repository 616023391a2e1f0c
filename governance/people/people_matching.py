"""People matched with cells of a sheet, by email address, login or name. Uncertain ones are asked about."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from rapidfuzz import fuzz

from governance.models import User
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
    """The person that a cell means. `how` is address, login or name if certain, or "" if someone must choose."""

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
        """Return the person that this cell means. Likeness, a shared name or two addresses are never certain."""
        addresses = addresses_in(cell)
        address = next(iter(addresses), "")
        if len(addresses) > 1:
            found = [pk for one in addresses for pk in self.by_address.get(one, [])]
            return Match(candidates=found[:OFFERED], address=address)
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
        """Return people with similar names, likeliest first: shared, short or misspelled."""
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


def active_people() -> Directory:
    """Return the active people, as cells are matched with them."""
    rows = User.objects.active().values_list("pk", "full_name", "login", "email").order_by("full_name", "pk")
    return Directory(Known(*row) for row in rows)


def words_of(name: str) -> list[str]:
    """Return the words and numbers of a person's name for comparison, without titles."""
    return [word for word in bare_words(name) if word not in TITLES]


def bare_words(name: str) -> list[str]:
    """Return words and numbers of a name without accents, capitals or punctuation."""
    bare = normalized("NFKD", name.replace("ß", "ss").replace("ø", "o").replace("ł", "l"))
    letters = "".join(letter for letter in bare if not unicodedata.combining(letter)).casefold()
    return re.findall(r"[^\W_]+", letters)


def name_key(name: str) -> str:
    """Return the common form of spellings: "head office" of "HEAD-OFFICE"."""
    return " ".join(bare_words(name)) or name


def spelled_alike(names: Iterable[str]) -> list[list[str]]:
    """Return the names in groups of one spelling, in the order of the first of each."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(name_key(name), []).append(name)
    return list(groups.values())


def _spelled(cell: str) -> tuple[str, tuple[str, ...]]:
    """Return the addresses in a cell, and the sorted words of its name. Without a name, the address gives them."""
    address = " ".join(sorted(addresses_in(cell)))
    words = words_of(ADDRESS.sub("", cell))
    if not words and address:
        words = [word for word in words_of(re.sub(r"[._-]", " ", address.partition("@")[0])) if len(word) > 1]
        words = words if len(words) > 1 else []
    return address, tuple(sorted(words))


def _is_initial(word: str) -> bool:
    return len(word) == 1 and word.isalpha()


def _may_be(short: tuple[str, ...], full: tuple[str, ...]) -> bool:
    """Return True if initials fit a full name: "a", "rossi" and "anna", "rossi"."""
    whole = [word for word in short if not _is_initial(word)]
    initials = sorted(filter(_is_initial, short))
    left = list(full)
    for word in whole:
        if word not in left:
            return False
        left.remove(word)
    return bool(whole and initials) and initials == sorted(word[0] for word in left)


def spellings(cells: Iterable[str], others: Callable[[str], Iterable[str]]) -> list[list[str]]:
    """Return the cells in groups that each name one person: address, name, initials.

    Two addresses are two people. Initials join a name only if no other name fits them, of this sheet or of `others`,
    which returns the names of people here that the cell may mean.
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


def addresses_in(cell: str) -> list[str]:
    """Return the email addresses of a cell, each once, without capital letters."""
    return list(dict.fromkeys(found.casefold() for found in ADDRESS.findall(cell)))


def address_in(group: Iterable[str]) -> str:
    """Return the email address in one of the spellings, in lower case, or ""."""
    return next((found for cell in group for found in ADDRESS.findall(cell)), "").lower()


def name_in(group: Iterable[str]) -> str:
    """Return the best name of one person's spellings, or else of the email address."""
    names = [ADDRESS.sub("", cell).strip(" <>()\"'") for cell in group]
    full = [name for name in names if name and not any(map(_is_initial, words_of(name)))]
    for name in sorted(full, key=lambda name: "," in name):
        last, comma, first = name.partition(",")
        return f"{first.strip()} {last.strip()}" if comma else name
    return next(filter(None, names), "") or address_in(group).partition("@")[0]
