"""Drafts of a rulebook: copied, edited as a text, loaded as a version.

A draft has no effect. Loading makes the version that an admin proposes and a chair publishes
(`governance.organisation.actions`, `actions.rulebooks`).
"""

import hashlib

from django.core.exceptions import ValidationError

from governance import clock
from governance.audit_log import entries
from governance.models import Rulebook, User
from governance.organisation.actions import VERSION, load_rulebook
from governance.people import permissions as people_permissions
from governance.permission_result import Conflict
from governance.rulebook import diff, parse
from governance.rulebook.source_positions import spans_of
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.initiative.act import act
from initiatives.models import RulebookDraft

SAID = 250


class Overtaken(ValidationError):
    """Someone saved the draft meanwhile. `draft` has their text."""

    def __init__(self, draft: RulebookDraft):
        self.draft = draft
        super().__init__(
            f"{draft.by} changed the draft at {clock.moment_in_words(draft.at)} while you were editing. "
            "Your text is kept below. Save again to use your text."
        )


def copy_rulebook(*, base: Rulebook, version: str, by: User) -> RulebookDraft:
    """Start a draft as a copy of `base`, for a new version. Raises ValidationError or Refused."""
    with act("copy rulebook", by=by, reason="Draft begun"):
        people_permissions.may_draft(by).or_refuse()
        version = _free(version)
        source = _renamed(base.source, version)
        draft = RulebookDraft(
            version=version,
            base=base,
            source=source,
            digest=_digest(source),
            said=f"Copied from {base.version}",
            by=by,
            at=clock.now(),
        )
        draft.save()
        entries.record(EntryKind.RULEBOOK_COPIED, draft=draft.pk, version=version, base=base.version)
    return draft


def _renamed(source: str, version: str) -> str:
    """Return the text with this version, and all else as it was."""
    start, end = spans_of(source)[("version",)]
    return f'{source[:start]}version = "{version}"\n{source[end:]}'


def _free(version: str, draft: RulebookDraft | None = None) -> str:
    """Return the name of a new version. Raises ValidationError if it is invalid or taken."""
    version = version.strip()
    if not VERSION.fullmatch(version):
        raise ValidationError(
            {
                "version": "Use up to 40 letters, digits and the signs . - _, for example 1.1. Other "
                "characters are not possible in the web address of the version."
            }
        )
    if Rulebook.objects.filter(version=version).exists():
        raise ValidationError({"version": phrase("Version {} exists already. Choose another name.", version)})
    others = RulebookDraft.objects.current().filter(version=version)
    if others.exclude(pk=draft.pk if draft else None).exists():
        raise ValidationError(
            {"version": phrase("A draft called {} exists already. Choose another name.", version)}
        )
    return version


def replace_draft(*, draft: RulebookDraft, source: str, based_on: int, by: User) -> RulebookDraft:
    """Give a draft another whole text. Raises Overtaken when it was saved since, RulebookErrors, Refused."""
    with act("edit draft", by=by, reason="Draft edited"):
        people_permissions.may_draft(by).or_refuse()
        draft = _open(draft)
        if based_on != draft.number:
            raise Overtaken(draft)
        version = parse(source).version
        if version != draft.version:
            _free(version, draft)
        if source != draft.source:
            _write(draft, source, by)
    return draft


def _write(draft: RulebookDraft, source: str, by: User) -> None:
    """Save a valid text as the next version of the draft, with its changes."""
    before, after = parse(draft.source), parse(source)
    said = [f"{part.title}: {line}" for part in diff.differences(before, after) for line in part.lines]
    if before.version != after.version:
        said.insert(0, f"Called {after.version}.")
    draft.source, draft.digest, draft.version = source, after.digest, after.version
    draft.number += 1
    draft.said = (
        (said[0][: SAID - 20] + (f" {len(said) - 1} more changes." if len(said) > 1 else ""))
        if said
        else "Remarks"
    )
    draft.by, draft.at = by, clock.now()
    draft.save()
    entries.record(
        EntryKind.DRAFT_EDITED, draft=draft.pk, version=draft.version, number=draft.number, said=draft.said
    )


def load_draft(*, draft: RulebookDraft, based_on: int, by: User) -> Rulebook:
    """Make the draft a version, which no longer changes. Raises Conflict, ValidationError."""
    with act("load draft", by=by, reason="Draft loaded"):
        people_permissions.may_draft(by).or_refuse()
        draft = _open(draft)
        if based_on != draft.number:
            raise Conflict(
                phrase(
                    "{} changed the draft at {}, after you opened it.",
                    draft.by,
                    clock.moment_in_words(draft.at),
                ),
                "Open the draft again.",
                f"/rulebook-drafts/{draft.pk}/",
            )
        rulebook = load_rulebook(source=draft.source, by=by)
        draft.loaded = rulebook
        draft.save()
        entries.record(
            EntryKind.DRAFT_LOADED, draft=draft.pk, version=rulebook.version, digest=rulebook.digest
        )
    return rulebook


def drop_draft(*, draft: RulebookDraft, by: User) -> RulebookDraft:
    """Give a draft up. Its texts stay in the audit log."""
    with act("drop draft", by=by, reason="Draft dropped"):
        people_permissions.may_draft(by).or_refuse()
        draft = _open(draft)
        draft.dropped_at = clock.now()
        draft.save()
        entries.record(EntryKind.DRAFT_DROPPED, draft=draft.pk, version=draft.version)
    return draft


def _open(draft: RulebookDraft) -> RulebookDraft:
    """Return the draft, locked and read again. Raises Conflict if it is dropped or loaded."""
    draft = (
        RulebookDraft.objects.select_for_update(of=("self",)).select_related("by", "base").get(pk=draft.pk)
    )
    if draft.dropped_at:
        raise Conflict(
            "This draft was discarded.", "Start a new draft from a copy of the rulebook.", "/rulebook-drafts/"
        )
    if draft.loaded_id:
        raise Conflict(
            "This draft is now a version, so it cannot change.",
            "Start a new draft from a copy of that version.",
            "/rulebook-drafts/",
        )
    return draft


def _digest(source: str) -> str:
    return hashlib.sha256(source.encode()).hexdigest()
