"""Acts on evidence: add, cover more requirements, withdraw, supersede, generate."""

import hashlib
from datetime import date

import structlog
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage

from governance import clock
from governance.audit_log import entries
from governance.database.row_history import insert_many
from governance.files import log_samples
from governance.files.plain_text import emptiness
from governance.files.upload_policy import check_file, tidy_name
from governance.gates.evidence_rules import about_another
from governance.gates.requirement_state import ACCEPTED_IN_PERSON, GENERATED_ONLY
from governance.models import Clause, ContractVersion, Rulebook, User
from governance.permission_result import Conflict, no
from governance.storage import data_folder, file_fingerprints
from governance.vocabulary import (
    EvidenceCondition,
    EvidenceKind,
    EvidenceRegister,
    EvidenceResult,
)
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import in_the_future, label, phrase
from initiatives.lifecycle.changes.actions import void_late
from initiatives.lifecycle.evidence import artefact_kinds
from initiatives.lifecycle.facts.initiative_rows import first_day_of
from initiatives.lifecycle.findings.sync import follow
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.act import act, rewrite_supported_stage
from initiatives.models import (
    Coverage,
    Deployment,
    Drill,
    Evidence,
    EvidenceNames,
    Initiative,
    RoleAssignment,
    ScopeVersion,
    System,
)

log = structlog.get_logger("plumbline.evidence")
FOLDER = "evidence"  # in the store of files


def check_evidence(
    initiative: Initiative,
    *,
    kind,
    title,
    observed_on,
    covers,
    result="",
    condition="",
    file=None,
    link="",
    clause=None,
    note="",
    details=None,
    register="",
) -> dict:
    """Return the errors of an item before it is added, by field. Empty if it can be added.

    `details` has the form of the item's kind by names of fields, whose errors have the kind in their names
    (`test_report_n`). `register` is the register of Plumbline that writes the item. An item of a register has no
    form.
    """
    rulebook = Rulebook.objects.current().parsed
    wrong = {}
    if kind not in EvidenceKind:
        wrong["kind"] = "Choose the kind of evidence."
        return wrong
    cited = kind == EvidenceKind.CONTRACT_CLAUSE and clause is not None
    if kind in rulebook.register_kinds and not (register or cited):
        wrong["kind"] = never_uploaded(kind)
        return wrong
    if not title.strip():
        wrong["title"] = "Give the item a title, for instance what it shows and when."
    elif why := emptiness(title):
        wrong["title"] = why
    if note.strip() and (why := _empty_note(rulebook, note, covers)):
        wrong["note"] = why
    if observed_on is None:
        wrong["observed_on"] = (
            "Enter the day on which this was observed. The age of the evidence counts from this day."
        )
    elif observed_on > clock.today():
        wrong["observed_on"] = in_the_future(observed_on, clock.today())
    if kind in rulebook.result_kinds and result not in EvidenceResult:
        wrong["result"] = f"A {EvidenceKind(kind).label.lower()} has a result: pass, partial or fail."
    if kind not in rulebook.result_kinds and result:
        wrong["result"] = f"A {EvidenceKind(kind).label.lower()} has no result. Leave the result empty."
    if kind in rulebook.condition_kinds and condition not in EvidenceCondition:
        wrong["condition"] = "Choose the test condition: curated, bounded real, or full population."
    if kind not in rulebook.condition_kinds and condition:
        wrong["condition"] = (
            f"A {EvidenceKind(kind).label.lower()} has no test condition. Leave the test condition empty."
        )
    wrong |= _check_covers(rulebook, kind, covers, (details or {}).get("tested", ""))
    if kind == "contract_clause" and clause is None and not (file or link):
        wrong["clause"] = "Choose the clause, or attach the vendor's clause."
    if clause is not None and (
        initiative.contract_id is None or clause.version.contract_id != initiative.contract_id
    ):
        wrong["clause"] = "This clause belongs to another contract. Choose a clause of this contract."
    if kind not in ("attestation", "contract_clause") and not file and not link:
        wrong["file"] = "Attach a file or paste a link, so that others can open the evidence."
    if kind in rulebook.detailed_kinds and not register:
        form = artefact_kinds.check(kind, details or {}, result=result, today=clock.today())
        wrong |= artefact_kinds.by_field(kind, form)
        if kind == EvidenceKind.LOG_SAMPLE:
            wrong |= _check_log(file)
    return wrong


def never_uploaded(kind: str) -> str:
    """Return why an item of a kind that only a register writes is refused."""
    return f"This kind of evidence cannot be uploaded. {artefact_kinds.SOURCES[EvidenceKind(kind)].words}"


def _empty_note(rulebook, note, covers) -> str:
    asked = [rulebook.requirements[key].question for key in covers or () if key in rulebook.requirements]
    return next((why for question in ["", *asked] if (why := emptiness(note, question))), "")


def _check_log(file) -> dict:
    if file is None:
        return {"file": "Attach the sample itself. Plumbline cannot count the rows behind a link."}
    try:
        log_samples.count_file(file)
    except ValidationError as error:
        return {"file": error.message_dict["file"]}
    return {}


def _check_covers(rulebook, kind, covers, tested) -> dict:
    if not covers:
        return {"covers": "Choose at least one requirement that this item answers."}
    for key in covers:
        if key not in rulebook.requirements:
            return {"covers": f"The rulebook has no requirement named {key}."}
        if key in GENERATED_ONLY:
            return {
                "covers": (
                    f"{rulebook.requirements[key].question} Plumbline generates this index, so it cannot be "
                    "uploaded."
                )
            }
        if kind not in rulebook.requirements[key].evidence:
            wanted = " or ".join(
                EvidenceKind(name).label.lower() for name in rulebook.requirements[key].evidence
            )
            given = EvidenceKind(kind).label.lower()
            return {
                "covers": f"{rulebook.requirements[key].question} The requirement needs a {wanted}, not a {given}."
            }
        if not rulebook.requirements[key].takes(kind, tested):
            given = EvidenceKind(kind).label
            said = about_another(rulebook.requirements[key], tested)
            return {"covers": f"{rulebook.requirements[key].question} The {given.lower()} {said}"}
        if kind == "attestation" and key in ACCEPTED_IN_PERSON:
            return {
                "covers": f"{rulebook.requirements[key].question} Only the person's own acceptance counts."
            }
    return {}


def add_evidence(
    *,
    initiative: Initiative,
    kind: str,
    title: str,
    observed_on: date,
    covers: list[str],
    note: str = "",
    file=None,
    link: str = "",
    clause: Clause | None = None,
    result: str = "",
    condition: str = "",
    supersedes: Evidence | None = None,
    names=None,
    details: dict | None = None,
    register: str = "",
    by: User,
) -> Evidence:
    """Add one item of evidence for one or many requirements. `check_evidence` explains `details` and `register`.

    `names` are the component, scope and contract versions that the item names, by default those running that day.
    Raises ValidationError by field, and Conflict if the superseded item already has a successor.
    """
    with act("add evidence", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_collaborate(initiative, by).or_refuse()
        said = {
            "kind": kind,
            "observed_on": observed_on,
            "covers": covers,
            "file": file,
            "link": link,
            "clause": clause,
            "result": result,
            "condition": condition,
        }
        wrong = check_evidence(initiative, title=title, note=note, details=details, register=register, **said)
        if kind == "attestation":
            wrong["kind"] = "Save the answer with a day under “Valid from” to attest it."
        if wrong:
            raise ValidationError(wrong)
        if supersedes is not None and Evidence.objects.filter(supersedes=supersedes).exists():
            raise Conflict(phrase("{} was already replaced.", supersedes.title), "Replace the newest item.")
        if supersedes is not None and (supersedes.initiative_id != initiative.pk or supersedes.withdrawn_at):
            raise ValidationError({"supersedes": "Choose an item of this initiative that was not withdrawn."})
        item = create_evidence(
            initiative,
            title=title.strip(),
            note=note.strip(),
            supersedes=supersedes,
            names=names,
            details=kept_details(kind, details, file, register),
            by=by,
            **said,
        )
        rewrite_for_item(initiative, item)
    return item


def kept_details(kind: str, details: dict | None, file, register: str = "") -> dict:
    """Return the details to store for an item. They are the form, if its kind has one in force, and counts."""
    if register:
        return artefact_kinds.of_register(EvidenceRegister(register), (details or {}).get("tested", ""))
    counted = artefact_kinds.of_file(*log_samples.size_of(file)) if file is not None else {}
    if kind not in Rulebook.objects.current().parsed.detailed_kinds:
        return counted
    if kind == EvidenceKind.LOG_SAMPLE:
        return artefact_kinds.of_log(log_samples.count_file(file))
    return artefact_kinds.read(kind, details or {}) | counted


def rewrite_for_item(initiative: Initiative, item: Evidence) -> None:
    """Rewrite the supported stage after this item was added, changed or withdrawn.

    A drill record also changes findings of the register, and `follow` then rewrites the stage.
    """
    if item.kind != EvidenceKind.DRILL_RECORD or not follow([initiative]):
        rewrite_supported_stage(initiative)


def create_evidence(
    initiative: Initiative,
    *,
    kind,
    title,
    observed_on,
    covers,
    by,
    note="",
    file=None,
    link="",
    clause=None,
    result="",
    condition="",
    supersedes=None,
    names=None,
    acceptance: RoleAssignment | None = None,
    generated=False,
    captured_from="",
    as_sent=False,
    details=None,
) -> Evidence:
    """Create the rows of one item inside the running act. The file is written first, and hashed while it streams.

    `as_sent` is True for a file that a pipeline sent. It may look like a web page, as XML does, and is served as text.
    Raises ValidationError on "file" if the initiative has the same file as an item of another kind.
    """
    item = Evidence(
        initiative=initiative,
        kind=kind,
        title=title,
        note=note,
        details=details or {},
        link=link,
        clause=clause,
        observed_on=observed_on,
        result=result,
        condition=condition,
        author=by,
        added_at=clock.now(),
        supersedes=supersedes,
        acceptance=acceptance,
        generated=generated,
        captured_at=clock.now() if captured_from else None,
    )
    if file is not None:
        store(item, file, page=bool(captured_from) or as_sent)
        _one_kind(initiative, item)
    elif generated:
        item.sha256 = hashlib.sha256(note.encode()).hexdigest()
    replaced = first_day_of(supersedes) if supersedes else date.min
    item.save()
    insert_many(
        Coverage,
        [Coverage(evidence=item, requirement=key, added_at=clock.now()) for key in dict.fromkeys(covers)],
    )
    named = names if names is not None else versions_named(initiative, observed_on, clause)
    insert_many(EvidenceNames, [_name(item, version) for version in named])
    void_late(initiative, item)
    first = first_day_of(item)
    entries.record(
        EntryKind.EVIDENCE_ADDED,
        initiative=initiative,
        evidence=item.pk,
        evidence_kind=kind,
        title=title,
        covers=list(covers),
        observed_on=observed_on,
        sha256=item.sha256,
        link=link,
        result=result,
        condition=condition,
        supersedes=supersedes.pk if supersedes else None,
        **({"captured_from": captured_from} if captured_from else {}),
        **({"details": details} if details else {}),
        **({"known_since": first} if first < observed_on else {}),
        **({"replaces_newer": replaced} if first < replaced else {}),
    )
    return item


def _one_kind(initiative: Initiative, item: Evidence) -> None:
    """Raise ValidationError if the file is evidence of another kind here."""
    same = initiative.evidence.filter(sha256=item.sha256, withdrawn_at__isnull=True)
    if other := same.exclude(kind=item.kind).order_by("pk").first():
        raise ValidationError(
            {
                "file": phrase(
                    "The same file is already here as a {}, “{}”. A file has one kind. Link that item to "
                    "this requirement as well. If its kind is wrong, withdraw the item first.",
                    label(other.get_kind_display(), inside=True),
                    other.title,
                )
            }
        )


def store(item: Evidence, file, *, page: bool = False) -> None:
    """Check a file and stream it to storage outside the web root, named by its hash. Raises ValidationError.

    `page` is True for a fetched or filed text, which may look like a web page. An upload of a person may not.
    """
    if why := data_folder.wrong():
        log.error("a file was turned away", reason=why)
        raise ValidationError(
            {
                "file": (
                    "Files cannot be stored now: the storage folder is not available. Tell an admin, and "
                    "try again."
                )
            }
        )
    item.content_type = check_file(file, page=page)
    digest = hashlib.sha256()
    size = 0
    for chunk in file.chunks():
        digest.update(chunk)
        size += len(chunk)
    file.seek(0)
    item.sha256, item.size = digest.hexdigest(), size
    item.file_name = tidy_name(file.name)
    place = f"{FOLDER}/{item.sha256[:2]}/{item.sha256}"
    # The name is the content: a file that is there already is the same file, unless somebody swapped it.
    there = file_fingerprints.state(place, item.sha256) == file_fingerprints.THERE
    item.file.name = place if there else default_storage.save(place, file)


def versions_named(initiative: Initiative, observed_on: date, clause: Clause | None = None) -> list:
    """Return what an item names by default. These are the day's versions, contract and scopes, and planned scopes."""
    moment = min(clock.now(), clock.midnight_after(observed_on))
    deployments = initiative.deployments.select_related("version")
    running = list(deployments.running_at(clock.now() if observed_on == clock.today() else moment))
    scopes = [
        scope
        for scope in initiative.scopes.all()
        if (scope.ended_at is None or scope.ended_at > moment)
        and (scope.starts_at is None or scope.starts_at <= moment)
    ]
    contract = (
        clause.version
        if clause
        else (initiative.contract.in_force_at(moment) if initiative.contract_id else None)
    )
    return [*running, *scopes, *([contract] if contract else [])]


def _name(item: Evidence, version) -> EvidenceNames:
    field = {
        "Deployment": "deployment",
        "ScopeVersion": "scope_version",
        "ContractVersion": "contract_version",
        "System": "system",
    }[type(version).__name__]
    if isinstance(version, System) and not item.initiative.links.filter(system=version).exists():
        why = phrase("The initiative has no link to {}. Choose a linked system.", version)
        raise ValidationError({"names": why})
    if isinstance(version, Deployment | ScopeVersion) and version.initiative_id != item.initiative_id:
        raise ValidationError(
            {"names": "This version belongs to another initiative. Choose a version of this initiative."}
        )
    if isinstance(version, ContractVersion) and version.contract_id != item.initiative.contract_id:
        raise ValidationError(
            {"names": "This contract version belongs to another contract. Choose a version of this contract."}
        )
    return EvidenceNames(evidence=item, **{field: version})


def cover(*, evidence: Evidence, requirements: list[str], by: User) -> Evidence:
    """Offer an existing item for more requirements."""
    with act("offer evidence", by=by, initiative=evidence.initiative_id) as initiative:
        initiative_permissions.may_collaborate(initiative, by).or_refuse()
        evidence = Evidence.objects.get(pk=evidence.pk)
        rulebook = Rulebook.objects.current().parsed
        wrong = _check_covers(rulebook, evidence.kind, requirements, evidence.details.get("tested", ""))
        if evidence.withdrawn_at:
            wrong["covers"] = "This item was withdrawn. Choose another item."
        if wrong:
            raise ValidationError({"requirements": [*wrong.values()]})
        have = set(evidence.coverage.values_list("requirement", flat=True))
        new = [key for key in dict.fromkeys(requirements) if key not in have]
        for key in new:
            Coverage(evidence=evidence, requirement=key, added_at=clock.now()).save()
        void_late(initiative, evidence, keys=new)
        if new:
            entries.record(
                EntryKind.EVIDENCE_OFFERED, initiative=initiative, evidence=evidence.pk, covers=new
            )
            rewrite_for_item(initiative, evidence)
    return evidence


def withdraw_evidence(*, evidence: Evidence, reason: str, by: User) -> Evidence:
    """Withdraw an item that should not have been added. It stays readable and stops counting."""
    if not reason.strip():
        raise ValidationError({"reason": "Explain why this item should not count."})
    with act("withdraw evidence", by=by, initiative=evidence.initiative_id, reason=reason) as initiative:
        initiative_permissions.may_collaborate(initiative, by).or_refuse()
        evidence = Evidence.objects.get(pk=evidence.pk)
        if evidence.withdrawn_at:
            raise Conflict("This item was already withdrawn.")
        if Drill.objects.current().filter(evidence=evidence).exists():
            no(
                "This item is a drill record.", "Withdraw the drill. The drill record is then withdrawn too."
            ).or_refuse()
        withdraw_row(initiative, evidence, reason.strip())
        rewrite_for_item(initiative, evidence)
    return evidence


def withdraw_row(initiative: Initiative, evidence: Evidence, why: str) -> None:
    """Withdraw an item inside the running act. The item that it replaced counts again, as long as it is current.

    If a newer item replaced the withdrawn one, what it replaced stays replaced until the newer one is withdrawn too.
    """
    evidence.withdrawn_at, evidence.withdrawn_reason = clock.now(), why
    evidence.save()
    again, last = None, evidence
    while last is not None and last.withdrawn_at and not Evidence.objects.filter(supersedes=last).exists():
        again = last.supersedes
        last.supersedes = None
        last.save()
        last = again
    entries.record(
        EntryKind.EVIDENCE_WITHDRAWN,
        initiative=initiative,
        evidence=evidence.pk,
        title=evidence.title,
        **({"again": again.title} if again is not None else {}),
    )
