"""Acts on controls of clauses, and on decisions on architecture.

Sources: S0-1 (the contract comes first), S0-17 (each clause has a control), S0-21 (each layer is auditable by itself).
"""

from collections.abc import Iterable
from datetime import date

from django.core.exceptions import ValidationError

from governance import clock
from governance.audit_log import entries
from governance.models import Clause, User
from governance.permission_result import Conflict, no
from governance.vocabulary import SHOWS_NO_CONTROL, Tested
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import in_the_future, label, phrase
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.act import act, rewrite_supported_stage, together
from initiatives.models import ArchitectureDecision, ClauseEnforcement, Evidence, Initiative
from initiatives.models.enforcement import ENFORCING_LAYERS

LONGEST_TITLE = 200


def map_clause(
    *, initiative: Initiative, clause: Clause, layer: str, control: str, evidence: Evidence | None, by: User
) -> ClauseEnforcement:
    """Name the control that enforces a clause, its layer and its evidence.

    The mapping counts for every version whose clause reads exactly the same. Raises ValidationError by field, or
    Refused.
    """
    wrong = {}
    if layer not in ENFORCING_LAYERS:
        wrong["layer"] = "Choose the layer of the control: policy, runtime or observability."
    if not control.strip():
        wrong["control"] = "Describe how the clause is enforced, for example “A person checks weekly”."
    if evidence is None:
        wrong["evidence"] = "Choose the newest evidence that the control works."
    if wrong:
        raise ValidationError(wrong)
    with act("map clause", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_change_what_runs(initiative, by).or_refuse()
        clause = Clause.objects.select_related("version").get(pk=clause.pk)
        if clause.version.contract_id != initiative.contract_id:
            no("This clause belongs to another contract. Choose a clause of this contract.").or_refuse()
        if not _binds(clause):
            no(
                phrase("Version {} of the contract is not approved, or it has ended.", clause.version.number),
                "Choose a clause of an approved version: only these clauses can have controls.",
            ).or_refuse()
        evidence = Evidence.objects.get(pk=evidence.pk)
        if evidence.initiative_id != initiative.pk:
            raise ValidationError(
                {"evidence": "This item belongs to another initiative. Choose an item of this initiative."}
            )
        if evidence.withdrawn_at or Evidence.objects.filter(supersedes=evidence).exists():
            raise ValidationError(
                {"evidence": phrase("{} no longer counts. Choose an item that counts.", evidence.title)}
            )
        if (tested := evidence.details.get("tested")) in SHOWS_NO_CONTROL:
            raise ValidationError(
                {
                    "evidence": phrase(
                        "{} tests “{}”. This evidence does not show a control. Choose a test or a drill of "
                        "the control.",
                        evidence.title,
                        label(Tested.word(tested)),
                    )
                }
            )
        same = ClauseEnforcement.objects.current().filter(
            clause__version__contract=initiative.contract_id,
            clause__fingerprint=clause.fingerprint,
            layer=layer,
            control__iexact=control.strip(),
            evidence=evidence,
        )
        if same.exists():
            raise ValidationError(
                {"control": "This control is already named for the clause, with this evidence."}
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


def map_clauses(*, initiative: Initiative, clauses: Iterable[Clause], by: User, **control) -> Initiative:
    """Name one control, as `map_clause` takes it, for all of these clauses or none."""
    with together():
        for clause in clauses:
            map_clause(initiative=initiative, clause=clause, by=by, **control)
    return initiative


def _binds(clause: Clause) -> bool:
    """Return True if the clause's version is approved and has not ended. It may start later.

    A draft does not bind: its clauses still change, and a mapping would follow the new words.
    """
    version = clause.version
    return version.starts_at is not None and (version.ends_at is None or version.ends_at > clock.now())


def close_mapping(*, mapping: ClauseEnforcement, by: User) -> ClauseEnforcement:
    """Close a mapping whose control is gone or was named by mistake. Raises Conflict if it has ended."""
    with act("close mapping", by=by, initiative=mapping.initiative_id) as initiative:
        initiative_permissions.may_change_what_runs(initiative, by).or_refuse()
        mapping = ClauseEnforcement.objects.select_related("clause__version").get(pk=mapping.pk)
        if mapping.ended_at:
            raise Conflict(phrase("This control already ended on {}.", clock.local_day(mapping.ended_at)))
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
    """Record a decision on how the system is built, with its day. It does not change the stage."""
    wrong = {}
    if not title.strip():
        wrong["title"] = "Describe the decision in a few words."
    elif len(title.strip()) > LONGEST_TITLE:
        wrong["title"] = f"Use at most {LONGEST_TITLE} characters here, and write the rest below."
    if not text.strip():
        wrong["text"] = "Give the reasons, and the alternatives that you did not choose."
    if decided_on is None:
        wrong["decided_on"] = "Enter the day of the decision."
    elif decided_on > clock.today():
        wrong["decided_on"] = in_the_future(decided_on, clock.today())
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
    """Withdraw a decision that was wrongly recorded. It stays readable, with the person and the reason."""
    if not reason.strip():
        raise ValidationError({"reason": "Explain why the decision no longer applies."})
    with act(
        "withdraw architecture decision", by=by, initiative=decision.initiative_id, reason=reason
    ) as initiative:
        initiative_permissions.may_change_what_runs(initiative, by).or_refuse()
        decision = ArchitectureDecision.objects.get(pk=decision.pk)
        if decision.withdrawn_at:
            raise Conflict(
                phrase("This decision was already withdrawn on {}.", clock.local_day(decision.withdrawn_at))
            )
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
