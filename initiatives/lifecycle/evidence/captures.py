"""Capture of links on request: the page replaces the item, with its hash."""

from pathlib import PurePath
from urllib.parse import unquote, urlsplit

import structlog
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile

from governance.database import rehearsing
from governance.files import safe_fetch
from governance.files.upload_policy import kind_of, tidy_name
from governance.models import User
from governance.permission_result import Conflict
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.evidence.actions import create_evidence, rewrite_for_item
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.act import act
from initiatives.models import Evidence

log = structlog.get_logger("plumbline.evidence")


def capture_link(*, evidence: Evidence, rules: safe_fetch.Rules | None = None, by: User) -> Evidence:
    """Fetch the linked page of an item and store it, with its hash, as the newer item.

    The item itself does not change (docs/domain.md, invariant 7). The newer item keeps the day of observation,
    because a fetch does not renew the observation. No row is locked during the fetch. Raises ValidationError with the
    reason.
    """
    initiative_permissions.may_capture(evidence.initiative, by).or_refuse()
    _can_be_captured(evidence)
    rehearsing.check_confirmed()
    try:
        fetched = _fetched(evidence.link, rules or safe_fetch.Rules.of_settings())
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
        raise Conflict("This item has no link that could be captured.")
    if Evidence.objects.filter(supersedes=evidence).exists():
        raise Conflict(phrase("{} was already replaced.", evidence.title), "Open the newest item instead.")


def versions_of(evidence: Evidence) -> list:
    """Return the component, scope and contract versions and systems it names."""
    names = evidence.names.select_related(
        "deployment__version", "scope_version", "contract_version", "system"
    )
    return [name.deployment or name.scope_version or name.contract_version or name.system for name in names]


def _fetched(link: str, rules: safe_fetch.Rules) -> safe_fetch.Fetched:
    """Fetch the page. A rehearsal fetches nothing, because the effects of a capture do not depend on the page."""
    if rehearsing.current() is not None:
        return safe_fetch.Fetched(link, b"Rehearsed.", "text/plain")
    return safe_fetch.fetch(link, rules)


def page_file(fetched: safe_fetch.Fetched) -> ContentFile:
    """Return the fetched content as a file with the ending of its format. Raises `NotFetched` for other formats."""
    kind = kind_of(fetched.content)
    if not kind:
        raise safe_fetch.NotFetched(
            "The link does not lead to a page, a text, a PDF, a picture or an office document."
        )
    parts = urlsplit(fetched.url)
    stem = PurePath(unquote(parts.path)).stem or parts.hostname or "page"
    return ContentFile(fetched.content, f"{tidy_name(stem)[:100] or 'page'}.{kind}")
