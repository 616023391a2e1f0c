"""Who is meant by a cell of a sheet: by address, login or name; whoever is not certain is asked about. Pure."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from rapidfuzz import fuzz

ADDRESS = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;]+")
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
        found = self.by_login.get(cell.strip().casefold(), [])
        if len(found) == 1:
            return Match(found[0], "login", address=address)
        words = words_of(name)
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
    """The words of a name as they are compared: no accents, case, titles or punctuation."""
    bare = unicodedata.normalize("NFKD", name.replace("ß", "ss").replace("ø", "o").replace("ł", "l"))
    letters = "".join(letter for letter in bare if not unicodedata.combining(letter)).casefold()
    return [word for word in re.findall(r"[^\W\d_]+", letters) if word not in TITLES]
