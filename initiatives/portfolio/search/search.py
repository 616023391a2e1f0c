"""Search for initiatives, people, systems, vendors, terms and evidence.

Only rows that the person may see are found (`permissions.visible_to`), and no count includes others. The stub of
another initiative that is not confidential is found by reference and title, so that no one builds it twice. Each query
asks for a few rows more than are shown, newest first, and never for a count. The cost of an answer does not grow with
the company. A rare word is read from the index, and a word of half the portfolio from the newest rows.
"""

import re
from dataclasses import dataclass, field
from functools import cached_property

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Window
from django.db.models.functions import RowNumber
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.text import Truncator

from governance import clock
from governance.database.request_memo import lists
from governance.database.text_search import LONGEST, MOST_WORDS, Words, question
from governance.models import Membership, User
from governance.templatetags.plumbline import day, stage_word
from governance.vocabulary import Role, Stage
from initiatives.contributions import Contribution, contributed
from initiatives.lifecycle.access import visibility
from initiatives.lifecycle.access.visibility import accounts_seen_by
from initiatives.models import (
    ComponentVersion,
    Deployment,
    Evidence,
    Initiative,
    RoleAssignment,
    ServiceAccount,
    System,
    Term,
    Vendor,
)

FEW = 5  # of each group, where all groups are shown
MOST = 100  # of one group; what lies deeper is found by a further word
NAMED = 3  # initiatives named beside a person
RARE = 1000  # rows with all the words, whoever may see them; the planner alone cannot tell how rare a word is

REFERENCE = re.compile(r"(?<![^\W_])(?:ai[\s-]*|#)0*([1-9]\d{0,8})(?![^\W_])", re.IGNORECASE)
NUMBER = re.compile(r"(?<![^\W_])0*([1-9]\d{0,8})(?![^\W_])")


@dataclass(frozen=True)
class Hit:
    """One result: its title, link and words. `initiatives` are those of a person."""

    title: str
    link: str = ""
    ref: str = ""
    beside: str = ""
    tags: tuple[str, ...] = ()
    initiatives: tuple["Hit", ...] = ()
    more: str = ""


@dataclass(frozen=True)
class Found:
    """The results of one kind. `more` is True if there are further ones."""

    key: str
    words: str
    hits: list[Hit] = field(default_factory=list)
    more: bool = False


class Search:
    """A typed text, searched in everything that the person may see."""

    def __init__(self, text: str, person: User):
        self.text = " ".join(text.split())[:LONGEST]
        self.person = person
        self.seen = visibility.visible_to(person)

    @cached_property
    def references(self) -> list[int]:
        """Return the numbers of certain references: AI-0042, ai 42, #42."""
        return [int(number) for number in REFERENCE.findall(self.text)][:MOST_WORDS]

    @cached_property
    def numbers(self) -> list[int]:
        """Return the numbers of possible references: a bare 42 too."""
        return self.references or [int(number) for number in NUMBER.findall(self.text)][:MOST_WORDS]

    @cached_property
    def words(self) -> str:
        """Return the words to find in titles and names, or "" if none can be found."""
        return question(self.text)

    @cached_property
    def beside(self) -> str:
        """Return the other words of the text, without the numbers of initiatives."""
        return question(NUMBER.sub(" ", REFERENCE.sub(" ", self.text)))

    @cached_property
    def rare(self) -> dict[str, list[int]]:
        """Return the keys of rows with the words by place, if they are few, in one query."""
        found = lists(*(self._keys(place)[: RARE + 1] for place in PLACES))
        return {place: keys for place, keys in zip(PLACES, found, strict=True) if len(keys) <= RARE}

    def _keys(self, place: str) -> QuerySet:
        return PLACES[place](self.words).order_by().values(KEY_OF.get(place, "pk"))

    def _with_words(self, place: str, rows: QuerySet) -> QuerySet:
        """Return the rows that have the words."""
        few = self.rare.get(place)
        # Told one by one where they are few: the planner would look for them row by row. No row has the key 0; with it
        # the question is sent even where none is there, because its absence would tell that something is hidden.
        return rows.filter(pk__in=self._keys(place) if few is None else [0, *few])

    def _open(self, place: str, rows: QuerySet, most: int) -> list:
        """Return the register's rows with the words. Everyone signed in may read them."""
        return [] if self.rare.get(place) == [] else list(self._with_words(place, rows)[:most])

    def all(self) -> list[Found]:
        """Return the first results of each group, without empty groups."""
        return (
            [found for key in contributed.search_groups if (found := self.of(key, FEW)).hits]
            if self.words
            else []
        )

    def of(self, key: str, most: int = MOST) -> Found:
        """Return the results of one kind, at most `most`."""
        words, find = contributed.search_groups[key]
        hits = list(find(self, most + 1)) if self.words else []
        return Found(key, words, hits[:most], more=len(hits) > most)

    def initiatives(self, most: int) -> list[Hit]:
        """Return initiatives by number, title or former title, then stubs of others."""
        seen, found = self.seen.select_related("unit"), {}
        if self.numbers:
            meant = seen.filter(number__in=self.numbers)
            meant = meant.filter(title__says=self.beside) if self.beside else meant
            found = {initiative.pk: _initiative(initiative) for initiative in meant.order_by("number")}
        named = self._with_words("initiatives", seen).exclude(pk__in=list(found)).order_by("-pk")
        found |= {initiative.pk: _initiative(initiative) for initiative in named[:most]}
        if len(found) < most:
            found |= self._once_called(seen.exclude(pk__in=list(found)), most)
        hits = list(found.values())[:most]
        return hits if len(hits) == most else hits + self._stubs(most - len(hits))

    def _stubs(self, most: int) -> list[Hit]:
        """Return the stubs of other initiatives, by number or by their current title."""
        others = Initiative.objects.told().filter(~Exists(self.seen.filter(pk=OuterRef("pk"))))
        few = self.rare.get("initiatives")
        meant = Q(pk__in=self._keys("initiatives") if few is None else [0, *few])
        if self.numbers:
            number = Q(number__in=self.numbers)
            meant |= number & Q(title__says=self.beside) if self.beside else number
        owner = RoleAssignment.objects.in_force().filter(initiative=OuterRef("pk"), role=Role.OWNER)
        named = others.filter(meant).annotate(owner=Subquery(owner.values("person__full_name")[:1]))
        return [
            _stub(initiative)
            for initiative in named.select_related("unit", "registered_by").order_by("-pk")[:most]
        ]

    def _once_called(self, others: QuerySet, most: int) -> dict[int, Hit]:
        initiatives = list(self._with_words("former titles", others).order_by("-pk")[:most])
        titles = {}
        if initiatives:
            rows = Initiative.history.filter(
                id__in=[initiative.pk for initiative in initiatives], title__says=self.words
            )
            titles = dict(rows.order_by("history_id").values_list("id", "title"))
        return {
            initiative.pk: _initiative(initiative, once=titles.get(initiative.pk, ""))
            for initiative in initiatives
        }

    def people(self, most: int) -> list[Hit]:
        """Return people with unit, seats and the initiatives that the searcher may see."""
        named = User.objects.active().filter(full_name__says=self.words).select_related("unit")
        people = list(named.order_by("full_name", "pk")[:most])
        if not people:
            return []
        roles: dict[int, list[Hit]] = {}
        held = RoleAssignment.objects.in_force().filter(person__in=people, initiative__in=self.seen)
        place = Window(RowNumber(), partition_by=F("person"), order_by=F("initiative").desc())
        held = held.annotate(place=place).filter(place__lte=NAMED + 1).select_related("initiative")
        for row in held.order_by("person", "place"):
            hit = Hit(row.initiative.title, row.initiative.get_absolute_url(), row.initiative.ref)
            roles.setdefault(row.person_id, []).append(_with(hit, row.get_role_display()))
        seats: dict[int, list[str]] = {}
        for row in Membership.objects.held_at(clock.now()).filter(person__in=people).select_related("board"):
            seats.setdefault(row.person_id, []).append(f"{row.get_seat_display()}, {row.board}")
        return [_person(person, roles.get(person.pk, []), seats.get(person.pk, [])) for person in people]

    def systems(self, most: int) -> list[Hit]:
        """Return systems by name and place, those in use first, then visible accounts."""
        last = (F("retired_at").asc(nulls_first=True), "-pk")
        found = [
            Hit(
                row.name,
                row.get_absolute_url(),
                beside=", ".join(filter(None, [row.get_kind_display(), row.location])),
                tags=("retired",) if row.retired_at else (),
            )
            for row in self._open("systems", System.objects.order_by(*last), most)
        ]
        last = (F("closed_at").asc(nulls_first=True), "-pk")
        seen = accounts_seen_by(self.person).select_related("system").order_by(*last)
        return found + [
            Hit(
                row.name,
                f"{row.system.get_absolute_url()}#accounts",
                beside=f"Service account in {row.system}",
                tags=("closed",) if row.closed_at else (),
            )
            for row in self._with_words("accounts", seen)[: most - len(found)]
        ]

    def terms(self, most: int) -> list[Hit]:
        """Return terms of the glossary by name and meaning."""
        rows = self._open("terms", Term.objects.order_by("-pk"), most)
        return [
            Hit(row.name, row.get_absolute_url(), beside=Truncator(row.meaning).words(30)) for row in rows
        ]

    def parts(self, most: int) -> list[Hit]:
        """Return listed vendors, components by vendor and name, and platforms by name."""
        listed = self._open("vendors", Vendor.objects.shared().order_by("-pk"), most)
        found = [Hit(row.name, row.get_absolute_url(), beside="Vendor, with its terms") for row in listed]
        return found + self._run_on(most - len(found)) if len(found) < most else found

    def _run_on(self, most: int) -> list[Hit]:
        versions = self._with_words("components", ComponentVersion.objects.all())
        rows = (
            Deployment.objects.filter(initiative__in=self.seen, version__in=versions.order_by().values("pk"))
            .select_related("initiative", "version__vendor")
            .order_by("-initiative__number", "part", "-runs_from")
            .distinct("initiative__number", "part")
        )
        found = [
            Hit(
                ", ".join(filter(None, [row.version.name, str(row.version.vendor or "")])),
                reverse("deployments", args=[row.initiative.ref]),
                row.initiative.ref,
                f"{row.version.get_layer_display()} of {row.initiative.title}",
            )
            for row in rows[:most]
        ]
        if len(found) < most:
            on = self._with_words("platforms", self.seen).order_by("-pk")[: most - len(found)]
            found += [
                Hit(
                    initiative.platform,
                    initiative.get_absolute_url(),
                    initiative.ref,
                    f"Platform of {initiative.title}",
                )
                for initiative in on
            ]
        return found

    def evidence(self, most: int) -> list[Hit]:
        """Return evidence by its title, of one initiative if the text has its reference."""
        rows = Evidence.objects.filter(initiative__in=self.seen)
        if self.references and self.beside:
            rows = rows.filter(initiative__number__in=self.references, title__says=self.beside)
        else:
            rows = self._with_words("evidence", rows)
        return [
            Hit(
                row.title,
                reverse("evidence-item", args=[row.initiative.ref, row.pk]),
                row.initiative.ref,
                f"{row.get_kind_display()} of {row.initiative.title}, observed {day(row.observed_on)}",
                ("withdrawn",) if row.withdrawn_at else (),
            )
            for row in rows.select_related("initiative").order_by("-pk")[:most]
        ]


def _initiative(initiative: Initiative, once: str = "") -> Hit:
    tags = tuple(
        word
        for word, true in (("withdrawn", initiative.withdrawn_at), ("confidential", initiative.confidential))
        if true
    )
    called = f" Former title: “{once}”." if once else ""
    return Hit(
        initiative.title,
        initiative.get_absolute_url(),
        initiative.ref,
        f"{_stage(initiative)}, {initiative.unit.label}.{called}",
        tags,
    )


def _stub(initiative: Initiative) -> Hit:
    asked = (
        initiative.registered_by
        if initiative.registered_by_id and initiative.registered_by.is_active
        else "the board of its unit"
    )
    beside = (
        f"{_stage(initiative)}, {initiative.unit.label}. You cannot open it. Ask {initiative.owner or asked}."
    )
    return Hit(initiative.title, reverse("initiative-stub", args=[initiative.ref]), initiative.ref, beside)


def _stage(initiative: Initiative) -> str:
    return stage_word(initiative.stage).capitalize() if initiative.stage != Stage.MVP else "MVP"


def _with(hit: Hit, role: str) -> Hit:
    return Hit(hit.title, hit.link, hit.ref, role)


def _person(person: User, initiatives: list[Hit], seats: list[str]) -> Hit:
    works = person.unit.name if person.unit_id else ""
    more = f"{reverse('portfolio')}?{urlencode({'q': person.full_name})}" if len(initiatives) > NAMED else ""
    beside = "; ".join(filter(None, [works, *seats]))
    return Hit(person.full_name, beside=beside, initiatives=tuple(initiatives[:NAMED]), more=more)


def _components(words: str) -> QuerySet[ComponentVersion]:
    """Return component versions with each word in their name or that of their vendor."""
    rows = ComponentVersion.objects.all()
    for word in words.split():
        named = ComponentVersion.objects.filter(name__says=word).order_by().values("pk")
        sold = Vendor.objects.filter(name__says=word).order_by().values("pk")
        rows = rows.filter(Q(pk__in=named) | Q(vendor__in=sold))
    return rows


# Where words are looked for besides names of people, and the rows that have them.
PLACES = {
    "initiatives": lambda words: Initiative.objects.filter(title__says=words),
    "former titles": lambda words: Initiative.history.filter(title__says=words),
    "components": _components,
    "systems": lambda words: System.objects.annotate(words=Words("name", "location")).filter(
        words__says=words
    ),
    "accounts": lambda words: ServiceAccount.objects.filter(name__says=words),
    "vendors": lambda words: Vendor.objects.shared().filter(name__says=words),
    "terms": lambda words: Term.objects.annotate(words=Words("name", "meaning")).filter(words__says=words),
    "platforms": lambda words: Initiative.objects.filter(platform__says=words),
    "evidence": lambda words: Evidence.objects.filter(title__says=words),
}
KEY_OF = {"former titles": "id"}  # which column of theirs holds the key of what is shown, where it is another
# In the order in which they are shown: the words above each, and what finds it.
GROUPS = {
    "initiatives": ("Initiatives", Search.initiatives),
    "people": ("People", Search.people),
    "systems": ("Systems", Search.systems),
    "terms": ("Terms", Search.terms),
    "parts": ("Vendors and platforms", Search.parts),
    "evidence": ("Evidence", Search.evidence),
}
CONTRIBUTION = Contribution(search_groups=GROUPS)
