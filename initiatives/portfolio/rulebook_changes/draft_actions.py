"""Drafts of a rulebook: copied, edited by several people, loaded as a version.

A draft has no effect. Loading makes the version that an admin proposes and a chair publishes
(`governance.organisation.actions`, `actions.rulebooks`).
"""

import hashlib
from collections.abc import Collection, Mapping
from typing import Any

from django.core.exceptions import ValidationError

from governance import clock
from governance.audit_log import entries
from governance.models import Rulebook, User
from governance.organisation.actions import VERSION, load_rulebook
from governance.people import permissions as people_permissions
from governance.permission_result import Conflict
from governance.rulebook import diff, parse
from governance.rulebook.editing import Place, Text, read, with_values
from governance.rulebook.requirement_editing import references, with_requirement, without_requirement
from governance.rulebook.schema import ROWS
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.initiative.act import act
from initiatives.models import RulebookDraft

SAID = 250
REFERENCE = "reference"  # in `Overtaken.now`: something names a requirement by now (True), or no more (False)


class Overtaken(ValidationError):
    """Someone changed the same places meanwhile. `now` has their values, `draft` the draft.

    `remedy` is how to continue, if saving again is not enough.
    """

    def __init__(self, draft: RulebookDraft, now: dict[Place, object], remedy: str = ""):
        self.draft, self.now = draft, now
        super().__init__(
            f"{draft.by} changed the draft at {clock.moment_in_words(draft.at)} while you were editing. "
            + (remedy or "Your text is kept below. Save again to use your text.")
        )


def copy_rulebook(*, base: Rulebook, version: str, by: User) -> RulebookDraft:
    """Start a draft as a copy of `base`, for a new version. Raises ValidationError or Refused."""
    with act("copy rulebook", by=by, reason="Draft begun"):
        people_permissions.may_draft(by).or_refuse()
        version = _free(version)
        text = with_values(read(base.source), {("version",): version})
        draft = RulebookDraft(
            version=version,
            base=base,
            source=text.source,
            digest=_digest(text.source),
            said=f"Copied from {base.version}",
            by=by,
            at=clock.now(),
        )
        draft.save()
        entries.record(EntryKind.RULEBOOK_COPIED, draft=draft.pk, version=version, base=base.version)
    return draft


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


def edit_draft(
    *, draft: RulebookDraft, values: dict[Place, object], based_on: int, by: User
) -> RulebookDraft:
    """Set values of a draft by their places. A value of None removes one.

    `based_on` is the `number` that the person saw. Changes of others elsewhere stay. Raises Overtaken if others changed
    the same places or removed the row, RulebookErrors with the loader's problems, ValidationError or Refused.
    """
    with act("edit draft", by=by, reason="Draft edited"):
        people_permissions.may_draft(by).or_refuse()
        draft = _open(draft)
        text = read(draft.source)
        if based_on != draft.number:
            seen = read(_text_of(draft, based_on))
            moved = {
                place: text.value(place)
                for place, value in values.items()
                if text.value(place) not in (seen.value(place), value)
            }
            if moved:
                raise Overtaken(draft, moved)
        gone: dict[Place, object] = {
            place: None for place in values if place[0] in ROWS and text.row(*place[:2]) is None
        }
        if gone:
            raise Overtaken(draft, gone)
        values = {place: value for place, value in values.items() if text.value(place) != value}
        if not values:
            return draft
        if ("version",) in values:
            values[("version",)] = _free(str(values["version",]), draft)
        _write(draft, with_values(text, values).source, by)
    return draft


def add_requirement(
    *,
    draft: RulebookDraft,
    row: Mapping[str, Any],
    asked_by: Collection[str],
    fate: str = "",
    based_on: int,
    by: User,
) -> RulebookDraft:
    """Add a requirement to a draft, asked by these criteria.

    `row` and `fate` are as in `with_requirement`. Changes of others stay. Raises Overtaken if others used the key or
    removed a criterion, ValidationError if the key now has another question, RulebookErrors, Refused.
    """
    with act("edit draft", by=by, reason="Requirement added to a draft"):
        people_permissions.may_draft(by).or_refuse()
        draft = _open(draft)
        text, key = read(draft.source), str(row["key"])
        asked = Rulebook.objects.current().parsed.requirements.get(key)
        if asked is not None and asked.question != row["question"]:
            raise ValidationError(
                {
                    "key": phrase(
                        "This key belongs to “{}” in the rulebook in force. Earlier answers would then be "
                        "used for your question. Choose another key.",
                        asked.question,
                    )
                }
            )
        moved: dict[Place, object] = {
            ("criterion", one): None for one in asked_by if text.row("criterion", one) is None
        }
        current = text.row("requirement", key)
        if current is not None and read(_text_of(draft, based_on)).row("requirement", key) is None:
            moved[("requirement", key)] = current["question"]
        if moved:
            raise Overtaken(draft, moved)
        _write(
            draft,
            with_requirement(text, row, asked_by=asked_by, fate=fate).source,
            by,
            f"Added: “{row['question']}” ({key}).",
        )
    return draft


def remove_requirement(*, draft: RulebookDraft, key: str, based_on: int, by: User) -> RulebookDraft:
    """Remove a requirement from a draft, with the rows that name it.

    `based_on` is the `number` that the person saw. Raises Overtaken if others changed it or those rows meanwhile,
    Conflict if it is gone, RulebookErrors if another row needs it, Refused.
    """
    with act("edit draft", by=by, reason="Requirement taken out of a draft"):
        people_permissions.may_draft(by).or_refuse()
        draft = _open(draft)
        text = read(draft.source)
        row = text.row("requirement", key)
        if row is None:
            raise Conflict(
                phrase("{} is no longer in this draft.", key),
                "Open the draft again.",
                f"/rulebook-drafts/{draft.pk}/",
            )
        if based_on != draft.number:
            moved = _moved(read(_text_of(draft, based_on)), text, key)
            if moved:
                raise Overtaken(
                    draft,
                    moved,
                    "The consequences are listed again below. Remove the requirement if you still want to.",
                )
        _write(draft, without_requirement(text, key).source, by, f"Removed: “{row['question']}” ({key}).")
    return draft


def _moved(seen: Text, text: Text, key: str) -> dict[Place, object]:
    """Return the changes since the seen text, in a requirement and rows that name it."""
    before, after = seen.row("requirement", key) or {}, text.row("requirement", key) or {}
    found: dict[Place, object] = {
        ("requirement", key, name): after.get(name)
        for name in before | after
        if before.get(name) != after.get(name)
    }
    were, are = references(seen, key), references(text, key)
    came = {(REFERENCE, one.kind, one.key): True for one in are if one not in were}
    return found | came | {(REFERENCE, one.kind, one.key): False for one in were if one not in are}


def replace_draft(*, draft: RulebookDraft, source: str, based_on: int, by: User) -> RulebookDraft:
    """Give a draft another whole text. Raises Overtaken when it was saved since, RulebookErrors, Refused."""
    with act("edit draft", by=by, reason="Draft replaced by a text"):
        people_permissions.may_draft(by).or_refuse()
        draft = _open(draft)
        if based_on != draft.number:
            raise Overtaken(draft, {})
        text = read(source)
        if text.raw["version"] != draft.version:
            _free(text.raw["version"], draft)
        if source != draft.source:
            _write(draft, source, by)
    return draft


def _write(draft: RulebookDraft, source: str, by: User, first: str = "") -> None:
    """Save a valid text as the next version of the draft, with its changes. `first` replaces them."""
    before, after = parse(draft.source), parse(source)
    said = [f"{part.title}: {line}" for part in diff.differences(before, after) for line in part.lines]
    if before.version != after.version:
        said.insert(0, f"Called {after.version}.")
    if first:
        said = [first]
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


def _text_of(draft: RulebookDraft, number: int) -> str:
    """Return the draft's text with this number. Raises Conflict if it does not exist."""
    kept = draft.history.filter(number=number).values_list("source", flat=True).first()
    if kept is None:
        raise Conflict(
            "This version of the draft does not exist.",
            "Open the draft again.",
            f"/rulebook-drafts/{draft.pk}/",
        )
    return kept


def _digest(source: str) -> str:
    return hashlib.sha256(source.encode()).hexdigest()
