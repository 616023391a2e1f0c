"""Control mapping: clauses mapped to controls, reports on layers, decisions on architecture.

Sources: S0-1 (the contract comes first), S0-17 (each clause has a control), S0-21 (each layer is auditable by itself).
"""

from datetime import date

from django.core.exceptions import ValidationError

from governance import clock
from governance.audit_log import entries
from governance.models import Clause, User
from governance.permission_result import Conflict, no
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.initiative.act import act, rewrite_supported_stage
from initiatives.models import ArchitectureDecision, ClauseEnforcement, Evidence, Initiative
from initiatives.models.enforcement import ENFORCING_LAYERS

LONGEST_TITLE = 200


def map_clause(
    *, initiative: Initiative, clause: Clause, layer: str, control: str, evidence: Evidence | None, by: User
) -> ClauseEnforcement:
    """Name the control that enforces a clause of the contract, the layer it works in, and what last showed it.

    It counts for every version whose clause says exactly the same. Raises ValidationError by field, or Refused.
    """
    wrong = {}
    if layer not in ENFORCING_LAYERS:
        wrong["layer"] = "Choose the layer in which it works: policy, runtime or observability."
    if not control.strip():
        wrong["control"] = "Say what enforces it, in words; “a person checks weekly” is an answer."
    if evidence is None:
        wrong["evidence"] = "Choose the item that last showed it at work."
    if wrong:
        raise ValidationError(wrong)
    with act("map clause", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_change_what_runs(initiative, by).or_refuse()
        clause = Clause.objects.select_related("version").get(pk=clause.pk)
        if clause.version.contract_id != initiative.contract_id:
            no("That clause belongs to another contract.").or_refuse()
        if not _binds(clause):
            no(
                f"Version {clause.version.number} of the contract is not in force.",
                "Clauses are mapped once their version is approved, until another takes its place.",
            ).or_refuse()
        evidence = Evidence.objects.get(pk=evidence.pk)
        if evidence.initiative_id != initiative.pk:
            raise ValidationError({"evidence": "That item belongs to another initiative."})
        if evidence.withdrawn_at or Evidence.objects.filter(supersedes=evidence).exists():
            raise ValidationError({"evidence": f"{evidence.title} no longer counts; choose its successor."})
        same = ClauseEnforcement.objects.current().filter(
            clause__version__contract=initiative.contract_id,
            clause__fingerprint=clause.fingerprint,
            layer=layer,
            control__iexact=control.strip(),
            evidence=evidence,
        )
        if same.exists():
            raise ValidationError(
                {"control": "This control is named for the clause already, with this evidence."}
            )
        row = ClauseEnforcement(
            initiative=initiative,
            clause=clause,
            layer=layer,
            control=control.strip(),
            evidence=evidence,
            by=by,
            at=clock.now(),
        )
        row.save()
        entries.record(
            EntryKind.CLAUSE_MAPPED,
            initiative=initiative,
            mapping=row.pk,
            version=clause.version.number,
            clause=clause.number,
            sentence=clause.sentence,
            layer=layer,
            control=row.control,
            evidence=evidence.pk,
            title=evidence.title,
        )
        rewrite_supported_stage(initiative)
    return row


def _binds(clause: Clause) -> bool:
    """Whether the clause's version was approved and has not ended; one that starts on a day to come is mapped ahead.

    A draft is not: its clauses still change, and a mapping would follow the new words.
    """
    version = clause.version
    return version.starts_at is not None and (version.ends_at is None or version.ends_at > clock.now())


def close_mapping(*, mapping: ClauseEnforcement, by: User) -> ClauseEnforcement:
    """Close a mapping: the control is gone, or was named by mistake. Raises Conflict when it has ended already."""
    with act("close mapping", by=by, initiative=mapping.initiative_id) as initiative:
        initiative_permissions.may_change_what_runs(initiative, by).or_refuse()
        mapping = ClauseEnforcement.objects.select_related("clause__version").get(pk=mapping.pk)
        if mapping.ended_at:
            raise Conflict(f"It ended on {clock.local_day(mapping.ended_at):%-d %B %Y} already.")
        mapping.ended_at, mapping.ended_by = clock.now(), by
        mapping.save()
        entries.record(
            EntryKind.MAPPING_CLOSED,
            initiative=initiative,
            mapping=mapping.pk,
            version=mapping.clause.version.number,
            clause=mapping.clause.number,
            layer=mapping.layer,
            control=mapping.control,
        )
        rewrite_supported_stage(initiative)
    return mapping


def record_architecture_decision(
    *, initiative: Initiative, title: str, text: str, decided_on: date | None, by: User
) -> ArchitectureDecision:
    """Record a decision on how the system is built, with the day on which it was made. It moves no stage."""
    wrong = {}
    if not title.strip():
        wrong["title"] = "Say in a few words what was decided."
    elif len(title.strip()) > LONGEST_TITLE:
        wrong["title"] = f"At most {LONGEST_TITLE} letters; the rest belongs below."
    if not text.strip():
        wrong["text"] = "Say why, and what was not chosen."
    if decided_on is None:
        wrong["decided_on"] = "Say on which day it was decided."
    elif decided_on > clock.today():
        wrong["decided_on"] = "That day has not come yet."
    if wrong:
        raise ValidationError(wrong)
    with act("record architecture decision", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_change_what_runs(initiative, by).or_refuse()
        row = ArchitectureDecision(
            initiative=initiative,
            title=title.strip(),
            text=text.strip(),
            decided_on=decided_on,
            by=by,
            at=clock.now(),
        )
        row.save()
        entries.record(
            EntryKind.ARCHITECTURE_DECIDED,
            initiative=initiative,
            decision=row.pk,
            title=row.title,
            text=row.text,
            on=decided_on,
        )
    return row


def withdraw_architecture_decision(
    *, decision: ArchitectureDecision, reason: str, by: User
) -> ArchitectureDecision:
    """Withdraw a decision that was not made, or not like this. It stays readable, with who withdrew it and why."""
    if not reason.strip():
        raise ValidationError({"reason": "Say why it does not stand."})
    with act(
        "withdraw architecture decision", by=by, initiative=decision.initiative_id, reason=reason
    ) as initiative:
        initiative_permissions.may_change_what_runs(initiative, by).or_refuse()
        decision = ArchitectureDecision.objects.get(pk=decision.pk)
        if decision.withdrawn_at:
            raise Conflict(f"It was withdrawn on {clock.local_day(decision.withdrawn_at):%-d %B %Y} already.")
        decision.withdrawn_at, decision.withdrawn_by = clock.now(), by
        decision.withdrawn_reason = reason.strip()
        decision.save()
        entries.record(
            EntryKind.ARCHITECTURE_DECISION_WITHDRAWN,
            initiative=initiative,
            decision=decision.pk,
            title=decision.title,
            on=decision.decided_on,
            why=decision.withdrawn_reason,
        )
    return decision
