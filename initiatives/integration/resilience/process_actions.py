"""Acts on processes around an initiative, its sign-on flow, and lost knowledge.

Sources: S1-4 (a sign-on flow nobody fully understands), S1-5 (an approval workflow in someone's head), S1-26, S1-27.
"""

from datetime import date
from decimal import Decimal
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Q

from governance import clock
from governance.audit_log import entries
from governance.models import User
from governance.permission_result import Conflict
from governance.vocabulary import CLOSED_STAGES
from governance.vocabulary.currencies import wrong_amount, wrong_currency
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import in_the_future, phrase
from initiatives.integration.resilience.process_findings import current_flows, current_processes
from initiatives.lifecycle.changes.actions import pull
from initiatives.lifecycle.findings.sync import follow
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.act import act, rewrite_supported_stage
from initiatives.models import Evidence, Initiative, Link, ProcessRecord, SignOnFlow
from initiatives.models.integration.processes import DOCUMENTED, IN_HEAD, PROCESS_STATES

MOST_STEPS, LONGEST_STEP = 60, 500
DIAGRAM_KINDS = ("document", "system_record")


def record_process(
    *,
    initiative: Initiative,
    name: str,
    status: str,
    holder: User | None = None,
    holder_words: str = "",
    as_is: list[dict] = (),
    to_be: list[dict] = (),
    redesign_cost: Decimal | None = None,
    currency: str = "",
    budget_holder: User | None = None,
    once: UUID | None = None,
    by: User,
) -> ProcessRecord:
    """Record a process. The newest record of a name replaces the earlier one.

    Steps are rows of {who, what}. A redesign of a documented process (other steps to be) pulls `workflow`. A first
    record pulls nothing. Raises ValidationError by field, or Refused.
    """
    name, currency = " ".join(name.split()), currency.strip().upper()
    as_is, to_be = list(as_is), list(to_be)
    wrong = _wrong(name, status, holder, holder_words, as_is, to_be)
    wrong |= _wrong_cost(redesign_cost, currency)
    if wrong:
        raise ValidationError(wrong)
    with act("record process", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_collaborate(initiative, by).or_refuse()
        if once and (known := ProcessRecord.objects.filter(initiative=initiative, once=once).first()):
            return known
        before = next(
            (row for row in current_processes([initiative.pk]) if row.name.casefold() == name.casefold()),
            None,
        )
        newest = (
            ProcessRecord.objects.filter(initiative=initiative, name__iexact=name).order_by("-pk").first()
        )
        row = ProcessRecord(
            initiative=initiative,
            name=name,
            status=status,
            holder=holder,
            holder_words="" if holder else holder_words.strip(),
            as_is=as_is,
            to_be=to_be,
            redesign_cost=redesign_cost,
            currency=currency,
            budget_holder=budget_holder,
            replaces=newest,
            once=once,
            by=by,
            at=clock.now(),
        )
        row.save()
        entries.record(
            EntryKind.PROCESS_RECORDED,
            initiative=initiative,
            process=row.pk,
            name=name,
            status=status,
            held_by=row.held_by,
            replaces=newest.pk if newest else None,
            redesign_cost=str(redesign_cost) if redesign_cost is not None else None,
            currency=currency,
        )
        if before is not None and before.status == DOCUMENTED and before.to_be != to_be:
            pull(initiative, ["workflow"], f"“{name}” is redesigned"[:250], by=by)
        if not follow([initiative]):
            rewrite_supported_stage(initiative)
    return row


def _wrong(name, status, holder, holder_words, as_is, to_be) -> dict[str, str]:
    wrong = {}
    if not name:
        wrong["name"] = "Name the process, for example: Approvals above a limit."
    elif len(name) > 160:
        wrong["name"] = "Use at most 160 characters for the name."
    if status not in PROCESS_STATES:
        wrong["status"] = (
            "Choose if the process is documented, partly documented, or known by one person only."
        )
    elif status != DOCUMENTED and holder is None and not holder_words.strip():
        wrong["holder_words"] = (
            "Name the person who knows the process, or describe the person: one long-serving colleague."
        )
    elif status == DOCUMENTED and not as_is:
        wrong["as_is"] = "Write down the steps of the process. Without steps, the process is not documented."
    if holder is not None and not holder.is_active:
        wrong["holder"] = f"{holder} has left. Choose someone else."
    return wrong | _wrong_steps(as_is=as_is, to_be=to_be)


def _wrong_steps(**lists: list[dict]) -> dict[str, str]:
    wrong = {}
    for field, steps in lists.items():
        if len(steps) > MOST_STEPS:
            wrong[field] = f"Use at most {MOST_STEPS} steps. Split a longer process into several processes."
        elif any(not step.get("what") or len(f"{step}") > LONGEST_STEP for step in steps):
            wrong[field] = f"Describe each step in 1 to {LONGEST_STEP - 50} characters."
    return wrong


def _wrong_cost(cost: Decimal | None, currency: str) -> dict[str, str]:
    if cost is None:
        return {"redesign_cost": "Enter the amount too, or leave the currency empty."} if currency else {}
    if cost < 0:
        return {"redesign_cost": "The cost is below zero. Enter zero or more, or leave the cost empty."}
    if wrong := wrong_currency(currency):
        return {"currency": wrong}
    if wrong := wrong_amount(cost, currency):
        return {"redesign_cost": wrong}
    return {}


def withdraw_process(*, process: ProcessRecord, reason: str, by: User) -> ProcessRecord:
    """Withdraw a wrong record of a process, so that the earlier record counts again."""
    if not reason.strip():
        raise ValidationError({"reason": "Describe what was wrong with this process record."})
    with act("withdraw process", by=by, initiative=process.initiative_id, reason=reason) as initiative:
        initiative_permissions.may_collaborate(initiative, by).or_refuse()
        process = ProcessRecord.objects.get(pk=process.pk)
        if process.withdrawn_at:
            raise Conflict(
                phrase("This process record was withdrawn on {}.", clock.local_day(process.withdrawn_at))
            )
        process.withdrawn_at, process.withdrawn_by = clock.now(), by
        process.withdrawn_reason = reason.strip()
        process.save()
        entries.record(
            EntryKind.PROCESS_WITHDRAWN,
            initiative=initiative,
            process=process.pk,
            name=process.name,
            why=reason.strip(),
        )
        if not follow([initiative]):
            rewrite_supported_stage(initiative)
    return process


def record_flow(
    *,
    initiative: Initiative,
    steps: list[dict],
    explainer: User | None = None,
    diagram: Evidence | None = None,
    reviewed_on: date,
    once: UUID | None = None,
    by: User,
) -> SignOnFlow:
    """Record how the initiative's system signs on, in place of the earlier flow.

    Without an `explainer`, the flow has a finding that no one can explain it. Raises ValidationError by field, or
    Refused.
    """
    steps, wrong = list(steps), {}
    if not steps:
        wrong["steps"] = (
            "Write down the steps: who requests which token from which system, and what the token gives "
            "access to."
        )
    if reviewed_on is None:
        wrong["reviewed_on"] = "Enter the day of the last review."
    elif reviewed_on > clock.today():
        wrong["reviewed_on"] = in_the_future(reviewed_on, clock.today())
    if explainer is not None and not explainer.is_active:
        wrong["explainer"] = f"{explainer} has left. Choose someone else."
    wrong |= _wrong_steps(steps=steps)
    if wrong:
        raise ValidationError(wrong)
    with act("record sign-on", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_collaborate(initiative, by).or_refuse()
        if once and (known := SignOnFlow.objects.filter(initiative=initiative, once=once).first()):
            return known
        if diagram is not None and (diagram.initiative_id != initiative.pk or diagram.withdrawn_at):
            raise ValidationError({"diagram": "Choose evidence of this initiative that was not withdrawn."})
        newest = SignOnFlow.objects.filter(initiative=initiative).order_by("-pk").first()
        row = SignOnFlow(
            initiative=initiative,
            steps=steps,
            explainer=explainer,
            diagram=diagram,
            reviewed_on=reviewed_on,
            replaces=newest,
            once=once,
            by=by,
            at=clock.now(),
        )
        row.save()
        entries.record(
            EntryKind.SIGN_ON_RECORDED,
            initiative=initiative,
            flow=row.pk,
            explainer=explainer.full_name if explainer else "",
            reviewed_on=reviewed_on,
        )
        if not follow([initiative]):
            rewrite_supported_stage(initiative)
    return row


# A person leaves


def resting_on(person: User) -> set[int]:
    """Return keys of running initiatives that rest on what this person knows."""
    links = Link.objects.current().filter(
        Q(system__knowledge_holder=person) | Q(system__members__knowledge_holder=person)
    )
    found = set(links.values_list("initiative_id", flat=True))
    for rows in (
        ProcessRecord.objects.current().filter(holder=person),
        SignOnFlow.objects.current().filter(explainer=person),
    ):
        found |= set(rows.values_list("initiative_id", flat=True))
    running = Initiative.objects.live().exclude(stage__in=CLOSED_STAGES).filter(pk__in=found)
    return set(running.values_list("pk", flat=True))


def knowledge_leaves(person: User, initiatives: list[Initiative], *, by: User | None) -> None:
    """Record in these locked initiatives that a person's knowledge left with them.

    Runs in the running act, on initiatives read after the lock. Reopens each current process in the person's head and
    pulls `knowledge_holder` for it. Pulls that trigger, bound to the system, for each linked system in their head.
    Then follows the register.
    """
    by_key = {initiative.pk: initiative for initiative in initiatives}
    for row in current_processes(list(by_key)):
        if row.holder_id != person.pk or row.reopened_at is not None:
            continue
        initiative = by_key[row.initiative_id]
        row.status, row.reopened_at = IN_HEAD, clock.now()
        row.save()
        entries.record(
            EntryKind.PROCESS_REOPENED,
            initiative=initiative,
            process=row.pk,
            name=row.name,
            person=person.full_name,
        )
        what = f"{person.full_name}, who knew the process “{row.name}”, left"
        pull(initiative, ["knowledge_holder"], what[:250], by=by)
    held = (
        Link.objects.current()
        .filter(Q(system__knowledge_holder=person) | Q(system__members__knowledge_holder=person))
        .filter(initiative__in=list(by_key))
    )
    told: set[tuple[int, int]] = set()
    for link in held.select_related("system").order_by("initiative_id", "pk"):
        if (link.initiative_id, link.system_id) in told:
            continue
        told.add((link.initiative_id, link.system_id))
        what = f"{person.full_name}, who knew {link.system}, left"
        pull(by_key[link.initiative_id], ["knowledge_holder"], what[:250], by=by, system=link.system)
    follow(initiatives)


def current_flow(initiative: Initiative) -> SignOnFlow | None:
    """Return the sign-on flow of the initiative that counts now."""
    return next(iter(current_flows([initiative.pk])), None)
