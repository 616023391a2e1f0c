"""The frame of every act: lock, actor, refusal entry, supported stage."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import structlog
from django.db import Error as DatabaseError
from django.db import connection, transaction

from governance.audit_log import entries
from governance.database import rehearsing, request_memo, row_history, shown_state
from governance.identity.proofs import ceremony
from governance.models import User
from governance.permission_result import Refused
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.readable_text import ReadableText
from initiatives.contributions import contributed
from initiatives.lifecycle.facts import supported_stage_rows
from initiatives.models import Initiative

log = structlog.get_logger("plumbline.actions")
READABLE = ReadableText()
REGISTER = 0x706C756D62  # the key of the lock that acts on the integration register take in turn
_depth: ContextVar[int] = ContextVar("plumbline_act_depth", default=0)
_together: ContextVar[dict | None] = ContextVar("plumbline_acts_together", default=None)


@contextmanager
def act(
    name: str,
    *,
    by=None,
    system: str = "",
    initiative: Initiative | int | None = None,
    reason: str = "",
    register: bool = False,
    proof: ceremony.Proof | None = None,
):
    """Run one act in one transaction on the locked initiative, saved by `by`.

    `register` is True if the act changes what several initiatives share, or which initiatives share it. Such acts run
    one after the other, each before it locks an initiative, so that none misses an initiative that another is just
    linking. `proof` is the signature of this act, if several inner acts are signed one by one. The outermost act uses
    the signature held for it.

    Yields the locked initiative (None for acts without one). Raises Conflict if someone changed what the page of this
    act showed (`shown_state.hold`). Raises ValidationError if the reason of a person has an
    invisible character. A refusal rolls the act back and records an entry right after it (docs/architecture.md, trap
    17). A refusal by the database is logged and raised again.
    """
    if by is not None:
        READABLE(reason)  # the audit log keeps it for ever, and its readers see every character
    outermost = _depth.get() == 0
    around = row_history.current()
    if not outermost and not reason and around is not None and around.person == by:
        reason = around.reason  # a smaller act inside another is done for the reason of that one
    token = _depth.set(_depth.get() + 1)
    if outermost:
        proof = ceremony.take(by)
    try:
        with row_history.acting(by=by, system=system, reason=reason):
            if register:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [REGISTER])
            locked = lock(initiative) if initiative is not None else None
            if locked is not None:
                rehearsing.note(locked.pk)
            if outermost:
                shown_state.check_held()
            with ceremony.signing(proof, locked.contract_id if locked is not None else None):
                yield locked
    except Refused as refused:
        if outermost:
            _record_refusal(name, by, system, initiative, refused)
        raise
    except DatabaseError as error:
        log.warning(
            "refused by the database",
            act=name,
            by=getattr(by, "pk", None),
            initiative=_key(initiative),
            error=str(error),
        )
        raise
    finally:
        _depth.reset(token)


def lock(initiative: Initiative | int) -> Initiative:
    """Return the initiative, locked until the transaction ends and read after that."""
    return Initiative.objects.locked(_key(initiative))


def _key(initiative):
    return initiative.pk if isinstance(initiative, Initiative) else initiative


def _record_refusal(name, by, system, initiative, refused: Refused) -> None:
    row = Initiative.objects.filter(pk=_key(initiative)).first() if initiative is not None else None
    with row_history.acting(by=by, system=system, reason=""):
        entries.record(EntryKind.REFUSED, initiative=row, act=name, answer=str(refused))
    refused.recorded = True


def rewrite_supported_stage(initiative: Initiative) -> None:
    """Rewrite the supported stage in the transaction, and grace obligations."""
    rewrite_supported_stages([initiative])


def rewrite_supported_stages(initiatives: list[Initiative], grace=None) -> list:
    """Rewrite the supported stages of many locked initiatives together.

    Returns the opened obligations of grace. `grace` is as in `holds.follow_support`. With `grace`, the rewrite runs
    at once even inside `together`.
    """
    rehearsing.note(*(initiative.pk for initiative in initiatives))
    waiting = _together.get()
    if waiting is not None and grace is None:
        waiting |= {initiative.pk: row_history.current() for initiative in initiatives}
        return
    # What was changed is read anew, and once.
    with request_memo.afresh(), request_memo.one_look():
        support, waiting = supported_stage_rows.rewrite(initiatives)
        opened = [
            obligation
            for follow in contributed.followers
            for obligation in follow(initiatives, support, grace)
        ]
        for tell in contributed.tellers:
            tell(initiatives, waiting)
        return opened


@contextmanager
def together():
    """Run many acts in one transaction, and rewrite supported stages at the end.

    No act decides by a stored supported stage, because each judges the facts anew. A refusal ends all of them.
    """
    waiting: dict = {}
    token = _together.set(waiting)
    try:
        with transaction.atomic():
            yield
            _together.set(None)
            for pk, who in waiting.items():
                system = "" if who.person else who.name.removeprefix("system: ")
                with row_history.acting(by=who.person, system=system, reason=who.reason):
                    rewrite_supported_stage(lock(pk))
    finally:
        _together.reset(token)


def batched(keys: list[int], size: int = 50) -> Iterator[list[int]]:
    """Yield the keys in batches, each as much as one transaction locks at a time."""
    for start in range(0, len(keys), size):
        yield keys[start : start + size]


def end_ties(initiative: Initiative, why: str, *, with_obligations: bool = True, by: User) -> None:
    """End an initiative's ties, in the act that stops, retires or withdraws it.

    `with_obligations` is True if closing these things is an obligation.
    """
    for end in contributed.enders:
        end(initiative, why, with_obligations=with_obligations, by=by)
