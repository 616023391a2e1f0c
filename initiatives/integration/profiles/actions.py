"""Acts on data profiles: read one from a file, and confirm changes of data.

The file is not kept. Sources: S1-3, S1-25 and docs/adr/0029.
"""

import hashlib
from datetime import date

from django.conf import settings
from django.core.exceptions import ValidationError

from governance import clock
from governance.audit_log import entries
from governance.files.upload_policy import tidy_name
from governance.models import User
from governance.notifications import notify
from governance.permission_result import Conflict
from governance.tables.encodings import CodePageUnsure
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import in_the_future, phrase
from initiatives.integration.measurement import result_files
from initiatives.integration.profiles import drift_effects
from initiatives.integration.systems.permissions import may_change_system
from initiatives.lifecycle.changes.actions import pull
from initiatives.lifecycle.findings.sync import follow, lock_initiatives
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.act import act, rewrite_supported_stages
from initiatives.models import Drift, Initiative, Profile, System


def add_profile(
    *,
    initiative: Initiative,
    system: System,
    upload,
    taken_on: date,
    data_set: str = "",
    encoding: str = "",
    by: User,
) -> Profile:
    """Add the profile of a system's data from a file. The file itself is not kept.

    `taken_on` is the day on which the data were read. `data_set` is the name of the data, by default the name in the
    file. Raises ValidationError or Refused.
    """
    initiative_permissions.may_collaborate(initiative, by).or_refuse()
    content = _content(upload, taken_on)
    try:
        found = result_files.read(content, encoding=encoding)
    except CodePageUnsure as unsure:
        pages = ", ".join(words for _, words, _ in unsure.candidates)
        raise ValidationError(
            {"encoding": phrase("{} Choose a code page, for instance: {}.", unsure, pages)}
        ) from None
    data_set = data_set.strip() or found.data_set
    if not data_set:
        raise ValidationError(
            {"data_set": "The file does not name its data set. Name the data set, for instance: customers."}
        )
    with act("add profile", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_collaborate(initiative, by).or_refuse()
        if not initiative.links.current().filter(system=system).exists():
            raise ValidationError({"system": "Choose a system that this initiative is linked to."})
        profile = Profile(
            initiative=initiative,
            system=system,
            data_set=data_set,
            file_name=tidy_name(upload.name)[-200:] or "profile",
            sha256=hashlib.sha256(content).hexdigest(),
            taken_on=taken_on,
            by=by,
            at=clock.now(),
        )
        last = last_before(profile)
        result_files.against(last.columns if last else [], found)
        profile.tool, profile.rows, profile.duplicates = found.tool, found.rows, found.duplicates
        profile.columns, profile.findings = list(found.columns.values()), found.findings
        profile.save()
        entries.record(
            EntryKind.PROFILE_ADDED,
            initiative=initiative,
            profile=profile.pk,
            system=system.name,
            data_set=data_set,
            tool=profile.get_tool_display(),
            file=profile.file_name,
            sha256=profile.sha256,
            rows=profile.rows,
            found=[one["words"] for one in profile.findings],
        )
        follow([initiative])
    return profile


def _content(upload, taken_on: date) -> bytes:
    """Return the bytes of an upload. Raises ValidationError."""
    problems = {}
    if taken_on > clock.today():
        problems["taken_on"] = in_the_future(taken_on, clock.today())
    if upload is None:
        problems["file"] = "Choose a file."
    elif upload.size > settings.UPLOAD_MAX_BYTES:
        limit = settings.UPLOAD_MAX_BYTES >> 20
        problems["file"] = f"The file is larger than {limit} MB. Send fewer rows or columns."
    if problems:
        raise ValidationError(problems)
    upload.seek(0)
    return upload.read()


def last_before(profile: Profile) -> Profile | None:
    """Return the last profile of the same data set that was added before this one, or None."""
    rows = Profile.objects.filter(
        initiative=profile.initiative_id,
        system=profile.system_id,
        data_set__iexact=profile.data_set,
        taken_on__lte=profile.taken_on,
    )
    rows = rows.filter(pk__lt=profile.pk) if profile.pk else rows
    return rows.order_by("-taken_on", "-pk").first()


def confirm_drift(*, profile: Profile, seen: str, by: User) -> Drift:
    """Confirm the changes of data that a profile reports; this voids what rests on the data.

    In every initiative that is tied to the system, if `by` may change the system. Otherwise in the initiative of the
    profile alone, and the owner of the system is told.

    `seen`: the digest of what the page showed (`drift_effects.Consequences.digest`). Raises ValidationError if there is
    nothing to confirm, Conflict if the consequences are others by now, Refused.
    """
    with act("confirm drift", by=by, initiative=None, register=True):
        initiatives = lock_initiatives(drift_effects.initiatives_of(profile, by))
        initiative = next(one for one in initiatives if one.pk == profile.initiative_id)
        initiative_permissions.may_collaborate(initiative, by).or_refuse()
        profile = Profile.objects.select_related("system__owner").get(pk=profile.pk)
        found, system = profile.changes, profile.system
        if not found:
            raise ValidationError("This profile reports no change. There is nothing to confirm.")
        if Drift.objects.filter(profile=profile).exists():
            raise Conflict("These changes are confirmed already.")
        ahead = drift_effects.consequences(profile, initiatives)
        if ahead.digest != seen:
            raise Conflict(
                "The consequences changed after you opened this page. Read the consequences again."
            )
        changes = {
            one.pk: pull(one, [ahead.trigger], ahead.what, by=by, system=system)
            for one in initiatives
            if one.pk in ahead.relying
        }
        row = Drift(profile=profile, findings=found, change=changes.get(initiative.pk), by=by, at=clock.now())
        row.save()
        entries.record(
            EntryKind.DRIFT_CONFIRMED,
            initiative=initiative,
            data_set=profile.data_set,
            system=system.name,
            found=[one["words"] for one in found],
            initiatives=len(changes),
        )
        owner = system.owner
        if owner is not None and owner.pk != by.pk and not may_change_system(system, by):
            notify.notify(
                owner,
                "drift",
                f"drift:{row.pk}",
                subject=f"{by} found that the data of {system} changed"[:250],
                text=" ".join(one["words"] for one in found),
                link=system.get_absolute_url(),
            )
        rewritten = {one.pk for one in follow(initiatives)}
        waiting = [one for one in initiatives if one.pk in changes and one.pk not in rewritten]
        if waiting:
            rewrite_supported_stages(waiting)
    return row
