"""Files kept with a post-mortem: the policy of evidence, and no evidence of anything."""

from django.core.exceptions import ValidationError

from adoption.models import Attachment, PostMortem
from adoption.postmortems import permissions
from adoption.postmortems.actions import read
from governance import clock
from governance.audit_log import entries
from governance.database import row_history
from governance.models import Entry, User
from governance.permission_result import Conflict
from governance.storage import data_folder, file_fingerprints
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.lifecycle.evidence.actions import store
from initiatives.lifecycle.initiative.act import act
from initiatives.models import Initiative

MOST = 20
KINDS = {
    file_fingerprints.THERE: EntryKind.ATTACHMENT_FILE_FOUND,
    file_fingerprints.GONE: EntryKind.ATTACHMENT_FILE_MISSING,
    file_fingerprints.CHANGED: EntryKind.ATTACHMENT_FILE_CHANGED,
}


def attach(*, post_mortem: PostMortem, title: str, file, by: User) -> Attachment:
    """Keep a file with a draft, checked like evidence, named in the audit log by its hash. Raises ValidationError."""
    wrong = {}
    if not title.strip():
        wrong["title"] = "Say what it shows."
    if file is None:
        wrong["file"] = "Choose a file."
    if wrong:
        raise ValidationError(wrong)
    with act("attach to post-mortem", by=by, initiative=post_mortem.initiative_id) as initiative:
        row = read(post_mortem)
        permissions.may_write(row, by).or_refuse()
        if row.attachments.current().count() >= MOST:
            raise ValidationError({"file": f"{MOST} files are enough; take one out first."})
        kept = Attachment(post_mortem=row, title=title.strip(), by=by, at=clock.now())
        store(kept, file)
        known = row.attachments.current().filter(sha256=kept.sha256).first()
        if known is not None:
            raise ValidationError({"file": f"This file is attached already: {known.title}."})
        kept.save()
        entries.record(
            EntryKind.ATTACHED,
            initiative=initiative,
            post_mortem=row.pk,
            title=kept.title,
            sha256=kept.sha256,
        )
    return kept


def take_out(*, attachment: Attachment, reason: str, by: User) -> Attachment:
    """Take a file out of a draft, with a reason; the audit log keeps its name and hash. Raises ValidationError."""
    if not reason.strip():
        raise ValidationError({"reason": "Say why it is taken out."})
    with act(
        "take out attachment", by=by, initiative=attachment.post_mortem.initiative_id, reason=reason
    ) as initiative:
        kept = Attachment.objects.select_related("removed_by").get(pk=attachment.pk)
        row = read(kept.post_mortem)
        permissions.may_write(row, by).or_refuse()
        if kept.removed_at:
            raise Conflict(f"{kept.removed_by} took it out already.")
        kept.removed_at, kept.removed_by, kept.removed_reason = clock.now(), by, reason.strip()
        kept.save()
        entries.record(
            EntryKind.ATTACHMENT_TAKEN_OUT,
            initiative=initiative,
            post_mortem=row.pk,
            title=kept.title,
            sha256=kept.sha256,
            why=reason.strip(),
        )
    return kept


def record_reading(*, attachment: Attachment, initiative: Initiative, way: str, by: User) -> None:
    """The entry that somebody reads the file, before a byte of it leaves."""
    with row_history.acting(by=by, reason=""):
        entries.record(
            EntryKind.ATTACHMENT_OPENED,
            initiative=initiative,
            title=attachment.title,
            sha256=attachment.sha256,
            way=way,
        )


def check_attachment(key: int, *, system: str = "file check") -> str:
    """Look again at a file that somebody met and that was not as recorded, and record what is found, once.

    Returns the kind of the entry; empty where that is known. Raises folder.WrongFolder.
    """
    data_folder.demand()
    kept = Attachment.objects.select_related("post_mortem").get(pk=key)
    with act("file check", system=system, initiative=kept.post_mortem.initiative_id) as initiative:
        kind = KINDS[file_fingerprints.state(kept.file.name, kept.sha256)]
        said = Entry.objects.filter(kind__in=KINDS.values(), initiative_ref=initiative.ref).order_by("-pk")
        last = (row.kind for row in said if row.facts["facts"].get("attachment") == kept.pk)
        if kind == next(last, KINDS[file_fingerprints.THERE]):
            return ""
        entries.record(kind, initiative=initiative, attachment=kept.pk, title=kept.title, sha256=kept.sha256)
    return kind
