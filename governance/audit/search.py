"""Search over the audit log for auditors, and the draw of samples from it.

A search is a few plain words that fit in an address and in a stored sample. A draw is pure: the same entries, seed and
size give the same sample on any machine. METHOD describes in words how to repeat a draw without Plumbline.
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction

from django.db import connection
from django.db.models import Case, Func, QuerySet, TextField, Value, When
from django.db.models.functions import Coalesce

from governance import clock
from governance.audit_log import row_capture
from governance.contributions import contributed
from governance.models import Entry, Rulebook
from governance.privacy import erasure_log
from governance.vocabulary.entry_kinds import EntryKind

METHOD = (
    "The candidates are the entries that the search finds at positions below the bound. Candidates whose "
    "facts have the same gate and seat form a stratum. The rank of a candidate is the SHA-256 hash of the "
    "seed in UTF-8 followed by the 32 bytes of the candidate's digest. In each stratum, the candidates with "
    "the lowest ranks are drawn. The places of the sample are given to the strata one at a time. A stratum "
    "without a place comes first, then the stratum with the most candidates for each place it has. If "
    "strata are equal, the stratum with more candidates comes first, then the order is by name of gate and "
    "seat. The sample is listed by gate, seat and rank."
)
WHAT = {
    "acts": "acts",
    "decisions": "sign-offs and decisions",
    "rows": "changes of rows",
    "all": "everything",
}
# Text is looked for in the bodies themselves, which no index helps: without a first day it goes back this far.
TEXT_DAYS = 366
# Taking something out of the application; the apps above add what they let out by themselves.
READINGS = (EntryKind.EXPORT_TAKEN, EntryKind.AUDIT_LOG_EXPORTED, EntryKind.SUBJECT_ACCESS_REPORT_TAKEN)
TURNED_AWAY = (
    EntryKind.SIGN_IN_FAILED,
    EntryKind.PASSWORD_REFUSED,
    EntryKind.SIGN_IN_REFUSED,
    EntryKind.PASSKEY_REFUSED,
    EntryKind.CODE_REFUSED,
)  # whose password or factor was wrong, at the door or inside, or whose answer of a provider
HAPPENED = {"+": "added", "~": "changed", "-": "removed"}
NOTHING = Value("", output_field=TextField())


# --- Searching -------------------------------------------------------------------------------------------------------


class BodyText(Func):
    """The bytes of a body as text, empty if it was erased."""

    # Bytes have no collation, and without one the database knows no capital of "ö".
    template = "(convert_from(%(expressions)s, 'UTF8') COLLATE \"default\")"
    output_field = TextField()


class Fact(Func):
    """One fact of an act from its body, or None for rows, erased bodies and no fact."""

    template = "(nullif(convert_from(%(expressions)s, 'UTF8'), '')::json #>> ARRAY['facts', '%(fact)s'])"
    output_field = TextField()


@dataclass(frozen=True)
class Search:
    """A search for entries. An empty field filters nothing. `who` is a person's key or "system". Days are local."""

    what: str = "acts"
    kind: str = ""
    who: str = ""
    initiative: str = ""
    table: str = ""
    since: date | None = None
    until: date | None = None
    text: str = ""
    kinds: tuple[str, ...] = ()  # of a page that shows some kinds only

    @property
    def bounded(self) -> "Search":
        """Return the search as it is done. A search for text has a first day."""
        if not self.text or self.since is not None:
            return self
        return replace(self, since=(self.until or clock.today()) - timedelta(days=TEXT_DAYS))

    def entries(self) -> QuerySet:
        """Return the entries it finds, in no order."""
        asked = self.bounded
        found = Entry.objects.all()
        if asked.kinds:
            found = found.filter(kind__in=asked.kinds)
        elif asked.what == "decisions":
            found = found.filter(kind__in=contributed.decisions)
        elif asked.what == "acts":
            found = found.acts()
        elif asked.what == "rows":
            found = found.rows()
        plain = {"kind": asked.kind, "initiative_ref": asked.initiative, "table": asked.table}
        found = found.filter(**{name: value for name, value in plain.items() if value})
        if asked.who == "system":
            found = found.filter(actor_id__isnull=True)
        elif asked.who:
            found = found.filter(actor_id=int(asked.who))
        if asked.since is not None:
            found = found.filter(at__gte=clock.midnight_before(asked.since))
        if asked.until is not None:
            found = found.filter(at__lt=clock.midnight_after(asked.until))
        if asked.text:
            # The body is JSON: what a reader types is looked for as JSON writes it.
            written = json.dumps(asked.text, ensure_ascii=False)[1:-1]
            found = found.alias(said=BodyText("body__body")).filter(said__icontains=written)
        return found

    def stored(self) -> dict:
        """Return the search as plain values, for a sample and its entry in the audit log."""
        asked = {name: value for name, value in asdict(self.bounded).items() if value}
        days = {name: asked[name].isoformat() for name in ("since", "until") if name in asked}
        return asked | days

    @classmethod
    def of_stored(cls, values: dict) -> "Search":
        """Return the search that `stored` wrote."""
        days = {name: date.fromisoformat(values[name]) for name in ("since", "until") if name in values}
        kinds = {"kinds": tuple(values["kinds"])} if "kinds" in values else {}
        return cls(**(values | days | kinds))


def kinds_present() -> list[str]:
    """Return every recorded kind of act by name. The log's length does not matter: each takes one step of the index."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE present AS ((SELECT kind FROM governance_entry ORDER BY kind LIMIT 1) UNION ALL"
            " SELECT (SELECT e.kind FROM governance_entry e WHERE e.kind > present.kind ORDER BY e.kind LIMIT 1)"
            " FROM present WHERE present.kind IS NOT NULL)"
            " SELECT kind FROM present WHERE kind IS NOT NULL AND kind <> 'row'"
        )
        return [kind for (kind,) in cursor.fetchall()]


@dataclass(frozen=True)
class Window:
    """Some entries, newest first, and the keys of the newer and older pages, or None."""

    rows: list
    newer: int | None
    older: int | None


def window(entries: QuerySet, per: int, *, before: int | None = None, after: int | None = None) -> Window:
    """Return at most `per` entries before or after a key. The end of the audit log is as quick as its start."""
    if after is not None:
        rows = list(entries.filter(pk__gt=after).order_by("pk")[: per + 1])
        more, rows = len(rows) > per, rows[:per][::-1]
        return Window(rows, rows[0].pk if more else None, rows[-1].pk if rows else None)
    if before is not None:
        entries = entries.filter(pk__lt=before)
    rows = list(entries.order_by("-pk")[: per + 1])
    more, rows = len(rows) > per, rows[:per]
    newer = rows[0].pk if rows and before is not None else None
    return Window(rows, newer, rows[-1].pk if more else None)


# --- Reading ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Told:
    """An entry for a reader: the actor's name at that time, a sentence and the reason.

    An `erased` entry keeps only its kind. Its reason contains when, by which person and why it was erased.
    """

    entry: Entry
    who: str = ""
    what: str = ""
    reason: str = ""
    title: str = ""
    body: str = ""
    facts: dict = field(default_factory=dict)
    changes: tuple = ()
    erased: bool = False


def tables() -> dict[str, str]:
    """Return the tables whose rows are recorded, each with the word for a row."""
    return {model._meta.db_table: str(model._meta.verbose_name) for model in row_capture.captured_models()}


def tell(entries: list[Entry]) -> list[Told]:
    """Read the bodies of these entries, in the words of the rulebook in force."""
    rulebook = Rulebook.objects.in_force()
    parsed, words, gone = (
        rulebook.parsed if rulebook else None,
        tables(),
        erasure_log.words_for(erasure_log.without_words(entries)),
    )
    return [
        Told(entry, what=entry.kind, reason=gone[entry.pk], erased=True)
        if entry.pk in gone
        else _told(entry, parsed, words)
        for entry in entries
    ]


def _told(entry: Entry, parsed, words: dict[str, str]) -> Told:
    body = bytes(entry.body.body).decode()
    said = json.loads(body)
    who, reason = said["actor"]["name"], said.get("reason") or ""
    if entry.table:
        name = words.get(entry.table, entry.table)
        what = f"{HAPPENED.get(entry.operation, entry.operation)} the {name} {entry.key}."
        return Told(entry, who, what, reason, body=body, changes=_changes(said))
    facts, initiative = said.get("facts") or {}, said.get("initiative") or {}
    what = _sentence(entry.kind, facts, parsed)
    return Told(entry, who, what, reason, initiative.get("title", ""), body, facts)


def _changes(said: dict) -> tuple:
    before, after = said.get("before") or {}, said.get("after") or {}
    return tuple(
        (name, before.get(name), after.get(name))
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    )


def _sentence(kind: str, facts: dict, parsed) -> str:
    own = SENTENCES.get(kind)
    if own is not None:
        return own(facts)
    if parsed is not None and contributed.act_words:
        return contributed.act_words[0](kind, facts, parsed)
    return f"{kind}."


SENTENCES: dict[str, Callable[[dict], str]] = {
    EntryKind.SIGNED_IN: lambda f: f"signed in from {f.get('address') or 'an unknown address'}.",
    EntryKind.SIGN_IN_FAILED: lambda f: (
        f"refused a sign-in as {f.get('login')} from {f.get('address') or 'an unknown address'}."
    ),
    EntryKind.PASSWORD_REFUSED: lambda f: (
        f"typed a wrong password to {f.get('purpose')}, from {f.get('address') or 'an unknown address'}."
    ),
    EntryKind.SIGN_IN_REFUSED: lambda f: (
        f"refused the response of {f.get('provider')} ({f.get('purpose')}): {f.get('why')}"
    ),
    EntryKind.IDENTITY_LINKED: lambda f: f"linked the account of {f.get('person')} with {f.get('provider')}.",
    EntryKind.IDENTITY_REVOKED: lambda f: (
        f"ended the link of {f.get('person')} with {f.get('provider')}"
        + (", refusing it." if f.get("refused") else ".")
    ),
    EntryKind.IDENTITY_REPORTED: lambda f: (
        f"recorded that {f.get('source')} reports another {f.get('what')} of {f.get('person')}: {f.get('value')}."
    ),
    EntryKind.IDENTITY_REPORT_DECLINED: lambda f: (
        f"declined the {f.get('what')} of {f.get('person')} that {f.get('source')} reports: {f.get('value')}."
    ),
    EntryKind.PROVIDER_ADDED: lambda f: f"added the identity provider {f.get('name')}, {f.get('issuer')}.",
    EntryKind.PROVIDER_CHANGED: lambda f: (
        f"changed the identity provider {f.get('name') or f.get('after', {}).get('name')}."
    ),
    EntryKind.PROVIDER_KEYS_RECORDED: lambda f: f"recorded the keys that {f.get('provider')} publishes.",
    EntryKind.CLIENT_KEY_MADE: lambda f: (
        f"made a key that identifies this installation at {f.get('provider')}."
    ),
    EntryKind.LOCAL_ACCOUNTS_SWITCHED: lambda f: f"switched local accounts {'on' if f.get('on') else 'off'}.",
    EntryKind.BREAK_GLASS_MARKED: lambda f: f"marked {f.get('person')} as a break-glass account.",
    EntryKind.BREAK_GLASS_REVOKED: lambda f: f"removed the break-glass mark of {f.get('person')}.",
    EntryKind.BREAK_GLASS_USED: lambda f: (
        f"used a break-glass account, from {f.get('address') or 'an unknown address'}."
    ),
    EntryKind.PAIR_FOUND: lambda f: (
        f"marked {f.get('one')} and {f.get('other')} as accounts that may be one person's: {f.get('why')}."
    ),
    EntryKind.PAIR_CLEARED: lambda f: (
        f"separated {f.get('one')} and {f.get('other')} as two people: {f.get('reason')}"
    ),
    EntryKind.SIGNED_OUT_BY_PROVIDER: lambda f: f"{f.get('provider')} ended {_sessions(f)}.",
    EntryKind.PASSKEY_REFUSED: lambda f: f"could not {f.get('purpose')} with a passkey: {f.get('why')}.",
    EntryKind.CODE_REFUSED: lambda f: f"could not {f.get('purpose')} with a code: {f.get('why')}",
    EntryKind.SIGNATURE_ENDED: lambda f: f"did not {f.get('purpose')}: {f.get('why')}",
    EntryKind.PASSKEY_ADDED: lambda f: f"added the passkey {f.get('name')}.",
    EntryKind.PASSKEY_CONFIRMED: lambda f: f"confirmed the passkey {f.get('name')} of {f.get('person')}.",
    EntryKind.PASSKEY_REVOKED: lambda f: f"revoked the passkey {f.get('name')}.",
    EntryKind.AUTHENTICATOR_APP_ADDED: lambda f: "added an authenticator app.",
    EntryKind.AUTHENTICATOR_APP_REVOKED: lambda f: "revoked their authenticator app.",
    EntryKind.RECOVERY_CODES_MADE: lambda f: f"made {f.get('count')} recovery codes.",
    EntryKind.RECOVERY_CODE_USED: lambda f: f"signed in with a recovery code. {f.get('left')} are left.",
    EntryKind.FACTOR_RESET_ASKED_FOR: lambda f: (
        f"asked for a reset of the second factors of {f.get('person')}."
    ),
    EntryKind.FACTOR_RESET_STOPPED: lambda f: (
        f"stopped the reset of the second factors of {f.get('person')}."
    ),
    EntryKind.FACTORS_RESET: lambda f: f"ended every second factor of {f.get('person')}.",
    EntryKind.PASSWORD_HASHED_AGAIN: lambda f: (
        f"signed in. The stored password of {f.get('person')} is now protected with the current security settings."
    ),
    EntryKind.PASSWORD_SET: lambda f: (
        f"set the password of {f.get('person')}" + (f" ({f['how']})." if f.get("how") else ".")
    ),
    EntryKind.UNIT_ADDED: lambda f: (
        f"added the unit {f.get('unit')}" + (f" below {f['parent']}." if f.get("parent") else ".")
    ),
    EntryKind.ACCOUNT_DEACTIVATED: lambda f: (
        f"deactivated the account of {f.get('person')}, {f.get('login')}."
    ),
    EntryKind.API_TOKEN_MADE: lambda f: (
        f"made the {f.get('type')} API token {f.get('public')}, {f.get('name')}"
        + (f", in place of {f['rotates']}." if f.get("rotates") else ".")
    ),
    EntryKind.API_TOKEN_ENDED: lambda f: (
        f"ended the API token {f.get('public')} of {f.get('person')}: {f.get('why')}"
    ),
    EntryKind.DIRECTORY_ADDED: lambda f: (
        f"connected the directory {f.get('directory')}, with the key {f.get('public')}."
    ),
    EntryKind.DIRECTORY_KEY_RENEWED: lambda f: (
        f"gave the directory {f.get('directory')} a new key, {f.get('public')}."
    ),
    EntryKind.DIRECTORY_KEY_REVOKED: lambda f: (
        f"revoked the key {f.get('public')} of the directory {f.get('directory')}."
    ),
    EntryKind.EVENT_RECEIVER_ADDED: lambda f: (
        f"added the event receiver {f.get('receiver')} at {f.get('host')}, owned by {f.get('owner')}, "
        f"for {f.get('of') or f.get('unit') or 'all initiatives'}."
    ),
    EntryKind.EVENT_RECEIVER_ENDED: lambda f: f"ended the event receiver {f.get('receiver')}: {f.get('why')}",
    EntryKind.EVENT_SENT_AGAIN: lambda f: (
        f"sent {'a test event' if f.get('test') else 'the event ' + str(f.get('message')) + ' again'} "
        f"to {f.get('receiver')}."
    ),
    EntryKind.GROUP_PROPOSES_UNIT: lambda f: (
        f"set the group {f.get('group')} of {f.get('directory')} to propose {f.get('unit') or 'no unit'} "
        "for its members."
    ),
    EntryKind.INVITED: lambda f: f"invited {f.get('person')} to choose a password.",
    EntryKind.PASSWORD_RESET_ASKED_FOR: lambda f: f"sent {f.get('person')} a link to choose a new password.",
    EntryKind.PASSWORD_LINK_HANDED_OVER: lambda f: f"printed a link for {f.get('person')} to set a password.",
    EntryKind.SIGNED_OUT_ELSEWHERE: lambda f: f"signed out {_sessions(f)} of their account.",
    EntryKind.SIGNED_OUT_BY_AN_ADMIN: lambda f: f"ended {_sessions(f)} of {f.get('person')}.",
    EntryKind.MAIL_TRIED_AGAIN: lambda f: (
        f"started new delivery attempts for {f.get('count')} undelivered emails."
    ),
    EntryKind.FOLDER_ADOPTED: lambda f: (
        f"made a folder the file storage of this database. {f.get('found')} of {f.get('looked')} checked "
        "files were in it."
    ),
    EntryKind.EXPORT_TAKEN: lambda f: (
        f"downloaded the export “{f.get('name')}”" + (f" of {f['of']}." if f.get("of") else ".")
    ),
    EntryKind.ERASED: lambda f: (
        f"erased the data of a person, now called “{f.get('mark')}”, from {len(f.get('entries', ()))} "
        "entries:"
        f" {f.get('why')} ({f.get('duty')})."
    ),
    EntryKind.LEGAL_HOLD_OPENED: lambda f: f"opened legal hold {f.get('hold')} on {_held(f)}.",
    EntryKind.LEGAL_HOLD_LIFTED: lambda f: f"lifted legal hold {f.get('hold')} on {_held(f)}.",
    EntryKind.INTERACTIONS_EXPIRED: lambda f: (
        f"removed {f.get('bodies')} bodies and {sum((f.get('months') or {}).values())} rows of the "
        "interaction log at the end of their retention."
    ),
    EntryKind.SUBJECT_ACCESS_REPORT_TAKEN: lambda f: f"exported the data about person {f.get('person_id')}.",
    EntryKind.SAMPLE_DRAWN: lambda f: (
        f"drew the sample “{f.get('name')}”: {f.get('drawn')} of {f.get('found')} entries."
    ),
    EntryKind.ENTRY_CONCLUDED: lambda f: (
        f"concluded place {f.get('place')} of the sample “{f.get('name')}”:"
        f" {str(f.get('conclusion')).replace('_', ' ')}."
    ),
    EntryKind.SAMPLE_FINISHED: lambda f: f"finished the sample “{f.get('name')}”.",
}


# --- Drawing ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, order=True)
class Stratum:
    """The candidates of one gate and one seat, and how many of them the sample holds."""

    gate: str
    seat: str
    found: int
    drawn: int


@dataclass(frozen=True)
class Draw:
    """The drawn entries in the sample's order, as (key, gate, seat), and their strata."""

    keys: tuple[tuple[int, str, str], ...]
    strata: tuple[Stratum, ...]

    @property
    def found(self) -> int:
        """Return the number of candidates."""
        return sum(stratum.found for stratum in self.strata)


def rank(seed: str, digest: bytes) -> bytes:
    """Return the place of an entry in the draw. No one can choose the place, and anyone can compute it."""
    return hashlib.sha256(seed.encode() + digest).digest()


def draw(candidates: Iterable[tuple[int, bytes, str, str]], *, seed: str, size: int) -> Draw:
    """Draw `size` of (key, digest, gate, seat) by METHOD, or all if there are fewer.

    Keeps no more than some times `size` for each stratum, however many candidates there are.
    """
    counts: dict[tuple[str, str], int] = {}
    lowest: dict[tuple[str, str], list[tuple[bytes, int]]] = {}
    for key, digest, gate, seat in candidates:
        stratum = (gate, seat)
        counts[stratum] = counts.get(stratum, 0) + 1
        kept = lowest.setdefault(stratum, [])
        kept.append((rank(seed, digest), key))
        if len(kept) > 4 * size:
            kept.sort()
            del kept[size:]
    places = deal(counts, size)
    keys = [
        (key, *stratum) for stratum in sorted(counts) for _, key in sorted(lowest[stratum])[: places[stratum]]
    ]
    strata = [Stratum(*stratum, counts[stratum], places[stratum]) for stratum in sorted(counts)]
    return Draw(tuple(keys), tuple(strata))


def deal(counts: dict[tuple[str, str], int], size: int) -> dict[tuple[str, str], int]:
    """Return the places of a sample by stratum, as in METHOD. A stratum gets at most as many as it has candidates."""
    places = dict.fromkeys(counts, 0)

    def due(stratum):
        quotient = Fraction(counts[stratum], places[stratum]) if places[stratum] else None
        return (quotient is not None, -(quotient or 0), -counts[stratum], stratum)

    for _ in range(min(size, sum(counts.values()))):
        places[min((stratum for stratum in counts if places[stratum] < counts[stratum]), key=due)] += 1
    return places


def _fact_of_act(name: str):
    """Return the fact, or nothing for rows. Bodies of rows have no facts and are not opened."""
    said = Coalesce(Fact("body__body", fact=name), NOTHING)
    return Case(When(table="", then=said), default=NOTHING)


def candidates(search: Search, bound: int) -> Iterable[tuple[int, bytes, str, str]]:
    """Yield the sealed entries below the bound, to draw a sample from. No later entry can join them."""
    rows = (
        search.entries()
        .filter(leaf__position__lt=bound)
        .annotate(
            gate=_fact_of_act("gate"),
            seat=_fact_of_act("seat"),
        )
        .order_by("pk")
        .values_list("pk", "digest", "gate", "seat")
    )
    for key, digest, gate, seat in rows.iterator(chunk_size=2000):
        yield key, bytes(digest), gate, seat


def _sessions(facts: dict) -> str:
    count = facts.get("sessions")
    return "one session" if count == 1 else f"{count} sessions"


def _held(facts: dict) -> str:
    return facts.get("held_initiative") or f"person {facts.get('held_person')}"
