"""Samples of real data: uploaded, measured beside the server, removed; and drift from one to the next, confirmed.

Sources: S1-3 and S1-25; docs/adr/0029. A sample is removed once it is measured, or on the day somebody asked for.
"""

import shutil
import time
from datetime import date, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from governance import clock
from governance.ledger import record
from governance.models import User
from governance.notices import owe
from governance.permission_result import Conflict
from governance.queue.task_base import named
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.access import permissions as case_permissions
from initiatives.cases.act import act, settle_standings
from initiatives.components.actions import pull
from initiatives.files.upload_policy import tidy_name
from initiatives.findings.sync import follow, lock_cases
from initiatives.integration.measurement import measuring_process
from initiatives.integration.measurement.sample_reader import LOOKED_AT_FIRST, Trouble, no_sample
from initiatives.integration.profiles import drift_effects, sample_files
from initiatives.integration.systems.permissions import may_change_system
from initiatives.models import Drift, Initiative, Profile, System

MOST_DAYS = 30  # that a sample may be kept
MEASURING = timedelta(seconds=measuring_process.SECONDS * 2)  # after that, whoever measured it is gone
ATTEMPTS = 3
YOUNG = 3600  # seconds; a file that no row names may still be on its way into one
BROKEN_OFF = "Measuring was broken off three times. Upload a smaller sample."


def add_profile(
    *,
    case: Initiative,
    system: System,
    upload,
    title: str,
    taken_on: date,
    period_column: str = "",
    encoding: str = "",
    kept_until: date | None = None,
    by: User,
) -> Profile:
    """Take in a sample of a system's data, an uploaded file, to be measured by the worker as soon as it can.

    `taken_on`: the day the rows were drawn. `kept_until`: the last day the file is kept, at most thirty ahead; None
    removes it once it is measured. Raises ValidationError or Refused.
    """
    wrong, today = {}, clock.today()
    if not title.strip():
        wrong["title"] = "Say what the sample holds, for instance: customers of March."
    if taken_on > today:
        wrong["taken_on"] = "That day has not come yet."
    if kept_until and not today < kept_until <= today + timedelta(days=MOST_DAYS):
        wrong["kept_until"] = f"A sample is kept to a day within the next {MOST_DAYS}, or not at all."
    if upload is None:
        wrong["file"] = "Choose a file, CSV or Parquet."
    elif upload.size > settings.SAMPLE_MAX_BYTES:
        wrong["file"] = (
            f"The file is larger than {settings.SAMPLE_MAX_BYTES >> 20} MB; send fewer rows or columns."
        )
    elif not upload.size:
        wrong["file"] = "The file is empty. Send one with a header row and rows below it."
    elif words := no_sample(_start(upload)):
        wrong["file"] = words
    elif not measuring_process.enough_room(sample_files.folder(), upload.size):
        wrong["file"] = "There is no room for it on the server's disk now. Ask an administrator."
    if wrong:
        raise ValidationError(wrong)
    stored = ""
    try:
        with act("add profile", by=by, case=case) as case:
            case_permissions.may_collaborate(case, by).or_refuse()
            if not case.links.standing().filter(system=system).exists():
                raise ValidationError({"system": "Choose a system that this initiative is linked to."})
            stored, digest, size = sample_files.keep(upload)
            profile = Profile(
                initiative=case,
                system=system,
                title=title.strip(),
                file_name=tidy_name(upload.name)[-200:] or "sample",
                sha256=digest,
                size=size,
                taken_on=taken_on,
                period_column=period_column.strip(),
                findings=[{"kind": "asked", "encoding": encoding}],
                stored=stored,
                kept_until=kept_until or today,
                by=by,
                at=clock.now(),
            )
            profile.save()
            record.record(
                EntryKind.PROFILE_ADDED,
                case=case,
                profile=profile.pk,
                system=system.name,
                title=profile.title,
                file=profile.file_name,
                sha256=digest,
                kept_until=kept_until,
            )
            transaction.on_commit(lambda: _knock(profile.pk), robust=True)
    except BaseException:
        if stored:
            sample_files.forget(stored)
        raise
    return profile


def _start(upload) -> bytes:
    """The first bytes of an upload, which is read from its beginning afterwards."""
    upload.seek(0)
    start = upload.read(LOOKED_AT_FIRST)
    upload.seek(0)
    return start


def _knock(pk: int) -> None:
    named("initiatives.tasks.measure_profile").delay(pk)


def measure_profile(pk: int) -> Profile | None:
    """Measure a waiting sample and write down what was found, or why not. None where that is done, or under way.

    One at a time by a claim in its row, which lapses: a sample whose measuring was lost is measured again.
    """
    profile = _claim(pk)
    if profile is None:
        return None
    said, trouble, ask = {}, "", []
    try:
        said = measuring_process.run(
            sample_files.place_of(profile.stored),
            folder=sample_files.folder(),
            encoding=next((one.get("encoding", "") for one in profile.findings), ""),
            period_column=profile.period_column,
            taken_on=profile.taken_on,
            most=settings.SAMPLE_MAX_BYTES,
        )
    except Trouble as why:
        trouble, ask = str(why), why.ask
    return _finish(pk, said, trouble, ask)


def _claim(pk: int) -> Profile | None:
    now = clock.now()
    row = Profile.objects.filter(pk=pk).first()
    if row is None:
        return None
    with act("measure profile", system="profiler", case=row.initiative_id) as case:
        row = Profile.objects.select_for_update().get(pk=pk)
        if row.state not in ("waiting", "measuring"):
            return None
        claims = row.history.filter(state="measuring").order_by("-history_date")
        if row.state == "measuring" and claims and claims[0].history_date > now - MEASURING:
            return None
        if len(claims) >= ATTEMPTS:
            _write_failed(row, case, BROKEN_OFF, [])
            return None
        row.state = "measuring"
        row.save()
    return row


def _finish(pk: int, said: dict, trouble: str, ask: list) -> Profile | None:
    row = Profile.objects.get(pk=pk)
    with act("measure profile", system="profiler", case=row.initiative_id) as case:
        row = Profile.objects.select_for_update().get(pk=pk)
        if row.state != "measuring":
            return None
        if trouble:
            _write_failed(row, case, trouble, ask)
            return row
        row.state, row.measured_at, row.trouble = "measured", clock.now(), ""
        row.rows, row.columns, row.findings = said["rows"], said["columns"], said["findings"]
        row.period_column = said["period_column"]
        _drop(row, keep=row.kept_until > clock.today())
        row.save()
        told = [one["words"] for one in row.findings if one["kind"] == "eras"]
        record.record(
            EntryKind.PROFILE_MEASURED, case=case, profile=row.pk, title=row.title, rows=row.rows, found=told
        )
    return row


def _write_failed(row: Profile, case: Initiative, trouble: str, ask: list) -> None:
    pages = ", ".join(words for _, words, _ in ask)
    row.state = "failed"
    row.trouble = f"{trouble} Likely: {pages}. Upload it again and choose." if pages else trouble
    row.findings = [{"kind": "ask", "encodings": [name for name, _, _ in ask]}] if ask else []
    _drop(row, keep=False)
    row.save()
    record.record(EntryKind.PROFILE_FAILED, case=case, profile=row.pk, title=row.title, why=row.trouble)


def _drop(row: Profile, *, keep: bool) -> None:
    """Take the sample off the row, and off the disk once that is committed. Should that fail, the sweep finds it."""
    if keep or not row.stored:
        return
    stored, row.stored, row.kept_until = row.stored, "", None
    transaction.on_commit(lambda: sample_files.forget(stored), robust=True)


def delete_sample(*, profile: Profile, by: User) -> Profile:
    """Remove a kept sample now; what was measured stays. Raises Conflict when it is gone, Refused."""
    with act("delete sample", by=by, case=profile.initiative_id) as case:
        case_permissions.may_collaborate(case, by).or_refuse()
        row = Profile.objects.select_for_update().get(pk=profile.pk)
        if not row.stored:
            raise Conflict("The sample is gone already.")
        if row.state in ("waiting", "measuring"):
            row.state, row.trouble = "failed", "The sample was deleted before it was measured."
        _drop(row, keep=False)
        row.save()
        record.record(EntryKind.SAMPLE_DELETED, case=case, profile=row.pk, title=row.title)
    return row


def claim_samples() -> list[int]:
    """The samples that wait, and those whose measuring was lost: keys, the oldest first."""
    return list(
        Profile.objects.filter(state__in=["waiting", "measuring"]).order_by("at").values_list("pk", flat=True)
    )


def remove_samples() -> int:
    """Remove samples whose day has passed, and files that no row names; how many were removed. May run twice."""
    gone = set()
    due = Profile.objects.filter(kept_until__lt=clock.today(), state__in=["measured", "failed"]).exclude(
        stored=""
    )
    for pk, case in due.values_list("pk", "initiative"):
        with act("remove samples", system="sample sweep", case=case) as locked:
            row = Profile.objects.select_for_update().get(pk=pk)
            if row.stored and row.kept_until < clock.today():
                gone.add(row.stored)
                _drop(row, keep=False)
                row.save()
                record.record(EntryKind.SAMPLE_DELETED, case=locked, profile=row.pk, title=row.title)
    named = set(Profile.objects.exclude(stored="").values_list("stored", flat=True))
    for name, written in sample_files.there().items():
        if name not in named | gone and time.time() - written > YOUNG:
            place = sample_files.place_of(name)
            if place.is_dir() and not place.is_symlink():
                shutil.rmtree(place, ignore_errors=True)
            else:
                sample_files.forget(name)
            gone.add(name)
    return len(gone)


def set_population(*, profile: Profile, strata: list[dict], by: User) -> Profile:
    """Say what the whole population is made of: rows of {stratum, share}, shares from 0 to 1 that add up to 1 at most.

    Raises ValidationError or Refused.
    """
    total = sum(row["share"] for row in strata)
    if not strata:
        raise ValidationError({"strata": "Name the parts of the population with their shares."})
    if any(not row["stratum"].strip() or not 0 < row["share"] <= 1 for row in strata) or total > 1.005:
        raise ValidationError(
            {"strata": f"Shares are above nothing and add up to all: these make {total:.1%}."}
        )
    with act("set population", by=by, case=profile.initiative_id) as case:
        case_permissions.may_collaborate(case, by).or_refuse()
        row = Profile.objects.select_for_update().get(pk=profile.pk)
        row.strata = [
            {"stratum": one["stratum"].strip()[:120], "share": round(one["share"], 6)} for one in strata
        ]
        row.save()
        record.record(
            EntryKind.POPULATION_DESCRIBED, case=case, profile=row.pk, title=row.title, strata=len(strata)
        )
    return row


def confirm_drift(*, earlier: Profile, later: Profile, seen: str, by: User) -> Drift:
    """Confirm that a system's data changed between two samples; it voids what rests on it.

    In every case that is tied to it, where `by` may change the system; else in the case of the sample alone, and the
    system's owner is told.

    `seen`: the digest of what the page showed that it would void (`drifting.Consequences.digest`). Raises
    ValidationError where there is nothing to confirm, Conflict where that is another list by now, Refused.
    """
    with act("confirm drift", by=by, case=None, register=True):
        cases = lock_cases(drift_effects.cases_of(later, by))
        case = next(one for one in cases if one.pk == later.initiative_id)
        case_permissions.may_collaborate(case, by).or_refuse()
        earlier, later = (
            Profile.objects.select_related("system__owner").get(pk=one.pk) for one in (earlier, later)
        )
        drift_effects.check(earlier, later)
        if Drift.objects.filter(earlier=earlier, later=later).exists():
            raise Conflict("This drift is confirmed already.")
        found = drift_effects.findings(earlier, later)
        if not found:
            raise ValidationError("Nothing changed between these samples: there is nothing to confirm.")
        ahead = drift_effects.consequences(earlier, later, found, cases)
        if ahead.digest != seen:
            raise Conflict("What this voids is not what the page showed any more. Look again.")
        changes = {
            one.pk: pull(one, [ahead.trigger], ahead.what, by=by, system=later.system)
            for one in cases
            if one.pk in ahead.relying
        }
        row = Drift(
            earlier=earlier, later=later, findings=found, change=changes.get(case.pk), by=by, at=clock.now()
        )
        row.save()
        record.record(
            EntryKind.DRIFT_CONFIRMED,
            case=case,
            earlier=earlier.title,
            later=later.title,
            system=later.system.name,
            found=[one["words"] for one in found],
            cases=len(changes),
        )
        owner = later.system.owner
        if owner is not None and owner.pk != by.pk and not may_change_system(later.system, by):
            owe.owe(
                owner,
                "drift",
                f"drift:{row.pk}",
                subject=f"{by} found that the data of {later.system} changed"[:250],
                text=" ".join(one["words"] for one in found),
                link=later.system.get_absolute_url(),
            )
        rewritten = {one.pk for one in follow(cases)}
        waiting = [one for one in cases if one.pk in changes and one.pk not in rewritten]
        if waiting:
            settle_standings(waiting)
    return row
