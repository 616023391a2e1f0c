"""The acts on comments on a section of a post-mortem in review: write and resolve."""

from django.core.exceptions import ValidationError
from django.urls import reverse

from adoption.models import PostMortem, SectionComment
from adoption.postmortems import permissions, sections
from adoption.postmortems.actions import read
from governance import clock
from governance.audit_log import entries
from governance.models import User
from governance.permission_result import Conflict
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.initiative.act import act
from initiatives.lifecycle.reminders.telling import tell


def comment(*, post_mortem: PostMortem, section: str, text: str, by: User) -> SectionComment:
    """Comment on one section ("" for all of it), and notify who handed it in. Raises ValidationError."""
    if not text.strip():
        raise ValidationError({"text": "Write the comment."})
    with act("comment on post-mortem", by=by, initiative=post_mortem.initiative_id) as initiative:
        row = read(post_mortem)
        permissions.may_comment(row, by).or_refuse()
        if section and section not in sections.names_of(row):
            raise ValidationError({"section": "Choose one of the sections."})
        said = SectionComment(post_mortem=row, section=section, text=text.strip(), by=by, at=clock.now())
        said.save()
        heading = sections.heading_of(row, section)
        entries.record(
            EntryKind.POST_MORTEM_COMMENTED,
            initiative=initiative,
            post_mortem=row.pk,
            section=heading,
            text=said.text,
        )
        if row.handed_in_by_id != by.pk:
            tell(
                initiative,
                [row.handed_in_by],
                "comment",
                f"postmortemcomment:{said.pk}",
                f"{by} comments on its post-mortem, “{heading}”",
                text=said.text,
                link=reverse("post-mortem", args=[row.pk]),
            )
    return said


def resolve_comment(*, comment: SectionComment, by: User) -> SectionComment:
    """Resolve a comment, as a writer of the post-mortem or as its author."""
    with act("resolve comment", by=by, initiative=comment.post_mortem.initiative_id) as initiative:
        said = SectionComment.objects.select_related("resolved_by", "by").get(pk=comment.pk)
        row = read(said.post_mortem)
        permissions.may_resolve_comment(row, said, by).or_refuse()
        if said.resolved_at:
            raise Conflict(phrase("{} resolved this comment already.", said.resolved_by))
        said.resolved_at, said.resolved_by = clock.now(), by
        said.save()
        entries.record(
            EntryKind.POST_MORTEM_COMMENT_RESOLVED, initiative=initiative, post_mortem=row.pk, text=said.text
        )
    return said
