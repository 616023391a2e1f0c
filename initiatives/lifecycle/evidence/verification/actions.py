"""Evidence opened and verified: what a person outside the team says of an item, bound to what they opened."""

from django.core.exceptions import ValidationError

from governance import clock
from governance.audit_log import entries
from governance.database import row_history
from governance.models import Rulebook, User
from governance.notifications.notify import notify
from governance.permission_result import Conflict, no
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.evidence.verification.permissions import may_verify, seat_to_verify_in
from initiatives.lifecycle.initiative.act import act, rewrite_supported_stage
from initiatives.models import Answer, Evidence, EvidenceOpening, Initiative, Verification


def open_item(*, initiative: Initiative, evidence: Evidence, way: str, by: User) -> EvidenceOpening:
    """Record that the person opened the item, before a byte of it leaves; the first opening is a row of its own.

    `way`: "look" or "download", as the entry keeps it. Raises Refused for who may not read evidence here.
    """
    initiative_permissions.may_open_file(initiative, by).or_refuse()
    with row_history.acting(by=by, reason=""):
        entries.record(
            EntryKind.EVIDENCE_OPENED,
            initiative=initiative,
            evidence=evidence.pk,
            title=evidence.title,
            sha256=evidence.sha256,
            way=way,
        )
        first, _ = EvidenceOpening.objects.get_or_create(
            evidence=evidence, person=by, defaults={"at": clock.now()}
        )
    return first


def verify(
    *,
    evidence: Evidence,
    requirement: str,
    shows: bool,
    place: str,
    words: str,
    fingerprint: str,
    answer_version: int,
    by: User,
) -> Verification:
    """Say that an item shows the answer to a requirement, or that it does not: `place` where in it, `words` what.

    `fingerprint` and `answer_version`: of the content and the answer that the person saw. Raises ValidationError by
    field, Refused with who may, Conflict where the item or the answer changed meanwhile.
    """
    wrong = {}
    if not words.strip():
        wrong["words"] = "Say in a sentence what you saw there." if shows else "Say why it does not show it."
    if shows and not place.strip():
        wrong["place"] = "Say where in it: a page, a row, a time, a heading."
    if wrong:
        raise ValidationError(wrong)
    with act("verify evidence", by=by, initiative=evidence.initiative_id) as initiative:
        evidence = Evidence.objects.get(pk=evidence.pk)
        rulebook = Rulebook.objects.current().parsed
        if (
            requirement not in rulebook.requirements
            or not evidence.coverage.filter(requirement=requirement).exists()
        ):
            no(f"{evidence.title} is not offered for that requirement.").or_refuse()
        may_verify(initiative, evidence, rulebook, requirement, by).or_refuse()
        opening = EvidenceOpening.objects.filter(evidence=evidence, person=by).first()
        if opening is None:
            no("You have not opened it yet.", "Open it here first; nothing is verified unopened.").or_refuse()
        if evidence.withdrawn_at or Evidence.objects.filter(supersedes=evidence).exists():
            raise Conflict(f"{evidence.title} no longer counts.", "Verify the item that took its place.")
        said = Answer.objects.filter(initiative=initiative, requirement=requirement).first()
        if (evidence.fingerprint, said.version if said else 0) != (fingerprint, answer_version):
            raise Conflict("The item or the answer changed since you opened the page.", "Read it again.")
        row = Verification(
            evidence=evidence,
            requirement=requirement,
            verifier=by,
            seat=seat_to_verify_in(initiative, rulebook, requirement, by),
            opening=opening,
            shows=shows,
            place=place.strip(),
            words=words.strip(),
            answer_version=answer_version,
            fingerprint=fingerprint,
            at=clock.now(),
        )
        row.save()
        entries.record(
            EntryKind.EVIDENCE_VERIFIED if shows else EntryKind.EVIDENCE_NOT_SHOWN,
            initiative=initiative,
            evidence=evidence.pk,
            title=evidence.title,
            requirement=requirement,
            seat=row.seat,
            place=row.place,
            words=row.words,
            answer=answer_version,
            fingerprint=fingerprint,
        )
        if not shows:
            _ask_author(initiative, row, said)
        rewrite_supported_stage(initiative)
    return row


def _ask_author(initiative: Initiative, row: Verification, said: Answer | None) -> None:
    """What a refusal asks reaches whoever wrote the answer, and whoever added the item, with its words."""
    question = Rulebook.objects.current().parsed.requirements[row.requirement].question
    for person in {row.evidence.author, *([said.by] if said else [])}:
        notify(
            person,
            "evidence not shown",
            f"verification:{row.pk}",
            period=clock.today().isoformat(),
            subject=f"{initiative.ref} {initiative.title}: {row.evidence.title} does not show it",
            text=f"{question} {row.verifier} opened it and says: {row.words}",
            link=f"/initiatives/{initiative.ref}/requirements/{row.requirement}/",
            initiative_ref=initiative.ref,
        )
