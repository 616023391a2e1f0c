"""Cases like the one somebody is about to register: probably the same undertaking, or similar; shown as stubs."""

from dataclasses import dataclass, replace

from django.db.models import Exists, OuterRef, Prefetch

from governance import prepared
from governance.templatetags.plumbline import stage_word
from initiatives import likeness
from initiatives.likeness import IN_PROBLEM, NEAR, Likeness, Undertaking
from initiatives.models import Initiative, Obligation, RoleAssignment

SHOWN = 5
READ = 60  # cases compared word by word: those that share most, weighed by how rare it is
WORDS = 24  # of a title, and of a problem
SHORTEST = 2
OFTEN = 1_000  # cases with a word of the title beyond which it tells nothing
OFTEN_IN_PROBLEMS = 300
PROBLEM = 4_000  # letters of it
LETTERS = 60  # of a word; a longer one is none

# For each word that is asked for the cases that have it, by the two indexes; a word of the title counts most where it
# stands in a title, and each the more, the rarer it is (`likeness.rarity`). `of` tells apart what is asked at once.
# Cases that share most come back with what is known of them.
FOUND = f"""
WITH asked AS MATERIALIZED (
    SELECT a.of, a.word, a.titled, to_tsquery('english', a.query) AS query
      FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::boolean[]) AS a(of, word, query, titled)),
anywhere AS MATERIALIZED (
    SELECT a.of, a.word, c.id FROM asked a CROSS JOIN LATERAL (
        SELECT id FROM initiatives_initiative
         WHERE to_tsvector('english'::regconfig, COALESCE(title, '') || ' ' || COALESCE(problem, '')) @@ a.query
         LIMIT CASE WHEN a.titled THEN {OFTEN} ELSE {OFTEN_IN_PROBLEMS} END) c),
in_titles AS MATERIALIZED (
    SELECT a.of, a.word, c.id FROM asked a CROSS JOIN LATERAL (
        SELECT id FROM initiatives_initiative
         WHERE to_tsvector('english'::regconfig, COALESCE(title, '')) @@ a.query LIMIT {OFTEN}) c
     WHERE a.titled
     UNION ALL
    SELECT a.of, a.word, c.id
      FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS a(of, word, pattern)
      JOIN initiatives_initiative c ON c.title ~* a.pattern),
cases AS (SELECT greatest(count(*), 1)::float AS number FROM initiatives_initiative),
rare AS MATERIALIZED (
    SELECT of, word, ln(1 + number / count(*)) / ln(1 + number) AS rarity
      FROM (SELECT of, word, id FROM anywhere UNION SELECT of, word, id FROM in_titles) h, cases
     GROUP BY of, word, number),
near AS (
    SELECT h.of, h.id, sum(h.weight * r.rarity) AS near
      FROM (SELECT of, word, id, {IN_PROBLEM} AS weight FROM anywhere
             UNION ALL SELECT of, word, id, {1 - IN_PROBLEM} FROM in_titles) h
      JOIN rare r ON r.of = h.of AND r.word = h.word
     GROUP BY h.of, h.id),
best AS (
    SELECT n.of, n.id, row_number() OVER (PARTITION BY n.of ORDER BY n.near DESC, c.number) AS place
      FROM near n JOIN initiatives_initiative c ON c.id = n.id
     WHERE c.withdrawn_at IS NULL AND NOT c.confidential AND n.id <> n.of)
SELECT b.of, c.id, c.number, c.title, c.problem, c.platform, c.unit_id,
       ARRAY(SELECT DISTINCT vendor FROM initiatives_component p WHERE p.initiative_id = c.id AND p.vendor <> ''
              ORDER BY vendor),
       CASE WHEN b.place = 1 THEN (SELECT json_object_agg(r.word, r.rarity) FROM rare r WHERE r.of = b.of) END
  FROM best b JOIN initiatives_initiative c ON c.id = b.id
 WHERE b.place <= {READ} ORDER BY b.of, b.place
"""


@dataclass(frozen=True)
class Stub:
    """What everybody signed in sees of a case that is not confidential: ref, title, unit, stage, whom to ask.

    `same`: probably the same undertaking; `why` it is thought to be near; `owes`: its owner, who is the owner of the
    new case, too, still owes its post-mortem.
    """

    ref: str
    title: str
    unit: str
    stage: str
    ask: str
    link: str = ""
    same: bool = False
    why: str = ""
    owes: bool = False


def similar(
    title: str, problem: str, person, visible, *, unit: int | None = None, owner: int | None = None
) -> list[Stub]:
    """The nearest cases by words of title and problem, best first; none while too little is written.

    `visible`: the cases the person may open; others are named, not linked. `unit` and `owner` of the new case, where
    they are chosen: keys.
    """
    asked = Undertaking(title[:200], problem[:PROBLEM], unit=unit)
    near = nearest({0: asked}, typing=True)[0][:SHOWN]
    stubs = _stubs([key for key, _ in near], visible, owner)
    return [_with_likeness(stubs[key], like) for key, like in near]


def similar_to_each(cases: list[Initiative], visible) -> dict[int, list[Stub]]:
    """For each of these cases, by key, the cases nearest to it, best first; asked for all of them at once."""
    asked = {
        case.pk: Undertaking(case.title, case.problem[:PROBLEM], _vendors(case.platform), case.unit_id)
        for case in cases
    }
    near = {of: found[:SHOWN] for of, found in nearest(asked, typing=False).items()}
    stubs = _stubs(list(dict.fromkeys(key for found in near.values() for key, _ in found)), visible, None)
    return {of: [_with_likeness(stubs[key], like) for key, like in found] for of, found in near.items()}


def nearest(asked: dict[int, Undertaking], *, typing: bool) -> dict[int, list[tuple[int, Likeness]]]:
    """For each that is asked for, by its key: the keys of all cases near to it, best first, and how alike they are."""
    queries = [(of, *query) for of, one in asked.items() for query in _queries(one, typing)]
    full = [(of, *pattern) for of, one in asked.items() for pattern in _patterns(one)]
    read: dict[int, list[tuple[int, int, Undertaking]]] = {of: [] for of in asked}
    rarity: dict[int, dict[str, float]] = {of: {} for of in asked}
    if queries or full:
        columns = [list(column) for column in zip(*queries, strict=True)] or [[], [], [], []]
        patterns = [list(column) for column in zip(*full, strict=True)] or [[], [], []]
        with prepared.cursor() as cursor:
            cursor.execute(FOUND, [*columns, *patterns])
            rows = cursor.fetchall()
        for of, key, number, title, problem, platform, unit, vendors, rare in rows:
            other = Undertaking(title, problem[:PROBLEM], (*vendors, *_vendors(platform)), unit)
            read[of].append((key, number, other))
            if rare:
                rarity[of] = _by_stem(rare)
    return {of: _best(one, read[of], rarity[of], typing) for of, one in asked.items()}


def _best(
    asked: Undertaking, read: list[tuple[int, int, Undertaking]], rarity: dict[str, float], typing: bool
) -> list[tuple[int, Likeness]]:
    found = [
        (key, number, likeness.compare(asked, other, rarity, typing=typing)) for key, number, other in read
    ]
    near = [one for one in found if one[2].same or one[2].near >= NEAR]
    near.sort(key=lambda one: (not one[2].same, -one[2].alike if one[2].same else 0, -one[2].near, one[1]))
    return [(key, like) for key, _, like in near]


def _by_stem(rare: dict[str, float]) -> dict[str, float]:
    """How rare each stem is: as common as the commonest form that was asked for."""
    found: dict[str, float] = {}
    for word, rarity in rare.items():
        one = likeness.stem(word)
        found[one] = min(rarity, found.get(one, 1.0))
    return found


def _queries(asked: Undertaking, typing: bool) -> list[tuple[str, str, bool]]:
    """Words to look for, each with what the database is asked and whether it is one of the title.

    Words that stand for the title's own words by their initials, and all words of the title together, too, so that a
    title of common words is found; while somebody types, the last one may go on.
    """
    title = _words(asked.title)
    found = {word: word for word in title}
    if typing and title and len(title[-1]) > SHORTEST:
        found[title[-1]] = f"{title[-1]}:*"
    queries = [(word, query, True) for word, query in found.items()]
    if len(title) > 1:
        queries.append((" ".join(title), " & ".join(found.values()), True))
    short = [one for one in likeness.initials(likeness.words(asked.title)) if one not in found]
    queries += [(one, one, True) for one in short[:WORDS]]
    return queries + [(word, word, False) for word in _words(asked.problem) if word not in found]


def _patterns(asked: Undertaking) -> list[tuple[str, str]]:
    """Initials in the title, each with how a title says them in full."""
    small = "|".join(sorted(likeness.SMALL))
    between = rf"\w*\W+(?:(?:{small})\W+)?"
    said = [
        word for word in likeness.words(asked.title) if likeness.stands_for_words(word) and word.isascii()
    ]
    return [(word.lower(), r"\m" + between.join(word.lower())) for word in said[:SHOWN]]


def _words(text: str) -> list[str]:
    """The first words of a text to look for, each once."""
    found = (word.lower() for word in likeness.telling(likeness.words(text)))
    return list(dict.fromkeys(word for word in found if SHORTEST <= len(word) <= LETTERS))[:WORDS]


def _vendors(platform: str) -> tuple[str, ...]:
    return (platform,) if platform else ()


def _stubs(keys: list[int], visible, owner: int | None) -> dict[int, Stub]:
    """The stubs of these cases, by key."""
    if not keys:
        return {}
    owners = RoleAssignment.objects.in_force().filter(role="owner").select_related("person")
    owed = Obligation.objects.unsettled().filter(kind="post_mortem", debtor=owner, initiative=OuterRef("pk"))
    rows = (
        Initiative.objects.filter(pk__in=keys)
        .annotate(may_open=Exists(visible.filter(pk=OuterRef("pk"))), owes=Exists(owed))
        .select_related("unit", "registered_by")
        .prefetch_related(Prefetch("roles", queryset=owners, to_attr="owner_rows"))
    )
    return {case.pk: _stub(case, case.may_open, owner is not None and case.owes) for case in rows}


def _stub(case: Initiative, linked: bool, owes: bool) -> Stub:
    if case.owner_rows:
        ask = case.owner_rows[0].person.full_name
    elif case.registered_by and case.registered_by.is_active:
        ask = case.registered_by.full_name
    else:
        ask = ""
    return Stub(
        case.ref,
        case.title,
        case.unit.name,
        stage_word(case.stage),
        ask,
        case.get_absolute_url() if linked else "",
        owes=owes,
    )


def _with_likeness(stub: Stub, like: Likeness) -> Stub:
    return replace(stub, same=like.same, why="; ".join(like.why))
