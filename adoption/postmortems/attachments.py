"""The files of a post-mortem: under the policy of evidence, but not evidence."""

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
from governance.vocabulary.phrases import phrase
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
    """Keep a file with a draft, checked like evidence. The audit log has its hash. Raises ValidationError."""
    wrong = {}
    if not title.strip():
        wrong["title"] = "Describe what the file shows."
    if file is None:
        wrong["file"] = "Choose a file."
    if wrong:
        raise ValidationError(wrong)
    with act("attach to post-mortem", by=by, initiative=post_mortem.initiative_id) as initiative:
        row = read(post_mortem)
        permissions.may_write(row, by).or_refuse()
        if row.attachments.current().count() >= MOST:
            raise ValidationError(
                {"file": phrase("The post-mortem has {} files already. First remove one file.", MOST)}
            )
        kept = Attachment(post_mortem=row, title=title.strip(), by=by, at=clock.now())
        store(kept, file)
        known = row.attachments.current().filter(sha256=kept.sha256).first()
        if known is not None:
            raise ValidationError(
                {"file": phrase("This file is attached already, as “{}”. Choose another file.", known.title)}
            )
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
    """Take a file out of a draft, with a reason. The audit log keeps its name and hash. Raises ValidationError."""
    if not reason.strip():
        raise ValidationError({"reason": "Give a reason for removing the file."})
    with act(
        "take out attachment", by=by, initiative=attachment.post_mortem.initiative_id, reason=reason
    ) as initiative:
        kept = Attachment.objects.select_related("removed_by").get(pk=attachment.pk)
        row = read(kept.post_mortem)
        permissions.may_write(row, by).or_refuse()
        if kept.removed_at:
            raise Conflict(phrase("{} removed the file already.", kept.removed_by))
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
    """Record that a person reads the file, before a byte of it is sent."""
    with row_history.acting(by=by, reason=""):
        entries.record(
            EntryKind.ATTACHMENT_OPENED,
            initiative=initiative,
            title=attachment.title,
            sha256=attachment.sha256,
            way=way,
        )


def check_attachment(key: int, *, system: str = "file check") -> str:
    """Check again a file that a reader found to differ, and record the result once.

    Returns the kind of the entry, or "" if it is known. Raises folder.WrongFolder.
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
