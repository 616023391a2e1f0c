"""Links captured on request: what stands behind one is fetched, kept with its hash, and takes the item's place."""

from pathlib import PurePath
from urllib.parse import unquote, urlsplit

import structlog
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile

from governance.files import safe_fetch
from governance.files.upload_policy import kind_of, tidy_name
from governance.models import User
from governance.permission_result import Conflict
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.evidence.actions import create_evidence, rewrite_for_item
from initiatives.lifecycle.initiative.act import act
from initiatives.models import Evidence

log = structlog.get_logger("plumbline.evidence")


def capture_link(*, evidence: Evidence, rules: safe_fetch.Rules | None = None, by: User) -> Evidence:
    """Fetch what stands behind the link of an item and keep it, with its hash, as a newer item in its place.

    The item itself does not change (docs/domain.md, invariant 7). Its age goes on: what was seen that day is not seen
    anew because somebody fetched it. Nothing is locked while the page is asked. Raises ValidationError saying why not.
    """
    initiative_permissions.may_capture(evidence.initiative, by).or_refuse()
    _can_be_captured(evidence)
    try:
        fetched = safe_fetch.fetch(evidence.link, rules or safe_fetch.Rules.of_settings())
        file = page_file(fetched)
    except safe_fetch.NotFetched as why:
        log.info("link not captured", evidence=evidence.pk, by=by.pk, why=str(why))
        raise ValidationError(str(why)) from None
    with act("capture link", by=by, initiative=evidence.initiative_id) as initiative:
        initiative_permissions.may_capture(initiative, by).or_refuse()
        evidence = Evidence.objects.get(pk=evidence.pk)
        _can_be_captured(evidence)
        item = create_evidence(
            initiative,
            kind=evidence.kind,
            title=evidence.title,
            observed_on=evidence.observed_on,
            covers=list(evidence.coverage.values_list("requirement", flat=True)),
            note=evidence.note,
            details=evidence.details,
            file=file,
            link=evidence.link,
            clause=evidence.clause,
            result=evidence.result,
            condition=evidence.condition,
            supersedes=evidence,
            names=versions_of(evidence),
            captured_from=fetched.url,
            by=by,
        )
        rewrite_for_item(initiative, item)
    return item


def _can_be_captured(evidence: Evidence) -> None:
    if not evidence.unverified or evidence.withdrawn_at:
        raise Conflict("There is no link on this item that could be captured.")
    if Evidence.objects.filter(supersedes=evidence).exists():
        raise Conflict(f"{evidence.title} was superseded already.", "Look at the newest item instead.")


def versions_of(evidence: Evidence) -> list:
    """The component, scope and contract versions, and the systems, that an item names."""
    names = evidence.names.select_related(
        "deployment__version", "scope_version", "contract_version", "system"
    )
    return [name.deployment or name.scope_version or name.contract_version or name.system for name in names]


def page_file(fetched: safe_fetch.Fetched) -> ContentFile:
    """What was fetched as a file, with an ending that its bytes deserve. Raises links.NotFetched for what none fits."""
    kind = kind_of(fetched.content)
    if not kind:
        raise safe_fetch.NotFetched(
            "What stands behind the link is neither a page, a text, a PDF, a picture nor an office document."
        )
    parts = urlsplit(fetched.url)
    stem = PurePath(unquote(parts.path)).stem or parts.hostname or "page"
    return ContentFile(fetched.content, f"{tidy_name(stem)[:100] or 'page'}.{kind}")
