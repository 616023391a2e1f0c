"""Contributions to packages of `initiatives`, beside those to `governance`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from governance import contributions


@dataclass(frozen=True)
class InitiativePage:
    """A page that every initiative has, in one of its sections.

    The sections are in `initiatives.lifecycle.initiative.initiative_sections.SECTIONS`. The page has words, the name of
    its URL (which takes `ref`), and a count over the facts or None. The fields are in the order of the list.
    """

    section: str
    words: str
    url_name: str
    count: Callable | None = None


@dataclass(frozen=True)
class Part:
    """A part of a page from an app above: its template, and its context."""

    template: str
    context: dict


@dataclass(frozen=True)
class Report:
    """A report of the portfolio: its key in the URL, its words, purpose and filter."""

    key: str
    words: str
    help: str
    apply: Callable


@dataclass(kw_only=True)
class Contribution(contributions.Contribution):
    """The contribution of one package of `initiatives` or `adoption`."""

    # Pages that every initiative has; of each section the first is where it opens.
    initiative_pages: list[InitiativePage] = field(default_factory=list)
    # Functions (initiative, Judged, WhoMay) -> banners of each page of the initiative: dicts of tone, title, text,
    # link and link_text.
    banners: list[Callable] = field(default_factory=list)
    # Functions (person, what the page is about) -> Part or None, page by page: about the review; about title and
    # problem as far as they are typed; about the system; about the initiative; about what the
    # address asks for.
    beside_review: list[Callable] = field(default_factory=list)
    beside_registering: list[Callable] = field(default_factory=list)
    beside_link: list[Callable] = field(default_factory=list)
    beside_activity: list[Callable] = field(default_factory=list)
    beside_insights: list[Callable] = field(default_factory=list)
    # The same about an initiative; about the context of an initiative and the key of a requirement; about a review, at
    # the top of its page.
    beside_initiative: list[Callable] = field(default_factory=list)
    beside_requirement: list[Callable] = field(default_factory=list)
    review_warnings: list[Callable] = field(default_factory=list)
    # By kind of an obligation whose act is in an app above: functions (obligations) -> {key: due_task.Act}. An
    # obligation without one waits for somebody else.
    obligation_acts: dict[str, Callable] = field(default_factory=dict)
    # Functions (initiatives.inbox.rows.person_rows.Look) -> lines of the inbox of its person.
    inbox_parts: list[Callable] = field(default_factory=list)
    # Reports of the portfolio.
    reports: list[Report] = field(default_factory=list)
    # In the order in which they are shown: the words above each group of the search, and what finds it.
    search_groups: dict[str, tuple] = field(default_factory=dict)
    # `Figure`s of Insights that tell late what went wrong.
    lagging: list[Any] = field(default_factory=list)
    # By key of a figure, without its stage, what writes why an initiative is counted.
    why: dict[str, Callable] = field(default_factory=dict)
    # Functions (keys of initiatives, day) -> {key: [(what is measured, its value in words)]}: value that was measured.
    measured_value: list[Callable] = field(default_factory=list)
    # Kind of entry: the sentence after the name of who acted; and ways to word a fact in it: (what is worded, rulebook)
    # -> words.
    sentences: dict[str, str] = field(default_factory=dict)
    ways: dict[str, Callable] = field(default_factory=dict)
    # Functions (keys of reviews) -> {key: (words, address)}: where each of them came to its end, beside its own page.
    decided_where: list[Callable] = field(default_factory=list)
    # Functions (initiative): called in the act by which an initiative became confidential, or no longer is.
    secrecy_changed: list[Callable] = field(default_factory=list)
    # Functions (initiative): called in the act by which another risk tier was confirmed.
    tier_changed: list[Callable] = field(default_factory=list)
    # Functions (initiatives, {key: support}, grace) -> the obligations of grace that they opened, once supported stages
    # were rewritten; then functions (initiatives, {key: `to_verify`}) that
    # tell people.
    followers: list[Callable] = field(default_factory=list)
    tellers: list[Callable] = field(default_factory=list)
    # Functions (initiative, why, with_obligations, by): end the links, the scope and the contract of an initiative that
    # is stopped, retired or withdrawn.
    enders: list[Callable] = field(default_factory=list)
    # Functions (initiative, why, by): called in the act that reopens an initiative, to end what would be valid again.
    reopeners: list[Callable] = field(default_factory=list)
    # Functions (initiative) -> sentences on what a stop or a retirement leaves open.
    left_open: list[Callable] = field(default_factory=list)
    # What the nouns of the integration register say, in the order in which it is told, and what apps above have found
    # out against requirements: `finding_rules.Says`.
    register_says: list[Callable] = field(default_factory=list)
    more_says: list[Callable] = field(default_factory=list)
    # What follows from rows whose deciding value came from outside the team: `finding_rules.Measures`.
    measures: list[Callable] = field(default_factory=list)
    # By requirement, what stands against every initiative for which no current finding has a source that begins like
    # this: what has to be brought about, and would take a row in every initiative that never heard of it.
    unless: dict[str, tuple] = field(default_factory=dict)
    # By what a finding against an initiative is about, functions (initiative, what the person may on it, source) ->
    # list of (address, words): where it is fixed by whoever looks.
    fixes: dict[str, Callable] = field(default_factory=dict)
    # By requirement, functions (initiative, key of the requirement, evidence that ends or None) -> address and words of
    # the page that renews what measures show, role and key of the person who does it, as `Renewal` takes them.
    renewals: dict[str, Callable] = field(default_factory=dict)
    # By what a noun says, functions (initiatives) that bring its rows up to date before it is asked.
    resolved_first: dict[Callable, Callable] = field(default_factory=dict)
    # Functions () -> query set of rows about which time alone changes what is said.
    changing: list[Callable] = field(default_factory=list)


# All installed contributions. Those to `governance` are in `contributed` there.
contributed = Contribution()


def install(*modules: str) -> None:
    """Install the `CONTRIBUTION` of each module, here and in `governance`. Models must be loaded."""
    contributions.install(*modules, into=(contributions.contributed, contributed))


def where_decided(keys) -> dict[int, tuple[str, str]]:
    """Return by key of a review the place where it ended (words, address), if known."""
    found: dict[int, tuple[str, str]] = {}
    for ask in contributed.decided_where:
        found |= ask(keys)
    return found


def parts_shown(shows: list[Callable], person, about) -> list[Part]:
    """Return the parts that these functions show a person, beside the page's subject."""
    return [part for show in shows if (part := show(person, about)) is not None]
