"""Cache of the decision API in one process: keys, contracts in force, conditions.

One read of the database covers all initiatives. It is repeated after a fraction of a second, and its result is used for
at most one second. So a revoked key, a pressed switch and a superseded contract take effect within that second on every
process. An older result, while the database is away, allows nothing.
"""

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import structlog
from django.conf import settings
from django.db import Error as DatabaseError

from governance import clock
from governance.authorization import decision
from governance.contracts import cedar_policies
from governance.contracts.clauses import Terms
from governance.database import prepared_statements
from governance.models import ContractVersion, Rulebook
from governance.models.rulebook import NoRulebook
from governance.models.sign_in import name_until
from governance.vocabulary import Tier
from initiatives.lifecycle.facts import supported_stage_rows
from initiatives.models import Initiative

log = structlog.get_logger("plumbline.decisions")

OLDEST = 0.9  # seconds after which what was read allows nothing
FORGOTTEN = 300.0  # seconds without a request after which an initiative is no longer read again
PAUSE = 0.3  # seconds in which a database that did not answer is not asked again
MOST_POLICIES = 2_000

_INITIATIVES = """
SELECT i.contract_id, i.id, i.number, i.stage, i.withdrawn_at IS NOT NULL, i.tier, i.basis,
       (SELECT json_agg(json_build_object(
                 'id', o.id, 'public', o.public, 'hash', o.secret_hash, 'scopes', o.scopes, 'ends', o.expires_at,
                 'left', o.principal_left_at))
          FROM governance_servicekey o
         WHERE o.contract_id = i.contract_id AND o.revoked_at IS NULL AND o.expires_at > %(now)s),
       (SELECT json_agg(json_build_object(
                 'id', v.id, 'number', v.number, 'digest', v.digest, 'starts', v.starts_at, 'ends', v.ends_at)
               ORDER BY v.starts_at, v.number)
          FROM governance_contractversion v
         WHERE v.contract_id = i.contract_id AND v.starts_at IS NOT NULL
           AND (v.ends_at IS NULL OR v.ends_at > %(now)s)),
       (SELECT s.reason FROM initiatives_killswitch s WHERE s.initiative_id = i.id AND s.released_at IS NULL),
       (SELECT json_agg(h.reason ORDER BY h.id)
          FROM initiatives_hold h WHERE h.initiative_id = i.id AND h.lifted_at IS NULL AND h.blocking),
       (SELECT json_build_object('departments', b.departments, 'places', b.places, 'data', b.data_classes,
                                 'ends', b.ends_on, 'testers', b.test_subjects)
          FROM initiatives_scopeversion b
         WHERE b.initiative_id = i.id AND b.starts_at <= %(now)s AND (b.ended_at IS NULL OR b.ended_at > %(now)s)
         ORDER BY b.starts_at DESC, b.number DESC LIMIT 1),
       (SELECT json_build_object('supported', p.supported, 'unsupported_stages', p.unsupported_stages, 'label', p.label,
                                 'from_at', p.from_at, 'until_at', p.until_at,
                                 'past_supported_stage_id', p.past_supported_stage_id, 'seal', p.seal)
          FROM initiatives_supportedstageperiod p
         WHERE p.initiative_id = i.id AND p.from_at <= %(now)s AND (p.until_at IS NULL OR p.until_at > %(now)s)
         LIMIT 1),
       (SELECT min(d.due) FROM initiatives_obligation d
         WHERE d.initiative_id = i.id AND d.kind = 'step_back' AND d.completed_at IS NULL)
"""
_READ = f"""{_INITIATIVES}
  FROM (SELECT unnest(%(contracts)s::bigint[]) AS contract_id) k
  JOIN initiatives_initiative i ON i.contract_id = k.contract_id
"""
_READ_ONE = f"{_INITIATIVES} FROM initiatives_initiative i WHERE i.id = %(initiative)s"
_CLAUSES = (
    "SELECT version_id, number, kind, terms::json, sentence FROM governance_clause WHERE version_id = ANY(%s)"
    " ORDER BY version_id, position, id"
)
_CONTRACT_OF = "SELECT contract_id FROM governance_servicekey WHERE public = %s"


class Unavailable(RuntimeError):
    """The cached facts are too old and cannot be read again, so nothing is allowed."""


@dataclass(frozen=True)
class Key:
    """A key that is valid, as far as is known. `left` is when the account of its responsible person ended."""

    id: int
    public: str
    hash: str
    scopes: frozenset[str]
    ends: datetime
    left: datetime | None = None


@dataclass(frozen=True)
class Known:
    """One initiative as the API uses it: contract versions, condition, keys."""

    contract: int | None
    initiative: int
    number: int
    versions: tuple[decision.Version, ...]
    condition: decision.InitiativeCondition
    keys: tuple[Key, ...]
    version_keys: tuple[int, ...]
    away: bool = (
        False  # whether this is what was known before the database went away: it opens, and allows nothing
    )

    @property
    def ref(self) -> str:
        """Return the reference of the initiative."""
        return Initiative.ref_of(self.number)

    def asked_with(self, key: Key, now: datetime) -> "Known":
        """Return this initiative as it answers the key, whose responsible person may have left too long ago."""
        if key.left is None or now < name_until(key.left):
            return self
        return replace(self, condition=replace(self.condition, left_since=clock.local_day(key.left)))

    def version_at(self, moment: datetime) -> tuple[decision.Version | None, int | None]:
        """Return the version in force at `moment` and its key, the newest if two overlap."""
        found = [
            (version, key)
            for version, key in zip(self.versions, self.version_keys, strict=True)
            if version.in_force_at(moment)
        ]
        return found[-1] if found else (None, None)


class Conditions:
    """The conditions of all initiatives that this process is asked about."""

    def __init__(self):
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Forget everything, so that the next request reads it again."""
        self._initiatives: dict[int, Known] = {}
        self._contracts: dict[str, int] = {}
        self._asked: dict[int, float] = {}
        self._policies: dict[int, cedar_policies.Policies | cedar_policies.Unreadable] = {}
        self._read_at = self._paused_until = float("-inf")

    def of(self, public: str) -> Known | None:
        """Return the current initiative of the key with this public part, or None.

        Raises Unavailable.
        """
        self._be_fresh()
        contract = self._contracts.get(public)
        if contract is None:
            contract = self._find(public)
        if contract is None:
            return None
        self._asked[contract] = time.monotonic()
        return self._initiatives.get(contract)

    def last_known(self, public: str) -> Known | None:
        """Return the initiative as last read, marked `away`, or None if it was never read."""
        known = self._initiatives.get(self._contracts.get(public))
        return replace(known, away=True) if known else None

    def _be_fresh(self) -> None:
        """Read everything again when it is due. One thread reads, and others use what is known."""
        age = time.monotonic() - self._read_at
        if age < settings.DECISION_FRESH:
            return
        if not self._lock.acquire(timeout=0 if age < OLDEST else OLDEST):
            if age < OLDEST:
                return
            raise Unavailable
        try:
            now = time.monotonic()
            if now - self._read_at < settings.DECISION_FRESH:
                return
            if now < self._paused_until:
                if now - self._read_at < OLDEST:
                    return
                raise Unavailable
            wanted = [key for key, asked in list(self._asked.items()) if now - asked < FORGOTTEN]
            self._take(self._read(wanted), instead=True)
            self._read_at = now
        except DatabaseError as trouble:
            self._paused_until = time.monotonic() + PAUSE
            if time.monotonic() - self._read_at < OLDEST:
                return
            log.warning("decisions are denied: the database does not answer", trouble=str(trouble))
            raise Unavailable from trouble
        finally:
            self._lock.release()

    def _find(self, public: str) -> int | None:
        try:
            with prepared_statements.cursor() as cursor:
                cursor.execute(_CONTRACT_OF, [public])
                found = cursor.fetchone()
            if found is None:
                return None
            with self._lock:
                self._take(self._read([found[0]]), instead=False)
        except DatabaseError as trouble:
            raise Unavailable from trouble
        return found[0]

    def _take(self, initiatives: list[Known], *, instead: bool) -> None:
        contracts = {key.public: known.contract for known in initiatives for key in known.keys}
        by_contract = {known.contract: known for known in initiatives}
        if not instead:
            contracts, by_contract = self._contracts | contracts, self._initiatives | by_contract
        self._contracts, self._initiatives = contracts, by_contract

    def _read(self, contracts: Iterable[int]) -> list[Known]:
        contracts = list(contracts)
        if not contracts:
            return []
        return self._read_with(_READ, contracts=contracts)

    def read_one(self, initiative: int) -> Known:
        """Return one initiative, read now."""
        (known,) = self._read_with(_READ_ONE, initiative=initiative)
        return known

    def _read_with(self, query: str, **about) -> list[Known]:
        now = clock.now()
        with prepared_statements.cursor() as cursor:
            cursor.execute(query, {"now": now} | about)
            rows = cursor.fetchall()
            wanted = {version["id"] for row in rows for version in row[8] or ()}
            self._compile(cursor, wanted)
        return [self._known(row, now) for row in rows]

    def _compile(self, cursor, wanted: set[int]) -> None:
        missing = wanted - self._policies.keys()
        if not missing:
            return
        cursor.execute(_CLAUSES, [list(missing)])
        clauses: dict[int, list] = {key: [] for key in missing}
        for key, number, kind, terms, sentence in cursor.fetchall():
            clauses[key].append((number, kind, terms, sentence))
        if len(self._policies) > MOST_POLICIES:
            self._policies = {key: self._policies[key] for key in wanted - missing}
        for key, rows in clauses.items():
            self._policies[key] = _policies_of(rows)

    def _known(self, row: tuple, now: datetime) -> Known:
        (
            contract,
            initiative,
            number,
            stage,
            withdrawn,
            tier,
            basis,
            keys,
            versions,
            off,
            held,
            scope,
            span,
            obligation,
        ) = row
        versions = [version for version in versions or () if version["id"] in self._policies]
        span = _sealed(initiative, span)
        return Known(
            contract=contract,
            initiative=initiative,
            number=number,
            versions=tuple(
                decision.Version(
                    version["number"],
                    version["digest"],
                    _moment(version["starts"]),
                    _moment(version["ends"]),
                    self._policies[version["id"]],
                )
                for version in versions
            ),
            version_keys=tuple(version["id"] for version in versions),
            condition=decision.InitiativeCondition(
                stage=stage,
                withdrawn=withdrawn,
                switched_off=off or "",
                held=tuple(held or ()),
                short=_short(tier, basis, span, obligation, clock.local_day(now)),
                bound=_bound(scope),
                supported=span["supported"] if span else "",
            ),
            keys=tuple(
                Key(
                    key["id"],
                    key["public"],
                    key["hash"],
                    frozenset(key["scopes"]),
                    _moment(key["ends"]),
                    _moment(key["left"]),
                )
                for key in keys or ()
            ),
        )


def _policies_of(rows: list[tuple]) -> cedar_policies.Policies | cedar_policies.Unreadable:
    try:
        return cedar_policies.Policies(
            cedar_policies.Rule(number, kind, Terms.read(terms), sentence)
            for number, kind, terms, sentence in rows
        )
    except (cedar_policies.PolicyTrouble, TypeError, ValueError) as trouble:
        log.error("a contract cannot be read as policies", trouble=str(trouble))
        return cedar_policies.Unreadable()


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _bound(scope: dict | None) -> decision.Bound | None:
    if scope is None:
        return None
    return decision.Bound(
        frozenset(scope["departments"]),
        frozenset(scope["places"]),
        frozenset(scope["data"]),
        date.fromisoformat(scope["ends"]) if scope["ends"] else None,
        tuple(scope["testers"]),
    )


def _sealed(initiative: int, span: dict | None) -> dict | None:
    """Return the span with its moments, or None if this installation did not seal it."""
    if span is None:
        return None
    span |= {"from_at": _moment(span["from_at"]), "until_at": _moment(span["until_at"])}
    return span if supported_stage_rows.is_sealed(initiative, span) else None


def _short(tier: str, basis: str, span: dict | None, obligation: date | None, today: date) -> str:
    """Return why clauses without an approver now need one, or "" if they do not.

    The reason applies while evidence does not support the approved stage: at once for a high tier or an imported stage,
    else after the obligation's day or the rulebook's days of grace.
    """
    if span is None:
        return "the stage that its evidence supports today is not known"
    if not span["unsupported_stages"]:
        return ""
    words = f"{span['label']}, which supports at most {span['supported']}"
    if tier == Tier.HIGH or basis == "import":
        return words
    last = obligation
    if last is None:
        try:
            grace = Rulebook.objects.current().parsed.freshness.grace_days
        except NoRulebook:
            return words
        last = clock.last_day_before(span["from_at"]) + timedelta(days=grace)
    return f"{words}, and the days of grace ended on {last:%-d %B %Y}" if today > last else ""


conditions = Conditions()


def known_of(initiative: Initiative) -> Known:
    """Return one initiative as its systems are answered now, uncached, for a page."""
    return Conditions().read_one(initiative.pk)


def policies_of(version: ContractVersion) -> cedar_policies.Policies | cedar_policies.Unreadable:
    """Return the policies of any version of a contract, also of a draft."""
    clauses = version.clauses.all()
    return _policies_of([(one.number, one.kind, one.terms, one.sentence) for one in clauses])
