"""Cases with words like those of one that somebody is about to register; shown as stubs, and nothing is claimed.

The database's full text finds those that share most words, weighed by how few cases have each; rapidfuzz orders them by
title and problem; a service of the company's own, where one is set, orders the first of them by meaning.
"""

from dataclasses import dataclass

from django.conf import settings
from django.db.models import Exists, OuterRef, Prefetch, Value
from rapidfuzz import fuzz

from governance.database import prepared_statements
from governance.database.embeddings import SENT, by_meaning
from governance.database.text_search import SHORTEST, split
from governance.templatetags.plumbline import stage_word
from governance.vocabulary import Role
from initiatives.models import Initiative, Obligation, RoleAssignment

SHOWN = 5
READ = 60  # cases compared: those that share most words
IN_WORDS = 2  # in common with a case that has no word of the title
WORDS = 24  # looked for, of a title and of a problem
TITLE, PROBLEM = 200, 1_000  # letters
OFTEN = 1_000  # cases with a word that are looked at; beyond that it tells nothing
NAMED = 4  # words told as shared

# For each word that is asked for the cases that have it, by the two indexes: one in a title counts twice. `of` tells
# apart what is asked at once. What was asked and what was found come back as stems.
_MATTER = "to_tsvector('english'::regconfig, COALESCE(title, '') || ' ' || COALESCE(problem, ''))"
_TITLE = "to_tsvector('english'::regconfig, COALESCE(title, ''))"
_HAVING = "SELECT a.of, a.word, c.id FROM asked a CROSS JOIN LATERAL (SELECT id FROM initiatives_initiative"
_STEMS = "array_to_string(tsvector_to_array(to_tsvector('english'::regconfig, {})), ' ')"
_IN_STEMS = f"{_STEMS.format('title')} AS title, {_STEMS.format(f'left(problem, {PROBLEM})')} AS problem"
FOUND = f"""
WITH said AS MATERIALIZED (
    SELECT of, {_IN_STEMS} FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS s (of, title, problem)),
asked AS MATERIALIZED (
    SELECT a.of, a.word, to_tsquery('english', a.query) AS query
      FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS a (of, word, query)),
met AS MATERIALIZED (
    {_HAVING} WHERE {_MATTER} @@ a.query LIMIT {OFTEN}) c
    UNION ALL {_HAVING} WHERE {_TITLE} @@ a.query LIMIT {OFTEN}) c),
rare AS (
    SELECT of, word, ln(1 + (SELECT count(*) FROM initiatives_initiative) / count(DISTINCT id)::float) AS rarity
      FROM met GROUP BY of, word),
near AS (
    SELECT of, id, array_agg(word ORDER BY rarity DESC, word) AS words, sum(rarity) AS near
      FROM met JOIN rare USING (of, word) GROUP BY of, id),
best AS (
    SELECT n.*, row_number() OVER (PARTITION BY of ORDER BY near DESC, id) AS place
      FROM near n JOIN initiatives_initiative c USING (id)
     WHERE c.withdrawn_at IS NULL AND NOT c.confidential AND id <> of)
SELECT of, b.id, b.words, s.title, s.problem, c.title, c.problem
  FROM best b JOIN said s USING (of)
 CROSS JOIN LATERAL (SELECT {_IN_STEMS} FROM initiatives_initiative WHERE id = b.id) c
 WHERE b.place <= {READ} ORDER BY of, b.place
"""


@dataclass(frozen=True)
class Stub:
    """What everybody signed in sees of a case that is not confidential: ref, title, unit, stage, whom to ask.

    `words`: what it has in common with what was written; `owes`: its owner, who is the owner of the new case, too,
    still owes its post-mortem.
    """

    ref: str
    title: str
    unit: str
    stage: str
    ask: str
    link: str = ""
    words: str = ""
    owes: bool = False


@dataclass(frozen=True)
class Similar:
    """The stubs of cases with similar words, the nearest first; `by_meaning`: in the order of the company's service."""

    stubs: list[Stub]
    by_meaning: bool = False


def similar(title: str, problem: str, visible, *, owner: int | None = None) -> Similar:
    """The cases with words most like these; none while too little is written.

    `visible`: the cases the person may open; others are named, not linked. `owner` of the new case, where one is
    chosen: a key.
    """
    near = nearest({0: (title, problem)}, typing=True)[0][: SENT if settings.EMBEDDINGS_URL else SHOWN]
    cases = _cases([key for key, _ in near], visible, owner)
    told = [f"{case.title}. {case.problem}" if case.may_open else case.title for case in cases]
    order = by_meaning(f"{title}. {problem}", told)
    shown = list(range(len(near)) if order is None else order)[:SHOWN]
    return Similar([_stub(cases[place], near[place][1]) for place in shown], by_meaning=order is not None)


def similar_to_each(cases: list[Initiative], visible) -> dict[int, list[Stub]]:
    """For each of these cases, by key, the cases with words most like its own; asked for all of them at once."""
    found = nearest({case.pk: (case.title, case.problem) for case in cases})
    near = {of: some[:SHOWN] for of, some in found.items()}
    keys = list(dict.fromkeys(key for some in near.values() for key, _ in some))
    told = {case.pk: case for case in _cases(keys, visible, None)}
    return {of: [_stub(told[key], words) for key, words in some] for of, some in near.items()}


def nearest(asked: dict[int, tuple[str, str]], *, typing: bool = False) -> dict[int, list[tuple[int, str]]]:
    """For each title and problem, by key: the keys of the cases with words most like theirs, and some of the words.

    While somebody is `typing`, the last word of the title may go on. A case is never like itself.
    """
    asked = {of: (title[:TITLE], problem[:PROBLEM]) for of, (title, problem) in asked.items()}
    queries = [(of, *query) for of, said in asked.items() for query in _queries(*said, typing)]
    found: dict[int, list[tuple[int, str]]] = {of: [] for of in asked}
    if not queries:
        return found
    said = [(of, *one) for of, one in asked.items()]
    columns = [list(column) for column in (*zip(*said, strict=True), *zip(*queries, strict=True))]
    with prepared_statements.cursor() as cursor:
        cursor.execute(FOUND, columns)
        rows = cursor.fetchall()
    titled = {of: set(_words(title)) for of, (title, _) in asked.items()}
    rows.sort(
        key=lambda row: -_alike(*row[3:])
    )  # of those equally alike, the one with more rare words stays first
    for of, key, words, *_ in rows:
        in_common = list(dict.fromkeys(words))
        if len(in_common) >= IN_WORDS or titled[of] & set(in_common):
            found[of].append((key, ", ".join(in_common[:NAMED])))
    return found


def _alike(title: str, problem: str, other_title: str, other_problem: str) -> float:
    """How alike two cases are in stems, from 0 to 100: their titles and all that is said, each for half."""
    whole = fuzz.token_set_ratio(f"{title} {problem}", f"{other_title} {other_problem}")
    return (fuzz.token_set_ratio(title, other_title) + whole) / 2


def _queries(title: str, problem: str, typing: bool) -> list[tuple[str, str]]:
    """The words to look for, each with what the database is asked."""
    titled = _words(title)
    found = {word: word for word in (*_words(problem), *titled)}
    if typing and titled and len(titled[-1]) > SHORTEST:
        found[titled[-1]] = f"{titled[-1]}:*"
    return list(found.items())


def _words(text: str) -> list[str]:
    """The first words of a text to look for, each once."""
    return list(dict.fromkeys(word for word in split(text) if len(word) >= SHORTEST))[:WORDS]


def _cases(keys: list[int], visible, owner: int | None) -> list[Initiative]:
    """These cases in this order, each with whether it may be opened and what their owner owes."""
    if not keys:
        return []
    owners = RoleAssignment.objects.in_force().filter(role=Role.OWNER).select_related("person")
    owed = Obligation.objects.unsettled().filter(kind="post_mortem", debtor=owner, initiative=OuterRef("pk"))
    rows = (
        Initiative.objects.filter(pk__in=keys)
        .annotate(
            may_open=Exists(visible.filter(pk=OuterRef("pk"))),
            owes=Exists(owed) if owner is not None else Value(False),
        )
        .select_related("unit", "registered_by")
        .prefetch_related(Prefetch("roles", queryset=owners, to_attr="owner_rows"))
    )
    found = {case.pk: case for case in rows}
    return [found[key] for key in keys]


def _stub(case: Initiative, words: str) -> Stub:
    if case.owner_rows:
        ask = case.owner_rows[0].person.full_name
    elif case.registered_by and case.registered_by.is_active:
        ask = case.registered_by.full_name
    else:
        ask = ""
    link = case.get_absolute_url() if case.may_open else ""
    return Stub(case.ref, case.title, case.unit.name, stage_word(case.stage), ask, link, words, case.owes)
