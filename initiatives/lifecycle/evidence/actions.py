"""Evidence: added, offered for more requirements, withdrawn, superseded, generated."""

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
from governance.gates.requirement_state import ACCEPTED_IN_PERSON, GENERATED_ONLY
from governance.models import Clause, ContractVersion, Rulebook, User
from governance.permission_result import Conflict, no
from governance.storage import data_folder, file_fingerprints
from governance.vocabulary import (
    EvidenceCondition,
    EvidenceKind,
    EvidenceRegister,
    EvidenceResult,
    ReviewOutcome,
)
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.changes.actions import void_late
from initiatives.lifecycle.evidence import artefact_kinds
from initiatives.lifecycle.findings.sync import follow
from initiatives.lifecycle.initiative.act import act, rewrite_supported_stage
from initiatives.models import (
    Answer,
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
    """What is wrong with an item before it is added, by field; empty when nothing is.

    `details`: what the form of its kind holds, by the names of its fields; each problem there bears the name of the
    kind as well (`test_report_n`). `register`: which register of the product writes it; such an item has no form.
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
        wrong["title"] = "Give it a title, for instance what it shows and when."
    elif why := emptiness(title):
        wrong["title"] = why
    if note.strip() and (why := _empty_note(rulebook, note, covers)):
        wrong["note"] = why
    if observed_on is None:
        wrong["observed_on"] = "Say on which day this was observed; its age counts from there."
    elif observed_on > clock.today():
        wrong["observed_on"] = f"{observed_on:%-d %B %Y} lies in the future; give the day it was observed."
    if kind in rulebook.result_kinds and result not in EvidenceResult:
        wrong["result"] = f"A {EvidenceKind(kind).label.lower()} has a result: pass, partial or fail."
    if kind not in rulebook.result_kinds and result:
        wrong["result"] = f"A {EvidenceKind(kind).label.lower()} carries no result."
    if kind in rulebook.condition_kinds and condition not in EvidenceCondition:
        wrong["condition"] = (
            "Say under which condition it was tried: curated, bounded real, or full population."
        )
    if kind not in rulebook.condition_kinds and condition:
        wrong["condition"] = f"A {EvidenceKind(kind).label.lower()} carries no test condition."
    wrong |= _check_covers(rulebook, kind, covers)
    if kind == "contract_clause" and clause is None and not (file or link):
        wrong["clause"] = "Choose the clause it refers to, or attach the vendor's clause."
    if clause is not None and (
        initiative.contract_id is None or clause.version.contract_id != initiative.contract_id
    ):
        wrong["clause"] = "That clause belongs to another contract."
    if kind not in ("attestation", "contract_clause") and not file and not link:
        wrong["file"] = "Attach a file or paste a link: evidence is something others can open."
    if kind in rulebook.detailed_kinds and not register:
        form = artefact_kinds.check(kind, details or {}, result=result, today=clock.today())
        wrong |= artefact_kinds.by_field(kind, form)
        if kind == EvidenceKind.LOG_SAMPLE:
            wrong |= _check_log(file)
    return wrong


def never_uploaded(kind: str) -> str:
    """Why an item of a kind that only a register of the product writes is not taken, as a sentence."""
    return f"It is never uploaded. {artefact_kinds.SOURCES[EvidenceKind(kind)].words}"


def _empty_note(rulebook, note, covers) -> str:
    asked = [rulebook.requirements[key].question for key in covers or () if key in rulebook.requirements]
    return next((why for question in ["", *asked] if (why := emptiness(note, question))), "")


def _check_log(file) -> dict:
    if file is None:
        return {"file": "Attach the sample itself: a link cannot be counted."}
    try:
        log_samples.count_file(file)
    except ValidationError as error:
        return {"file": error.message_dict["file"]}
    return {}


def _check_covers(rulebook, kind, covers) -> dict:
    if not covers:
        return {"covers": "Choose at least one requirement that this is evidence for."}
    for key in covers:
        if key not in rulebook.requirements:
            return {"covers": f"The rulebook asks nothing named {key}."}
        if key in GENERATED_ONLY:
            return {
                "covers": f"{rulebook.requirements[key].question} Its index is generated, never uploaded."
            }
        if kind not in rulebook.requirements[key].evidence:
            wanted = " or ".join(
                EvidenceKind(name).label.lower() for name in rulebook.requirements[key].evidence
            )
            given = EvidenceKind(kind).label.lower()
            return {"covers": f"{rulebook.requirements[key].question} This needs a {wanted}, not a {given}."}
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
    """Add one item of evidence for one or many requirements.

    `names`: the component, scope and contract versions it speaks of; None means those running that day. `details` and
    `register` as for `check_evidence`.
    Raises ValidationError by field; Conflict when the superseded item already has a successor.
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
            wrong["kind"] = "An attestation comes from saving the answer with 'valid from'."
        if wrong:
            raise ValidationError(wrong)
        if supersedes is not None and Evidence.objects.filter(supersedes=supersedes).exists():
            raise Conflict(
                f"{supersedes.title} was superseded already.", "Supersede the newest item instead."
            )
        if supersedes is not None and supersedes.initiative_id != initiative.pk:
            raise ValidationError({"supersedes": "That item belongs to another initiative."})
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
    """What is kept of the form of an item that `check_evidence` took; nothing where its kind has none in force."""
    if register:
        return artefact_kinds.of_register(EvidenceRegister(register))
    if kind not in Rulebook.objects.current().parsed.detailed_kinds:
        return {}
    if kind == EvidenceKind.LOG_SAMPLE:
        return artefact_kinds.of_log(log_samples.count_file(file))
    return artefact_kinds.read(kind, details or {})


def rewrite_for_item(initiative: Initiative, item: Evidence) -> None:
    """Rewrite the supported stage after this item came, covers more or was withdrawn; drill records speak in the
    register.
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
    details=None,
) -> Evidence:
    """The rows of one item, inside the running act. The file is written first, hashed while it streams.

    Raises ValidationError on "file" where the initiative has the same file as an item of another kind.
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
        store(item, file, page=bool(captured_from))
        _one_kind(initiative, item)
    elif generated:
        item.sha256 = hashlib.sha256(note.encode()).hexdigest()
    item.save()
    insert_many(
        Coverage,
        [Coverage(evidence=item, requirement=key, added_at=clock.now()) for key in dict.fromkeys(covers)],
    )
    named = names if names is not None else versions_named(initiative, observed_on, clause)
    insert_many(EvidenceNames, [_name(item, version) for version in named])
    void_late(initiative, item)
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
    )
    return item


def _one_kind(initiative: Initiative, item: Evidence) -> None:
    """One file is one kind of evidence on an initiative; as that kind it may serve many requirements."""
    same = initiative.evidence.filter(sha256=item.sha256, withdrawn_at__isnull=True)
    if other := same.exclude(kind=item.kind).order_by("pk").first():
        raise ValidationError(
            {
                "file": f"This file is here already as a {other.get_kind_display().lower()}, “{other.title}”. One file "
                "is one kind: offer that item for this requirement too, or withdraw it first if its kind was wrong."
            }
        )


def store(item: Evidence, file, *, page: bool = False) -> None:
    """Check a file and write it outside the web root under its own hash, streamed. Raises ValidationError.

    `page`: it was fetched, and may be a web page; a person's upload may not.
    """
    if why := data_folder.wrong():
        log.error("a file was turned away", reason=why)
        raise ValidationError(
            {
                "file": "Files cannot be kept now: their folder is not in its place. Tell an admin, and try again."
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
    place = f"evidence/{item.sha256[:2]}/{item.sha256}"
    # The name is the content: a file that is there already is the same file, unless somebody swapped it.
    there = file_fingerprints.state(place, item.sha256) == file_fingerprints.THERE
    item.file.name = place if there else default_storage.save(place, file)


def versions_named(initiative: Initiative, observed_on: date, clause: Clause | None = None) -> list:
    """What an item speaks of when nobody says: what ran that day, the scope then and the scope planned."""
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
        raise ValidationError({"names": f"The initiative has no link to {version}."})
    if isinstance(version, Deployment | ScopeVersion) and version.initiative_id != item.initiative_id:
        raise ValidationError({"names": "A version of another initiative cannot be named."})
    if isinstance(version, ContractVersion) and version.contract_id != item.initiative.contract_id:
        raise ValidationError({"names": "A version of another contract cannot be named."})
    return EvidenceNames(evidence=item, **{field: version})


def cover(*, evidence: Evidence, requirements: list[str], by: User) -> Evidence:
    """Offer an item that is there already for more requirements."""
    with act("offer evidence", by=by, initiative=evidence.initiative_id) as initiative:
        initiative_permissions.may_collaborate(initiative, by).or_refuse()
        evidence = Evidence.objects.get(pk=evidence.pk)
        rulebook = Rulebook.objects.current().parsed
        wrong = _check_covers(rulebook, evidence.kind, requirements)
        if evidence.withdrawn_at:
            wrong["covers"] = "This item was withdrawn."
        if wrong:
            raise ValidationError(wrong)
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
        raise ValidationError({"reason": "Say why it should not count."})
    with act("withdraw evidence", by=by, initiative=evidence.initiative_id, reason=reason) as initiative:
        initiative_permissions.may_collaborate(initiative, by).or_refuse()
        evidence = Evidence.objects.get(pk=evidence.pk)
        if evidence.withdrawn_at:
            raise Conflict("It was withdrawn already.")
        if Drill.objects.current().filter(evidence=evidence).exists():
            no("It is the drill record.", "Take the drill back; its record goes with it.").or_refuse()
        withdraw_row(initiative, evidence, reason.strip())
        rewrite_for_item(initiative, evidence)
    return evidence


def withdraw_row(initiative: Initiative, evidence: Evidence, why: str) -> None:
    """Withdraw an item inside the running act."""
    evidence.withdrawn_at, evidence.withdrawn_reason = clock.now(), why
    evidence.save()
    entries.record(
        EntryKind.EVIDENCE_WITHDRAWN, initiative=initiative, evidence=evidence.pk, title=evidence.title
    )


def generate_index(*, initiative: Initiative, by: User) -> Evidence:
    """Generate the index that answers `prod.q07_governance_evidence`: no free text, never uploaded."""
    with act("generate index", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_manage(initiative, by).or_refuse()
        item = write_index(initiative, by)
        rewrite_supported_stage(initiative)
    return item


def write_index(initiative: Initiative, by: User) -> Evidence:
    """The index as an item of evidence, inside the running act: contract, impact, earlier decisions, conditions."""
    key = next(iter(GENERATED_ONLY))
    text = index_text(initiative)
    answer = Answer.objects.filter(initiative=initiative, requirement=key).first()
    words = f"Generated index of {clock.today():%-d %B %Y}."
    if answer is None:
        Answer(
            initiative=initiative, requirement=key, kind="answered", text=words, by=by, at=clock.now()
        ).save()
    previous = initiative.evidence.filter(generated=True, superseded_by__isnull=True).order_by("-id").first()
    return create_evidence(
        initiative,
        kind="system_record",
        title=f"Governance index, {clock.today():%-d %B %Y}",
        observed_on=clock.today(),
        covers=[key],
        note=text,
        generated=True,
        supersedes=previous,
        by=by,
    )


def index_text(initiative: Initiative) -> str:
    """What the index says, in plain lines, from the rows as they stand."""
    lines = [f"Governance index of {initiative.ref}, {initiative.title}"]
    contract = initiative.contract.in_force_at(clock.now()) if initiative.contract_id else None
    if contract is None:
        lines.append("Contract: none in force.")
    else:
        lines.append(
            f"Contract: version {contract.number}, in force since {contract.starts_at:%-d %B %Y}, "
            f"sha-256 {contract.digest}"
        )
        lines += [f"  {clause.get_kind_display()}: {clause.sentence}" for clause in contract.clauses.all()]
    impact = Evidence.objects.filter(
        initiative=initiative, coverage__requirement="gov.impact", withdrawn_at__isnull=True
    )
    lines += [
        f"Impact assessment: {item.title}, observed {item.observed_on:%-d %B %Y}, {item.fingerprint}"
        for item in impact
    ]
    if not impact:
        lines.append("Impact assessment: none.")
    lines.append(f"Risk tier: {initiative.get_tier_display() or 'not confirmed'}")
    for review in initiative.reviews.exclude(outcome=ReviewOutcome.OPEN).order_by("id"):
        lines.append(
            f"Gate {review.gate}: {review.get_outcome_display().lower()}, {review.ended_at:%-d %B %Y}"
        )
        for sign_off in review.sign_offs.latest().select_related("person"):
            lines.append(
                f"  {sign_off.get_seat_display()}: {sign_off.get_verdict_display().lower()}, "
                f"{sign_off.person}, {sign_off.digest}"
            )
        for condition in review.conditions.all():
            state = (
                f"met {condition.met_at:%-d %B %Y}"
                if condition.met_at
                else f"open, due {condition.due:%-d %B %Y}"
            )
            lines.append(f"  Condition: {condition.text} ({state})")
    return "\n".join(lines) + "\n"
