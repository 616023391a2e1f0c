"""Acts on terms, definitions and their conflicts (S1-3, S1-10, S1-11, S1-18).

A definition belongs to its system and is read by every initiative that uses the term there. If a definition changes,
is withdrawn, or is contradicted by another of the same system, earlier evidence is void (`integration_schema`).
"""

from datetime import date

from django.core.exceptions import ValidationError

from governance import clock
from governance.audit_log import entries
from governance.models import User
from governance.permission_result import Conflict
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import joined, label, phrase
from initiatives.integration.comparison import facets, identifier_standards
from initiatives.integration.definitions import permissions
from initiatives.integration.definitions.conflicts import initiatives_that_rest_on
from initiatives.lifecycle.access.roles_and_seats import whom_to_ask
from initiatives.lifecycle.changes.actions import pull
from initiatives.lifecycle.findings.sync import follow, lock_initiatives
from initiatives.lifecycle.holds.deeds import open_gap
from initiatives.lifecycle.initiative.act import act, rewrite_supported_stages
from initiatives.models import (
    DefinitionConflict,
    Evidence,
    Gap,
    Initiative,
    System,
    Term,
    TermDefinition,
    TermUse,
)
from initiatives.models.integration.definitions import (
    ACCEPTED,
    GONE,
    OPEN,
    RECONCILED,
    SAID,
    STATED,
    UNDECIDED,
    VERDICTS,
)

LONGEST_NAME, LONGEST_FIELD, LONGEST_FORMAT, LONGEST_CAUSE = 80, 120, 200, 250
MOST_ROWS = 500


def name_term(*, name: str, meaning: str = "", by: User) -> Term:
    """Add a business term to the glossary, as architecture seat or admin. Raises ValidationError."""
    name = _term_name(name)
    with act("name term", by=by, register=True):
        permissions.may_name_terms(by).or_refuse()
        if Term.objects.filter(name__iexact=name).exists():
            raise ValidationError(
                {"name": phrase("The glossary already has {}. Change that term instead.", name)}
            )
        term = Term(name=name, meaning=meaning.strip(), by=by, at=clock.now())
        term.save()
        entries.record(EntryKind.TERM_NAMED, term=term.name, meaning=term.meaning)
    return term


def change_term(*, term: Term, name: str, meaning: str, by: User) -> Term:
    """Change the name or meaning of a business term, and compare initiatives again."""
    name = _term_name(name)
    with act("change term", by=by, register=True):
        permissions.may_name_terms(by).or_refuse()
        term = Term.objects.get(pk=term.pk)
        if Term.objects.filter(name__iexact=name).exclude(pk=term.pk).exists():
            raise ValidationError({"name": phrase("The glossary already has {}. Choose another name.", name)})
        before, after = (
            {"name": term.name, "meaning": term.meaning},
            {"name": name, "meaning": meaning.strip()},
        )
        if before == after:
            return term
        uses = TermUse.objects.filter(term=term, ended_at__isnull=True)
        initiatives = lock_initiatives(uses.values_list("initiative", flat=True))
        term.name, term.meaning = after["name"], after["meaning"]
        term.save()
        entries.record(EntryKind.TERM_CHANGED, term=before["name"], before=before, after=after)
        follow(initiatives)
    return term


def _term_name(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise ValidationError({"name": "Name the term, for example: customer."})
    if len(name) > LONGEST_NAME:
        raise ValidationError(
            {
                "name": phrase(
                    "The name is longer than {} characters. Write the meaning in the field below.",
                    LONGEST_NAME,
                )
            }
        )
    return name


def use_term(*, initiative: Initiative, name: str, by: User) -> TermUse:
    """Record that an initiative uses a term, on which its linked systems must agree.

    Raises ValidationError, also if the glossary does not have the term, or Refused.
    """
    name = _term_name(name)
    with act("use term", by=by, initiative=initiative, register=True) as initiative:
        permissions.may_use_terms(initiative, by).or_refuse()
        term = Term.objects.filter(name__iexact=name).first()
        if term is None:
            raise ValidationError(
                {"name": joined(phrase("The glossary does not have this term."), whom_to_ask())}
            )
        if TermUse.objects.filter(initiative=initiative, term=term, ended_at__isnull=True).exists():
            raise ValidationError({"name": phrase("The initiative already uses {}.", term)})
        row = TermUse(initiative=initiative, term=term, by=by, at=clock.now())
        row.save()
        entries.record(EntryKind.TERM_USED, initiative=initiative, term=term.name)
        follow([initiative])
    return row


def stop_using_term(*, use: TermUse, reason: str, by: User) -> TermUse:
    """Record that an initiative no longer uses a term, and why. Raises Conflict if it was recorded already."""
    with act(
        "stop using term", by=by, initiative=use.initiative_id, reason=reason, register=True
    ) as initiative:
        permissions.may_use_terms(initiative, by).or_refuse()
        use = TermUse.objects.select_related("term").get(pk=use.pk)
        if use.ended_at:
            raise Conflict(
                phrase("This term was removed from the initiative on {}.", clock.local_day(use.ended_at))
            )
        use.ended_at, use.ended_by = clock.now(), by
        use.save()
        entries.record(EntryKind.TERM_NO_LONGER_USED, initiative=initiative, term=use.term.name)
        follow([initiative])
    return use


def define(
    *,
    term: Term,
    system: System,
    field: str,
    meaning: str,
    identifier_format: str = "",
    business_logic: str = "",
    valid_from: date | None = None,
    valid_to: date | None = None,
    definition: TermDefinition | None = None,
    by: User,
    **stated: str,
) -> TermDefinition:
    """Write a definition of a term for a field of a system, or change `definition`.

    The definition holds from a day to a day. `stated` has its facets, by their names in `comparison.facets.STATED`. A
    missing facet is not stated. A new definition voids nothing, even if it contradicts another: the steward decides
    that conflict. A change of a definition that is relied on does. Raises ValidationError by field, or Refused.
    """
    if unknown := stated.keys() - STATED.keys():
        raise TypeError(f"No facets of a definition: {', '.join(sorted(unknown))}.")
    said = {
        "meaning": meaning.strip(),
        **{name: stated.get(name, "").strip() for name in STATED},
        "identifier_format": identifier_format.strip(),
        "business_logic": business_logic.strip(),
        "valid_from": valid_from,
        "valid_to": valid_to,
    }
    if wrong := _wrong(field, said):
        raise ValidationError(wrong)
    with act("define", by=by, register=True):
        system = System.objects.select_related("owner").get(pk=system.pk)
        permissions.may_define(system, by).or_refuse()
        row = _fresh(definition) if definition is not None else None
        if row is not None and (row.term_id != term.pk or row.system_id != system.pk):
            raise ValidationError(
                "The term and the system of a definition cannot change. Write another definition."
            )
        before = _said(row) if row is not None else None
        known = TermDefinition.objects.current().filter(term=term, system=system)
        if row is None:
            row = TermDefinition(term=term, system=system)
            if known.filter(field__iexact=field.strip(), **said).exists():
                raise ValidationError({"meaning": "This field already has the same definition."})
        row.field, row.by, row.at = field.strip(), by, clock.now()
        for name, value in said.items():
            setattr(row, name, value)
        if before == _said(row):
            return row
        initiatives = lock_initiatives(initiatives_that_rest_on(term.pk, system))
        row.save()
        kind = EntryKind.DEFINITION_WRITTEN if before is None else EntryKind.DEFINITION_CHANGED
        _record(kind, initiatives, row, **({} if before is None else {"before": before}))
        _reach(initiatives, row, what="" if before is None else _cause(row, before), by=by)
    return row


def withdraw_definition(*, definition: TermDefinition, reason: str, by: User) -> TermDefinition:
    """Withdraw a definition, and void what rests on it. It stays readable, with the person and the reason."""
    if not reason.strip():
        raise ValidationError({"reason": "Give the reason why you withdraw the definition."})
    with act("withdraw definition", by=by, register=True, reason=reason):
        row = _fresh(definition)
        permissions.may_define(row.system, by).or_refuse()
        initiatives = lock_initiatives(initiatives_that_rest_on(row.term_id, row.system))
        row.withdrawn_at, row.withdrawn_by, row.withdrawn_reason = clock.now(), by, reason.strip()
        row.save()
        _record(EntryKind.DEFINITION_WITHDRAWN, initiatives, row, why=row.withdrawn_reason)
        _reach(initiatives, row, what=f"{row}: withdrawn", by=by)
    return row


def _reach(initiatives, row: TermDefinition, *, what: str, by: User) -> None:
    """Update the initiatives that rest on a definition. `what`: the change that voids evidence, if any."""
    rewritten = {initiative.pk for initiative in follow(initiatives)}
    items = Evidence.objects.filter(
        initiative__in=[initiative.pk for initiative in initiatives], withdrawn_at__isnull=True
    )
    relied = set(items.values_list("initiative", flat=True)) if what else set()
    pulled = [initiative for initiative in initiatives if initiative.pk in relied]
    for initiative in pulled:
        pull(initiative, ["integration_schema"], what[:LONGEST_CAUSE], by=by, system=row.system)
    if pulled or rewritten:
        rewrite_supported_stages(
            [initiative for initiative in initiatives if initiative.pk in rewritten | relied]
        )


def _record(kind: str, initiatives: list[Initiative], row: TermDefinition, **facts) -> None:
    """Record one entry for each initiative, or one entry without an initiative."""
    facts |= {"definition": row.pk, "term": row.term.name, "system": row.system.name, "field": row.field}
    touched: list[Initiative | None] = [*initiatives] or [None]
    entries.record_many(kind, [(initiative, facts | {"said": _said(row)}) for initiative in touched])


def _said(row: TermDefinition) -> dict:
    return {"field": row.field} | {name: getattr(row, name) for name in SAID}


def _cause(row: TermDefinition, before: dict) -> str:
    """Return what changed, in words for voided evidence."""
    names = [name.replace("_", " ") for name, value in _said(row).items() if value != before[name]]
    return f"{row}: {', '.join(names)} changed"


def _fresh(definition: TermDefinition) -> TermDefinition:
    row = TermDefinition.objects.select_related("term", "system__owner").get(pk=definition.pk)
    if row.withdrawn_at:
        raise Conflict(phrase("This definition was withdrawn on {}.", clock.local_day(row.withdrawn_at)))
    return row


def _wrong(field: str, said: dict) -> dict[str, str]:
    """Return what is wrong with a definition, by field."""
    wrong = facets.wrong(said)
    for name in STATED:
        longest = TermDefinition._meta.get_field(name).max_length
        if longest and len(said[name]) > longest:
            wrong[name] = f"Use at most {longest} characters."
    if not field.strip():
        wrong["field"] = "Use the name that the system has for this field."
    elif len(field.strip()) > LONGEST_FIELD:
        wrong["field"] = f"Use at most {LONGEST_FIELD} characters."
    if not said["meaning"]:
        wrong["meaning"] = "Describe the meaning of the field in a few words."
    if len(said["identifier_format"]) > LONGEST_FORMAT:
        wrong["identifier_format"] = f"Use at most {LONGEST_FORMAT} characters."
    if said["valid_from"] and said["valid_to"] and said["valid_to"] < said["valid_from"]:
        wrong["valid_to"] = "The last day is before the first day. Change one of the two days."
    return wrong


# The steward's word


def reconcile(
    *,
    conflict: DefinitionConflict,
    decision: str,
    mapping: list[dict] = (),
    evidence: Evidence | None = None,
    by: User,
) -> DefinitionConflict:
    """Resolve a conflict as data steward, by a mapping table or evidence of one.

    Rows of `mapping` have `one`, `other` and `note`. The conflict stays resolved while both definitions are
    unchanged. Raises ValidationError, Refused or Conflict.
    """
    rows = [row for row in mapping if str(row.get("one", "")).strip() and str(row.get("other", "")).strip()]
    wrong = {}
    if not decision.strip():
        wrong["decision"] = "Describe how the two definitions are reconciled."
    if not rows and evidence is None:
        wrong["mapping"] = (
            "Write the table with one row on each line, or choose the evidence that contains it."
        )
    elif len(rows) > MOST_ROWS:
        wrong["mapping"] = f"Use at most {MOST_ROWS} rows. Add a longer table as evidence and choose it."
    if wrong:
        raise ValidationError(wrong)
    with act("reconcile", by=by, initiative=conflict.initiative_id, register=True) as initiative:
        row = _waiting(initiative, conflict, by, OPEN)
        if slip := _invalid(row, rows):
            raise ValidationError({"mapping": slip})
        if evidence is not None:
            evidence = Evidence.objects.get(pk=evidence.pk)
            if evidence.initiative_id != initiative.pk or evidence.withdrawn_at:
                raise ValidationError(
                    {"evidence": "Choose evidence of this initiative that was not withdrawn."}
                )
        row.mapping = [
            {name: str(one.get(name, "")).strip() for name in ("one", "other", "note")} for one in rows
        ]
        row.mapping_evidence = evidence
        _decide(row, RECONCILED, decision, by)
        entries.record(
            EntryKind.CONFLICT_RECONCILED,
            initiative=initiative,
            conflict=row.pk,
            facet=row.facet,
            words=row.words,
            decision=row.decision,
            rows=len(row.mapping),
            evidence=evidence.pk if evidence else None,
        )
        follow([initiative])
    return row


def _invalid(row: DefinitionConflict, mapping: list[dict]) -> str:
    """Return a message about the first identifier that breaks its standard, or blank."""
    if row.facet != "identifier_format":
        return ""
    for number, line in enumerate(mapping, start=1):
        for side, definition in (("one", row.one), ("other", row.other)):
            said, key = str(line[side]).strip(), definition.identifier_standard
            if not identifier_standards.valid(key, said):
                return (
                    f"Row {number}: “{said[:60]}” is not a valid {identifier_standards.name_of(key)}. "
                    "Check the row for a typing error."
                )
    return ""


def accept_difference(
    *,
    conflict: DefinitionConflict,
    decision: str,
    downstream: list[str],
    owner: User | None,
    due: date | None,
    by: User,
) -> Gap:
    """Accept a difference as data steward, as a gap with an owner and a last day.

    `downstream` names what has to work with the difference. Raises ValidationError, Refused or Conflict.
    """
    named = [one.strip() for one in downstream if one.strip()]
    wrong = {}
    if not decision.strip():
        wrong["decision"] = "Explain why the difference can stay, and for which rows."
    if not named:
        wrong["downstream"] = "Name the reports or systems that will show the difference."
    if owner is None:
        wrong["owner"] = "Choose the owner of the remaining gap."
    if due is None:
        wrong["due"] = "Choose the day by which the gap is closed."
    elif due < clock.today():
        wrong["due"] = "This day is in the past. Choose a later day."
    if wrong:
        raise ValidationError(wrong)
    with act("accept difference", by=by, initiative=conflict.initiative_id, register=True) as initiative:
        row = _waiting(initiative, conflict, by, OPEN)
        row.gap = open_gap(
            initiative=initiative,
            text=f"{row.words} Accepted: {decision.strip()}",
            owner=owner,
            due=due,
            downstream=named,
            by=by,
        )
        row.downstream = named
        _decide(row, ACCEPTED, decision, by)
        entries.record(
            EntryKind.DIFFERENCE_ACCEPTED,
            initiative=initiative,
            conflict=row.pk,
            facet=row.facet,
            words=row.words,
            decision=row.decision,
            downstream=named,
            gap=row.gap_id,
        )
        follow([initiative])
    return row.gap


def decide_pair(*, conflict: DefinitionConflict, verdict: str, decision: str, by: User) -> DefinitionConflict:
    """Decide as data steward what two uncompared definitions are, with a reason.

    `verdict` is "same", "different" on purpose, or "conflict", which blocks until it is reconciled or accepted. The
    verdict holds while both definitions are unchanged. Raises ValidationError, Refused or Conflict.
    """
    wrong = {}
    if verdict not in VERDICTS:
        wrong["verdict"] = "Choose one of the three answers."
    if not decision.strip():
        wrong["decision"] = "Explain your decision for people who read the data."
    if wrong:
        raise ValidationError(wrong)
    with act("decide pair", by=by, initiative=conflict.initiative_id, register=True) as initiative:
        row = _waiting(initiative, conflict, by, UNDECIDED)
        facts = {"conflict": row.pk, "facet": row.facet, "words": row.words, "decision": decision.strip()}
        if verdict == "same":
            _decide(row, RECONCILED, decision, by)
            entries.record(
                EntryKind.CONFLICT_RECONCILED, initiative=initiative, **facts, rows=0, evidence=None
            )
        elif verdict == "different":
            _decide(row, ACCEPTED, decision, by)
            entries.record(
                EntryKind.DIFFERENCE_ACCEPTED, initiative=initiative, **facts, downstream=[], gap=None
            )
        else:
            row.status, row.severity, row.found_at = OPEN, facets.BLOCKING, clock.now()
            row.words = f"{row.one} and {row.other} do not mean the same: {decision.strip()}"
            row.save()
            entries.record(EntryKind.CONFLICT_FOUND, initiative=initiative, **facts | {"words": row.words})
        follow([initiative])
    return row


def _waiting(
    initiative: Initiative, conflict: DefinitionConflict, by: User, status: str
) -> DefinitionConflict:
    """Return the conflict under the lock of its initiative, if it has this `status`.

    Raises Refused or Conflict.
    """
    permissions.may_decide_conflict(initiative, by).or_refuse()
    row = DefinitionConflict.objects.select_related(
        "decided_by", "one__term", "one__system", "other__term", "other__system"
    ).get(pk=conflict.pk)
    if row.decided_at is not None:
        raise Conflict(
            phrase(
                "{} already decided this conflict at {}.",
                row.decided_by,
                clock.moment_in_words(row.decided_at),
            )
        )
    if row.status == GONE:
        raise Conflict(
            "A definition changed, so this conflict no longer exists.", "Open the list of current conflicts."
        )
    if row.status != status:
        raise Conflict(
            phrase("The status of this conflict changed to: {}.", label(row.get_status_display())),
            "Open the list of current conflicts.",
        )
    return row


def _decide(row: DefinitionConflict, status: str, decision: str, by: User) -> None:
    row.status, row.decision = status, decision.strip()
    row.decided_by, row.decided_at = by, clock.now()
    row.save()
