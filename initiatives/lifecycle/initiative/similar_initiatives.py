"""Initiatives similar in words to one about to be registered, as stubs.

The full text search of the database finds initiatives that share most words of title and problem, or have them in
names of linked systems and vendors. Rare words weigh more. Then rapidfuzz orders them by all of these. A service of
the company, if one is set, orders the first of them by meaning. Initiatives of this organisation come first, and
those of external inventories need more words in common. Short words, numbers and words of every work do not count.
Confidential initiatives are left out of results and weights.
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
from governance.models.people import IMPORTED
from governance.vocabulary import Stage
from initiatives.lifecycle.initiative.stubs import Stub, stub_of, to_tell
from initiatives.models import Initiative, NotSimilar, Obligation

SHOWN = 3
READ = 60  # initiatives compared: those that share most words
IN_WORDS = 2  # in common with an own initiative that has no word of the title
IN_WORDS_OF_OTHERS, ALIKE_OF_OTHERS = (
    3,
    50,
)  # in common with one of an external inventory, and how alike it is
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
# Said of every work: that something is done, by somebody, with such a tool.
GENERIC = re.compile(
    r"would|could|should|might|must|shall|will|can|may|every(?:body|one)?|some(?:body|one|thing)?|no(?:body|thing)"
    r"|(?:tak|mak|us|giv|hav|com|provid|improv|enabl|creat|manag|handl|reduc|sav|writ|automat)(?:e[sdn]?|ing)"
    r"|took|taken|made|used|gives?|gave|has|had|went|goes|going|done|does|doing|got|gets?|getting|puts?|putting"
    r"|(?:need|want|help|work|support|allow|keep|try|let|look|show|think|know|go|do|see|say|start|add)(?:s|ed|ing)?"
    r"|assistants?|bots?|ai|tools?|systems?|models?|solutions?|projects?|initiatives?|pilots?|apps?|applications?"
    r"|software|users?|teams?|employees?|staff|colleagues?|company|companies|organi[sz]ations?"
)

# For each word that is asked for the initiatives that have it, by the index. `of` tells apart what is asked at
# once. What was asked and what was found come back as stems; words of names stand as they are
# said.
_MATTER = "to_tsvector('english'::regconfig, COALESCE(title, '') || ' ' || COALESCE(problem, ''))"
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
    SELECT n.*, own, row_number() OVER (PARTITION BY of ORDER BY own DESC, near DESC, n.id) AS place
      FROM near n
      JOIN (SELECT i.id, u.path NOT LIKE '/{IMPORTED}/%%' AS own
              FROM initiatives_initiative i JOIN governance_unit u ON u.id = i.unit_id) i ON i.id = n.id
     WHERE n.id <> of AND NOT EXISTS (
        SELECT FROM initiatives_notsimilar p
         WHERE p.initiative_id = n.of AND p.other_id = n.id OR p.initiative_id = n.id AND p.other_id = n.of))
SELECT of, b.id, b.words, b.own, s.title, s.problem || ' ' || s.names, c.title, c.problem || ' ' || c.names
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
    """The stubs of similar initiatives, nearest first. `by_meaning` is True if the company's service ordered them."""

    stubs: list[Stub]
    by_meaning: bool = False


def similar(title: str, problem: str, visible, *, owner: int | None = None) -> Similar:
    """Return the initiatives with the most similar words. Empty while the text is too short.

    `visible` has the initiatives that the person may open. Others are named without a link. `owner` is the key of the
    owner of the new initiative, if one is chosen.
    """
    near = nearest({0: (title, problem)}, typing=True)[0][: SENT if settings.EMBEDDINGS_URL else SHOWN]
    initiatives = _initiatives([key for key, _ in near], visible, owner)
    told = [
        f"{initiative.title}. {initiative.problem}" if initiative.may_open else initiative.title
        for initiative in initiatives
    ]
    order = by_meaning(f"{title}. {problem}", told)
    ordered = sorted(
        range(len(near)) if order is None else order, key=lambda at: initiatives[at].unit.imported
    )
    shown = ordered[:SHOWN]
    return Similar(
        [stub_of(initiatives[place], near[place][1]) for place in shown], by_meaning=order is not None
    )


def stopped_twins(initiative: Initiative, visible) -> list[Stub]:
    """Return the most similar stopped initiatives whose post-mortem is still due, of any owner."""
    near = nearest({initiative.pk: (initiative.title, initiative.problem)})[initiative.pk]
    unwritten = set(
        Obligation.objects.open()
        .filter(kind="post_mortem", initiative__stage=Stage.STOPPED, initiative__in=[key for key, _ in near])
        .values_list("initiative", flat=True)
    )
    told = [(key, words) for key, words in near if key in unwritten][:SHOWN]
    rows = _initiatives([key for key, _ in told], visible, None)
    return [stub_of(row, words) for row, (_, words) in zip(rows, told, strict=True)]


def similar_to_each(initiatives: list[Initiative], visible) -> dict[int, list[Stub]]:
    """Return by key the initiatives most similar to each of these, together."""
    found = nearest({initiative.pk: (initiative.title, initiative.problem) for initiative in initiatives})
    near = {of: some[:SHOWN] for of, some in found.items()}
    keys = list(dict.fromkeys(key for some in near.values() for key, _ in some))
    told = {initiative.pk: initiative for initiative in _initiatives(keys, visible, None)}
    return {of: [stub_of(told[key], words) for key, words in some] for of, some in near.items()}


def said_not_similar(initiatives: list[Initiative]) -> dict[int, list[tuple[Initiative, User]]]:
    """Return by key the initiatives marked as not similar, and by which person.

    Initiatives that not everyone may see are left out.
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
    """Return by key the initiatives with the most similar words, own ones first.

    Each comes with some of the words. While the person is `typing`, the last word of the title counts as a prefix. An
    initiative is never similar to itself.
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
    alike = {row[:2]: _alike(*map(_telling, row[4:])) for row in rows}
    # Of those equally alike, the one with more rare words stays first.
    rows.sort(key=lambda row: (not row[3], -alike[row[:2]]))
    for of, key, words, own, *_ in rows:
        in_common = list(dict.fromkeys(words))
        if own:
            enough = len(in_common) >= IN_WORDS or titled[of] & set(in_common)
        else:
            enough = len(in_common) >= IN_WORDS_OF_OTHERS and alike[of, key] >= ALIKE_OF_OTHERS
        if enough:
            found[of].append((key, ", ".join(in_common[:NAMED])))
    return found


def _names(keys: list[int]) -> dict[int, str]:
    """Return by key an initiative's linked systems and vendors, by name."""
    if not keys:
        return {}
    with prepared_statements.cursor() as cursor:
        cursor.execute(NAMES_OF, [keys])
        return dict(cursor.fetchall())


def _telling(stems: str) -> str:
    """Return the stems without numbers."""
    return " ".join(stem for stem in stems.split() if LETTER.search(stem))


def _alike(title: str, said: str, other_title: str, other_said: str) -> float:
    """Return the similarity of two initiatives in stems, from 0 to 100. The problem has twice the weight."""
    whole = fuzz.token_set_ratio(said or title, f"{other_title} {other_said}")
    return (fuzz.token_set_ratio(title, other_title) + 2 * whole) / 3


def _queries(title: str, problem: str, names: str, typing: bool) -> list[tuple[str, str, int]]:
    """Return the search words, each with its database query and its rank. Words of the title come first."""
    titled = _words(title)
    found = {word: word for word in (*titled, *_words(names), *_words(problem))}
    if typing and titled and len(titled[-1]) > SHORTEST:
        found[titled[-1]] = f"{titled[-1]}:*"
    return [(word, query, place) for place, (word, query) in enumerate(found.items())]


def _words(text: str) -> list[str]:
    """Return the first search words of a text, each once, without counts. The database drops short words."""
    words = (
        word
        for word in split(text)
        if len(word) >= SHORTEST
        and LETTER.search(word)
        and not COUNTING.fullmatch(word.lower())
        and not GENERIC.fullmatch(word.lower())
    )
    return list(dict.fromkeys(words))[:SPLIT]


def _initiatives(keys: list[int], visible, owner: int | None) -> list[Initiative]:
    """Return these initiatives in this order, as `stub_of` reads them. `owner` decides on `must_write`."""
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
