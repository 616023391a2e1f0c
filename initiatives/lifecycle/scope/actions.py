"""Acts on the scope: in force now, or planned for the next stage."""

from django.core.exceptions import ValidationError

from governance import clock
from governance.audit_log import entries
from governance.contracts import subject_patterns
from governance.database import row_history
from governance.models import User
from governance.vocabulary import EARLY_STAGES, STAGE_RANK
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.contributions import Contribution
from initiatives.lifecycle.changes.actions import pull
from initiatives.lifecycle.facts import initiative_rows
from initiatives.lifecycle.findings.sync import follow
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.act import act, rewrite_supported_stage
from initiatives.models import Initiative, ScopeVersion


def check_scope(initiative: Initiative, fields: dict, for_stage: str) -> dict:
    """Return the errors of a scope, by field. A prototype has no rollout and no live data."""
    wrong = {}
    if not str(fields.get("users") or "").strip():
        wrong["users"] = "Enter who uses the system."
    if fields.get("user_count") is None or fields["user_count"] < 0:
        wrong["user_count"] = "Enter the number of users. You can enter 0."
    if fields.get("ends_on") and fields["ends_on"] < clock.today():
        wrong["ends_on"] = "The end is in the past. Choose today or later."
    if trouble := subject_patterns.wrong_with(fields.get("test_subjects") or ()):
        wrong["test_subjects"] = trouble
    early = initiative.stage in EARLY_STAGES and not for_stage
    if early and fields.get("rollout"):
        wrong["rollout"] = "A prototype must not have a rollout. Plan this scope for the MVP stage instead."
    if early and fields.get("live_data"):
        wrong["live_data"] = (
            "A prototype must not use production data. Plan this scope for the MVP stage instead."
        )
    if for_stage and STAGE_RANK.get(for_stage, 0) != STAGE_RANK.get(initiative.stage, 9) + 1:
        wrong["for_stage"] = "You can plan a scope only for the next stage. Choose that stage."
    return wrong


def record_scope(*, initiative: Initiative, for_stage: str = "", by: User, **fields) -> ScopeVersion:
    """Record the scope in force from now, or for the next stage. A wider one pulls `scope`.

    Fields: users, departments, places, data_classes, test_subjects (lists), user_count, ends_on, rollout, live_data.
    """
    with act("record scope", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_change_what_runs(initiative, by).or_refuse()
        if wrong := check_scope(initiative, fields, for_stage):
            raise ValidationError(wrong)
        scope = new_scope(initiative, for_stage, by, fields)
        for planned in initiative.scopes.filter(starts_at__isnull=True, ended_at__isnull=True):
            if for_stage:
                planned.ended_at = clock.now()
                planned.save()
        if not for_stage:
            start_scope(initiative, scope, scope_now(initiative_rows.rows(initiative, "scopes")), by=by)
            rewritten = follow([initiative])  # which teams have to be read hangs on it
        else:
            scope.save()
            entries.record(
                EntryKind.SCOPE_PLANNED,
                initiative=initiative,
                number=scope.number,
                users=scope.user_count,
                stage=for_stage,
            )
            rewritten = []
        if not rewritten:
            rewrite_supported_stage(initiative)
    return scope


def new_scope(initiative, for_stage, by, fields) -> ScopeVersion:
    """Return the next scope version, in force or planned, unsaved."""
    last = initiative.scopes.order_by("-number").first()
    return ScopeVersion(
        initiative=initiative, number=(last.number if last else 0) + 1, for_stage=for_stage, by=by, **fields
    )


def scope_now(scopes: list[ScopeVersion]) -> ScopeVersion | None:
    """Return the one of these scopes that is in force, or None."""
    running = (row for row in scopes if row.starts_at and row.ended_at is None)
    return max(running, key=lambda row: row.number, default=None)


def end_scopes(initiative: Initiative, why: str, *, with_obligations: bool = True, by: User) -> None:
    """End the scope in force and the planned one, inside the act that ends the initiative.

    `with_obligations` and `by` change nothing: a scope that ends leaves nothing to close.
    """
    scopes = list(initiative.scopes.filter(ended_at__isnull=True))
    row_history.update_where(ScopeVersion, [scope.pk for scope in scopes], ended_at=clock.now())
    for scope in scopes:
        entries.record(EntryKind.SCOPE_ENDED, initiative=initiative, number=scope.number, why=why)


def start_scope(
    initiative: Initiative, scope: ScopeVersion, outgoing: ScopeVersion | None, *, by: User
) -> None:
    """Put a scope in force inside the running act. `outgoing` ends, and a wider one pulls `scope`."""
    if outgoing is not None:
        outgoing.ended_at = clock.now()
        row_history.update_alike(ScopeVersion, [outgoing], ["ended_at"])
    scope.starts_at = clock.now()
    if scope.pk is None:
        scope.save()
    else:
        row_history.update_alike(ScopeVersion, [scope], ["starts_at"])
    entries.record(
        EntryKind.SCOPE_IN_FORCE,
        initiative=initiative,
        number=scope.number,
        users=scope.user_count,
        replaces=outgoing.number if outgoing else None,
    )
    if outgoing is not None and scope.wider_than(outgoing):
        pull(
            initiative,
            ["scope"],
            f"Scope {outgoing.user_count} -> {scope.user_count} users"
            if outgoing.user_count != scope.user_count
            else f"Scope {outgoing.number} -> {scope.number}",
            by=by,
            outgoing_scope=outgoing,
            incoming_scope=scope,
        )


CONTRIBUTION = Contribution(enders=[end_scopes])
