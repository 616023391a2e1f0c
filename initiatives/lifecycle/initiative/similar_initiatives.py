"""Initiatives with words like those of one that somebody is about to register; shown as stubs, and nothing is claimed.

The database's full text finds those that share most words of title and problem, or have them in the names of linked
systems and vendors, weighed by how few initiatives have each; rapidfuzz orders them by all of these; a service of the
company's own, where one is set, orders the first of them by meaning. Little words and numbers tell nothing. Initiatives
that are confidential are not there at all: they count in no weight and take no place.
"""

import re
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, Value
from rapidfuzz import fuzz

from governance.database import prepared_statements
from governance.database.embeddings import SENT, by_meaning
from governance.database.text_search import SHORTEST, split
from governance.models import User
from initiatives.lifecycle.initiative.stubs import Stub, stub_of, to_tell
from initiatives.models import Initiative, NotSimilar, Obligation

SHOWN = 3
READ = 60  # initiatives compared: those that share most words
IN_WORDS = 2  # in common with an initiative that has no word of the title
WORDS = 48  # looked for, of all that is said
SPLIT = 200  # words of a text among which these are
TITLE, PROBLEM = 200, 1_000  # letters
OFTEN = 1_000  # initiatives with a word that are looked at; beyond that it tells nothing
NAMED = 4  # words told as shared
LETTER = re.compile(r"[^\W\d_]")  # a number has none
# Said of every work: how many, how often, by whom.
COUNTING = re.compile(
    r"one|two|three|four|five|six|seven|eight|nine|ten|twenty|thirty|forty|fifty|hundred|thousand|half|once|twice|each"
    r"|minutes?|hours?|days?|daily|weeks?|weekly|months?|monthly|years?|yearly|people|person"
)

# For each word that is asked for the initiatives that have it, by the indexes: one in a title counts twice. `of` tells
# apart what is asked at once. What was asked and what was found come back as stems; words of names stand as they are
# said.
_MATTER = "to_tsvector('english'::regconfig, COALESCE(title, '') || ' ' || COALESCE(problem, ''))"
_TITLE = "to_tsvector('english'::regconfig, COALESCE(title, ''))"
_TOLD = "NOT confidential AND withdrawn_at IS NULL"
_HAVING = "SELECT a.of, a.word, c.id FROM asked a CROSS JOIN LATERAL (SELECT id FROM initiatives_initiative"
_STEMS = "array_to_string(tsvector_to_array(to_tsvector('english'::regconfig, {})), ' ')"
_IN_STEMS = (
    f"{_STEMS.format('title')} AS title, {_STEMS.format(f'left(problem, {PROBLEM})')} AS problem,"
    f" {_STEMS.format('names')} AS names"
)
_LINKED = "JOIN initiatives_link l ON l.system_id = s.id AND l.ended_at IS NULL"
# The initiatives whose linked systems, or whose vendors, have the word `a.name` in their names.
_BY_NAME = f"""
    SELECT l.initiative_id AS id FROM initiatives_system s {_LINKED}
     WHERE plumbline_words(s.name || ' ' || s.location) @@ a.name AND plumbline_words(s.name) @@ a.name
    UNION SELECT l.initiative_id FROM vendors v JOIN initiatives_system s ON s.vendor_id = v.id {_LINKED}
     WHERE v.words @@ a.name
    UNION SELECT l.initiative_id FROM vendors v
      JOIN initiatives_transfer h ON h.vendor_id = v.id AND h.ended_at IS NULL
      JOIN initiatives_link l ON l.id = h.link_id AND l.ended_at IS NULL WHERE v.words @@ a.name
    UNION SELECT d.initiative_id FROM vendors v JOIN initiatives_componentversion k ON k.vendor_id = v.id
      JOIN initiatives_deployment d ON d.version_id = k.id WHERE v.words @@ a.name"""
# By initiative, the names of its linked systems and of its vendors.
NAMES = f"""
    SELECT l.initiative_id AS id, s.name FROM initiatives_system s {_LINKED}
    UNION SELECT l.initiative_id, v.name FROM initiatives_vendor v
      JOIN initiatives_system s ON s.vendor_id = v.id {_LINKED}
    UNION SELECT l.initiative_id, v.name FROM initiatives_vendor v
      JOIN initiatives_transfer h ON h.vendor_id = v.id AND h.ended_at IS NULL
      JOIN initiatives_link l ON l.id = h.link_id AND l.ended_at IS NULL
    UNION SELECT d.initiative_id, v.name FROM initiatives_vendor v
      JOIN initiatives_componentversion k ON k.vendor_id = v.id
      JOIN initiatives_deployment d ON d.version_id = k.id"""
FOUND = f"""
WITH said AS MATERIALIZED (
    SELECT of, {_IN_STEMS}
      FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[]) AS s (of, title, problem, names)),
asked AS MATERIALIZED (
    SELECT of, word, query, name FROM (
        SELECT q.*, row_number() OVER (PARTITION BY of ORDER BY place) AS place_of FROM (
            SELECT a.of, a.word, a.place, to_tsquery('english', a.query) AS query,
                   (SELECT string_agg(quote_literal(part), ' & ')::tsquery
                      FROM unnest(plumbline_split(a.word)) part) AS name
              FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::int[]) AS a (of, word, query, place)) q
         WHERE numnode(query) > 0) telling
     WHERE place_of <= {WORDS}),
vendors AS MATERIALIZED (SELECT id, plumbline_words(name) AS words FROM initiatives_vendor),
met AS MATERIALIZED (
    {_HAVING} WHERE {_MATTER} @@ a.query AND {_TOLD} LIMIT {OFTEN}) c
    UNION ALL {_HAVING} WHERE {_TITLE} @@ a.query AND {_TOLD} LIMIT {OFTEN}) c
    UNION ALL SELECT a.of, a.word, c.id FROM asked a CROSS JOIN LATERAL (
        SELECT id FROM ({_BY_NAME}) n JOIN initiatives_initiative USING (id) WHERE {_TOLD} LIMIT {OFTEN}) c),
rare AS (
    SELECT of, word,
           ln(1 + (SELECT count(*) FROM initiatives_initiative WHERE {_TOLD}) / count(DISTINCT id)::float) AS rarity
      FROM met GROUP BY of, word),
near AS (
    SELECT of, id, array_agg(word ORDER BY rarity DESC, word) AS words, sum(rarity) AS near
      FROM met JOIN rare USING (of, word) GROUP BY of, id),
best AS (
    SELECT n.*, row_number() OVER (PARTITION BY of ORDER BY near DESC, id) AS place
      FROM near n
     WHERE id <> of AND NOT EXISTS (
        SELECT FROM initiatives_notsimilar p
         WHERE p.initiative_id = n.of AND p.other_id = n.id OR p.initiative_id = n.id AND p.other_id = n.of))
SELECT of, b.id, b.words, s.title, s.problem || ' ' || s.names, c.title, c.problem || ' ' || c.names
  FROM best b JOIN said s USING (of)
 CROSS JOIN LATERAL (
    SELECT {_IN_STEMS} FROM initiatives_initiative i
     CROSS JOIN LATERAL (SELECT coalesce(string_agg(name, ' '), '') AS names FROM ({NAMES}) n WHERE n.id = i.id) n
     WHERE i.id = b.id) c
 WHERE b.place <= {READ} ORDER BY of, b.place
"""
NAMES_OF = f"SELECT id, string_agg(name, ' ') FROM ({NAMES}) n WHERE id = ANY(%s) GROUP BY id"


@dataclass(frozen=True)
class Similar:
    """The stubs of initiatives with similar words, the nearest first; `by_meaning`: in the order of the company's
    service.
    """

    stubs: list[Stub]
    by_meaning: bool = False


def similar(title: str, problem: str, visible, *, owner: int | None = None) -> Similar:
    """The initiatives with words most like these; none while too little is written.

    `visible`: the initiatives the person may open; others are named, not linked. `owner` of the new initiative, where
    one is chosen: a key.
    """
    near = nearest({0: (title, problem)}, typing=True)[0][: SENT if settings.EMBEDDINGS_URL else SHOWN]
    initiatives = _initiatives([key for key, _ in near], visible, owner)
    told = [
        f"{initiative.title}. {initiative.problem}" if initiative.may_open else initiative.title
        for initiative in initiatives
    ]
    order = by_meaning(f"{title}. {problem}", told)
    shown = list(range(len(near)) if order is None else order)[:SHOWN]
    return Similar(
        [stub_of(initiatives[place], near[place][1]) for place in shown], by_meaning=order is not None
    )


def similar_to_each(initiatives: list[Initiative], visible) -> dict[int, list[Stub]]:
    """For each of these initiatives, by key, the initiatives with words most like its own; asked for all of them at
    once.
    """
    found = nearest({initiative.pk: (initiative.title, initiative.problem) for initiative in initiatives})
    near = {of: some[:SHOWN] for of, some in found.items()}
    keys = list(dict.fromkeys(key for some in near.values() for key, _ in some))
    told = {initiative.pk: initiative for initiative in _initiatives(keys, visible, None)}
    return {of: [stub_of(told[key], words) for key, words in some] for of, some in near.items()}


def said_not_similar(initiatives: list[Initiative]) -> dict[int, list[tuple[Initiative, User]]]:
    """For each of these initiatives, by key: the initiatives that are not similar to it, and who said so.

    Initiatives of which not everybody hears are left out.
    """
    keys = {initiative.pk for initiative in initiatives}
    found: dict[int, list[tuple[Initiative, User]]] = {key: [] for key in keys}
    rows = NotSimilar.objects.filter(Q(initiative__in=keys) | Q(other__in=keys))
    for row in rows.select_related("initiative", "other", "by").order_by("pk"):
        for one, other in ((row.initiative, row.other), (row.other, row.initiative)):
            if one.pk in keys and other.told:
                found[one.pk].append((other, row.by))
    return found


def nearest(asked: dict[int, tuple[str, str]], *, typing: bool = False) -> dict[int, list[tuple[int, str]]]:
    """For each title and problem, by key: the keys of the initiatives with words most like theirs, and some of the
    words.

    While somebody is `typing`, the last word of the title may go on. An initiative is never like itself.
    """
    names = _names([of for of in asked if of])
    told = {
        of: (title[:TITLE], problem[:PROBLEM], names.get(of, "")) for of, (title, problem) in asked.items()
    }
    queries = [(of, *query) for of, said in told.items() for query in _queries(*said, typing)]
    found: dict[int, list[tuple[int, str]]] = {of: [] for of in told}
    if not queries:
        return found
    said = [(of, *one) for of, one in told.items()]
    columns = [list(column) for column in (*zip(*said, strict=True), *zip(*queries, strict=True))]
    with prepared_statements.cursor() as cursor:
        cursor.execute(FOUND, columns)
        rows = cursor.fetchall()
    titled = {of: set(_words(title)) for of, (title, *_) in told.items()}
    rows.sort(
        key=lambda row: -_alike(*map(_telling, row[3:]))
    )  # of those equally alike, the one with more rare words stays first
    for of, key, words, *_ in rows:
        in_common = list(dict.fromkeys(words))
        if len(in_common) >= IN_WORDS or titled[of] & set(in_common):
            found[of].append((key, ", ".join(in_common[:NAMED])))
    return found


def _names(keys: list[int]) -> dict[int, str]:
    """By key, the names of the systems that an initiative is linked with, and of its vendors."""
    if not keys:
        return {}
    with prepared_statements.cursor() as cursor:
        cursor.execute(NAMES_OF, [keys])
        return dict(cursor.fetchall())


def _telling(stems: str) -> str:
    """The stems without numbers."""
    return " ".join(stem for stem in stems.split() if LETTER.search(stem))


def _alike(title: str, said: str, other_title: str, other_said: str) -> float:
    """How alike two initiatives are in stems, from 0 to 100: their titles and all that is said, each for half."""
    whole = fuzz.token_set_ratio(f"{title} {said}", f"{other_title} {other_said}")
    return (fuzz.token_set_ratio(title, other_title) + whole) / 2


def _queries(title: str, problem: str, names: str, typing: bool) -> list[tuple[str, str, int]]:
    """The words to look for, each with what the database is asked, and its place: those of the title come first."""
    titled = _words(title)
    found = {word: word for word in (*titled, *_words(names), *_words(problem))}
    if typing and titled and len(titled[-1]) > SHORTEST:
        found[titled[-1]] = f"{titled[-1]}:*"
    return [(word, query, place) for place, (word, query) in enumerate(found.items())]


def _words(text: str) -> list[str]:
    """The first words of a text to look for, each once, without counts; the database leaves the little ones out."""
    words = (
        word
        for word in split(text)
        if len(word) >= SHORTEST and LETTER.search(word) and not COUNTING.fullmatch(word.lower())
    )
    return list(dict.fromkeys(words))[:SPLIT]


def _initiatives(keys: list[int], visible, owner: int | None) -> list[Initiative]:
    """These initiatives in this order, each with whether it may be opened and what their owner has to write."""
    if not keys:
        return []
    open_obligations = Obligation.objects.open().filter(
        kind="post_mortem", responsible=owner, initiative=OuterRef("pk")
    )
    rows = Initiative.objects.filter(pk__in=keys).annotate(
        must_write=Exists(open_obligations) if owner is not None else Value(False)
    )
    found = {initiative.pk: initiative for initiative in to_tell(rows, visible)}
    return [found[key] for key in keys]
