"""Terms, what each system means by them, and how the steward resolves where they disagree (S1-3, S1-10, S1-11, S1-18).

A definition belongs to its system and is read by every initiative that uses the term there. Once one changes, is taken
back, or is contradicted by another of the same system, evidence from before is void (`integration_schema`).
"""

from datetime import date

from django.core.exceptions import ValidationError

from governance import clock
from governance.audit_log import entries
from governance.models import User
from governance.permission_result import Conflict
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.integration.comparison import facets, identifier_standards
from initiatives.integration.definitions import permissions
from initiatives.integration.definitions.conflicts import initiatives_that_rest_on
from initiatives.lifecycle.changes.actions import pull
from initiatives.lifecycle.findings.sync import follow, lock_initiatives
from initiatives.lifecycle.holds.actions import open_gap
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
    """Write a business term into the glossary, as the architecture seat or an admin. Raises ValidationError."""
    name = _term_name(name)
    with act("name term", by=by, register=True):
        permissions.may_name_terms(by).or_refuse()
        if Term.objects.filter(name__iexact=name).exists():
            raise ValidationError({"name": f"The glossary has {name} already."})
        term = Term(name=name, meaning=meaning.strip(), by=by, at=clock.now())
        term.save()
        entries.record(EntryKind.TERM_NAMED, term=term.name, meaning=term.meaning)
    return term


def change_term(*, term: Term, name: str, meaning: str, by: User) -> Term:
    """Call a business term otherwise, or say anew what the company means by it; initiatives that use it are compared
    anew.
    """
    name = _term_name(name)
    with act("change term", by=by, register=True):
        permissions.may_name_terms(by).or_refuse()
        term = Term.objects.get(pk=term.pk)
        if Term.objects.filter(name__iexact=name).exclude(pk=term.pk).exists():
            raise ValidationError({"name": f"The glossary has {name} already."})
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
        raise ValidationError({"name": "Name the term, for instance: customer."})
    if len(name) > LONGEST_NAME:
        raise ValidationError({"name": f"At most {LONGEST_NAME} letters; what it means belongs below."})
    return name


def use_term(*, initiative: Initiative, name: str, by: User) -> TermUse:
    """Say that an initiative uses a term of the glossary: its linked systems have to agree on it.

    Raises ValidationError, also where the glossary does not have it; Refused.
    """
    name = _term_name(name)
    with act("use term", by=by, initiative=initiative, register=True) as initiative:
        permissions.may_use_terms(initiative, by).or_refuse()
        term = Term.objects.filter(name__iexact=name).first()
        if term is None:
            raise ValidationError({"name": "The glossary does not have this term: propose it there first."})
        if TermUse.objects.filter(initiative=initiative, term=term, ended_at__isnull=True).exists():
            raise ValidationError({"name": f"The initiative uses {term} already."})
        row = TermUse(initiative=initiative, term=term, by=by, at=clock.now())
        row.save()
        entries.record(EntryKind.TERM_USED, initiative=initiative, term=term.name)
        follow([initiative])
    return row


def stop_using_term(*, use: TermUse, reason: str, by: User) -> TermUse:
    """Say that an initiative no longer uses a term, and why. Raises Conflict when it was said already."""
    with act(
        "stop using term", by=by, initiative=use.initiative_id, reason=reason, register=True
    ) as initiative:
        permissions.may_use_terms(initiative, by).or_refuse()
        use = TermUse.objects.select_related("term").get(pk=use.pk)
        if use.ended_at:
            raise Conflict(f"It was taken out on {clock.local_day(use.ended_at):%-d %B %Y} already.")
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
    source_key: str = "",
    by: User,
    **stated: str,
) -> TermDefinition:
    """Write down what a field of a system means by a term, from a day to a day; with `definition`, write it anew.

    `stated`: its facets, by their names in `comparison.STATED`; what is left out is not stated.
    A description voids nothing, though it contradicts another: that is a conflict, for the steward to decide. A change
    of one that is relied on does. Raises ValidationError by field, or Refused.
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
            raise ValidationError("A definition stays with its term and system; write another one.")
        before = _said(row) if row is not None else None
        known = TermDefinition.objects.current().filter(term=term, system=system)
        if row is None:
            row = TermDefinition(term=term, system=system, source_key=source_key)
            if known.filter(field__iexact=field.strip(), **said).exists():
                raise ValidationError({"meaning": "The field is defined like this already."})
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
    """Take a definition back. It stays readable, with who took it back and why, and voids what rested on it."""
    if not reason.strip():
        raise ValidationError({"reason": "Say why it does not stand."})
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
    """Let a definition reach the initiatives that rest on it: conflicts, the register; `what` changed, if any,
    voids.
    """
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
    """One entry an initiative that rests on it; one of no initiative where none does."""
    facts |= {"definition": row.pk, "term": row.term.name, "system": row.system.name, "field": row.field}
    touched: list[Initiative | None] = [*initiatives] or [None]
    entries.record_many(kind, [(initiative, facts | {"said": _said(row)}) for initiative in touched])


def _said(row: TermDefinition) -> dict:
    return {"field": row.field} | {name: getattr(row, name) for name in SAID}


def _cause(row: TermDefinition, before: dict) -> str:
    """What changed, in words that stand beside voided evidence."""
    names = [name.replace("_", " ") for name, value in _said(row).items() if value != before[name]]
    return f"{row}: {', '.join(names)} changed"


def _fresh(definition: TermDefinition) -> TermDefinition:
    row = TermDefinition.objects.select_related("term", "system__owner").get(pk=definition.pk)
    if row.withdrawn_at:
        raise Conflict(f"It was withdrawn on {clock.local_day(row.withdrawn_at):%-d %B %Y} already.")
    return row


def _wrong(field: str, said: dict) -> dict[str, str]:
    """What is wrong with a definition, by field."""
    wrong = facets.wrong(said)
    for name in STATED:
        longest = TermDefinition._meta.get_field(name).max_length
        if longest and len(said[name]) > longest:
            wrong[name] = f"At most {longest} letters."
    if not field.strip():
        wrong["field"] = "Name the field, as the system calls it."
    elif len(field.strip()) > LONGEST_FIELD:
        wrong["field"] = f"At most {LONGEST_FIELD} letters."
    if not said["meaning"]:
        wrong["meaning"] = "Say what the field means, in a few words."
    if len(said["identifier_format"]) > LONGEST_FORMAT:
        wrong["identifier_format"] = f"At most {LONGEST_FORMAT} letters."
    if said["valid_from"] and said["valid_to"] and said["valid_to"] < said["valid_from"]:
        wrong["valid_to"] = "It ends before it starts."
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
    """Resolve a conflict, as data steward: by a table of what is what (`one`, `other`, `note`), or an item with it.

    It stays resolved while both definitions stay as they are. Raises ValidationError, Refused or Conflict.
    """
    rows = [row for row in mapping if str(row.get("one", "")).strip() and str(row.get("other", "")).strip()]
    wrong = {}
    if not decision.strip():
        wrong["decision"] = "Say how the two are brought together."
    if not rows and evidence is None:
        wrong["mapping"] = "Write the table, one row a line, or choose the item that holds it."
    elif len(rows) > MOST_ROWS:
        wrong["mapping"] = f"At most {MOST_ROWS} rows; add a longer table as evidence and choose it."
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
                    {"evidence": "Choose an item of this initiative that was not withdrawn."}
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
    """The first identifier of a table that does not follow the standard which its definition names; blank: none."""
    if row.facet != "identifier_format":
        return ""
    for number, line in enumerate(mapping, start=1):
        for side, definition in (("one", row.one), ("other", row.other)):
            said, key = str(line[side]).strip(), definition.identifier_standard
            if not identifier_standards.valid(key, said):
                return (
                    f"Row {number}: “{said[:60]}” is no {identifier_standards.name_of(key)}; look for a slip."
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
    """Accept a difference, as data steward, naming what lives with it downstream: a gap with an owner and a last day.

    Raises ValidationError, Refused or Conflict.
    """
    named = [one.strip() for one in downstream if one.strip()]
    wrong = {}
    if not decision.strip():
        wrong["decision"] = "Say why the difference can be lived with, and for which rows."
    if not named:
        wrong["downstream"] = "Name the reports or systems that will show the difference."
    if owner is None:
        wrong["owner"] = "Say who owns the gap that is left."
    if due is None:
        wrong["due"] = "Say by when it is closed."
    elif due < clock.today():
        wrong["due"] = "The day lies in the past."
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
    """Say of two definitions that nobody has compared what they are, as data steward, with a reason.

    `verdict`: "same"; "different", on purpose; or "conflict", which blocks until it is reconciled or accepted. It
    stands while both definitions stay as they are. Raises ValidationError, Refused or Conflict.
    """
    wrong = {}
    if verdict not in VERDICTS:
        wrong["verdict"] = "Choose one of the three."
    if not decision.strip():
        wrong["decision"] = "Say why, so that whoever reads the data understands."
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
    """The conflict as it stands under the lock of its initiative, in the status in which it was seen.

    Raises Refused or Conflict.
    """
    permissions.may_decide_conflict(initiative, by).or_refuse()
    row = DefinitionConflict.objects.select_related(
        "decided_by", "one__term", "one__system", "other__term", "other__system"
    ).get(pk=conflict.pk)
    if row.decided_at is not None:
        raise Conflict(f"{row.decided_by} decided this at {clock.moment_in_words(row.decided_at)} already.")
    if row.status == GONE:
        raise Conflict("It is gone: a definition changed since.", "Look at what is open now.")
    if row.status != status:
        raise Conflict(f"It stands otherwise now: {row.get_status_display()}.", "Look at what is open now.")
    return row


def _decide(row: DefinitionConflict, status: str, decision: str, by: User) -> None:
    row.status, row.decision = status, decision.strip()
    row.decided_by, row.decided_at = by, clock.now()
    row.save()
