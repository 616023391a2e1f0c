"""Acts of opening and verifying evidence. A verification by a person outside the team is bound to what they opened."""

from django.core.exceptions import ValidationError

from governance import clock
from governance.audit_log import entries
from governance.database import row_history
from governance.files.file_previews import AS_TEXT
from governance.gates.evidence_rules import names_a_page
from governance.models import Rulebook, User
from governance.permission_result import Conflict, no
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from governance.vocabulary.readable_text import sentence_key
from initiatives.lifecycle.access import visibility
from initiatives.lifecycle.evidence.verification import second_looks
from initiatives.lifecycle.evidence.verification.permissions import may_verify, seat_to_verify_in
from initiatives.lifecycle.evidence.verification.queries import other_item_with_words
from initiatives.lifecycle.initiative.act import act, rewrite_supported_stage
from initiatives.lifecycle.reminders.telling import tell
from initiatives.models import Answer, Evidence, EvidenceOpening, Initiative, Verification


def open_item(*, initiative: Initiative, evidence: Evidence, way: str, by: User) -> EvidenceOpening:
    """Record that the person opened the item, before its file is sent. The first opening gets its own row.

    `way` is "look" or "download", as in the entry. Raises Refused if the person may not read evidence here.
    """
    visibility.may_open_file(initiative, by).or_refuse()
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
    """Verify that an item shows an answer, or does not: `place` where, `words` what.

    `fingerprint` and `answer_version` are those of the content and the answer that the person saw. Raises
    ValidationError by field (also for words that the person wrote about another content), Refused, and Conflict if
    the item or the answer changed meanwhile.
    """
    wrong = {}
    if not sentence_key(words):
        wrong["words"] = (
            "Describe in a sentence what you saw."
            if shows
            else "Explain why this evidence does not support the answer."
        )
    if shows and not place.strip():
        wrong["place"] = "Enter the place in the document: a page, a row, a time or a heading."
    elif evidence.content_type in AS_TEXT and names_a_page(place):
        wrong["place"] = f"{evidence.file_name} has no pages. Enter a row, a line, a heading or a time."
    if wrong:
        raise ValidationError(wrong)
    with act("verify evidence", by=by, initiative=evidence.initiative_id) as initiative:
        evidence = Evidence.objects.get(pk=evidence.pk)
        rulebook = Rulebook.objects.current().parsed
        if (
            requirement not in rulebook.requirements
            or not evidence.coverage.filter(requirement=requirement).exists()
        ):
            no(phrase("{} is not linked to this requirement.", evidence.title)).or_refuse()
        may_verify(initiative, evidence, rulebook, requirement, by).or_refuse()
        opening = EvidenceOpening.objects.filter(evidence=evidence, person=by).first()
        if opening is None:
            no(
                phrase("You have not opened {} yet.", evidence.title), "First open the evidence on this page."
            ).or_refuse()
        if evidence.withdrawn_at or Evidence.objects.filter(supersedes=evidence).exists():
            raise Conflict(
                phrase("{} no longer counts.", evidence.title), "Verify the item that replaced it."
            )
        said = Answer.objects.filter(initiative=initiative, requirement=requirement).first()
        if (evidence.fingerprint, said.version if said else 0) != (fingerprint, answer_version):
            raise Conflict("The item or the answer changed after you opened the page.", "Read both again.")
        if (other := other_item_with_words(by, words, fingerprint)) is not None:
            raise ValidationError(
                {
                    "words": phrase(
                        "You already wrote this sentence about “{}” of {}. Describe what you saw in this "
                        "item.",
                        other.title,
                        other.initiative.ref,
                    )
                }
            )
        first = second_looks.open_for(initiative, by).get((evidence.pk, requirement))
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
            second_to=first,
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
        if first is not None:
            entries.record(
                EntryKind.SECOND_LOOK_TAKEN,
                initiative=initiative,
                evidence=evidence.pk,
                title=evidence.title,
                requirement=requirement,
                verdict="agrees" if shows else "disagrees",
                verification=first.pk,
            )
        if not shows:
            _ask_author(initiative, row, said)
        rewrite_supported_stage(initiative)
    return row


def _ask_author(initiative: Initiative, row: Verification, said: Answer | None) -> None:
    """Notify the authors of answer and item of a refusal, with its words."""
    question = Rulebook.objects.current().parsed.requirements[row.requirement].question
    saw = (
        f"{row.verifier} opened the evidence{' for a second verification' if row.second_to_id else ''} "
        f"and wrote: {row.words}"
    )
    tell(
        initiative,
        [row.evidence.author, said.by if said else None],
        "evidence not shown",
        f"verification:{row.pk}",
        f"{row.evidence.title} does not support its answer",
        period=clock.today().isoformat(),
        text=f"{question} {saw}",
        link=f"/initiatives/{initiative.ref}/requirements/{row.requirement}/",
    )
