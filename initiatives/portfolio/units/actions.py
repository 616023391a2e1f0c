"""Acts on the tree of units: move or merge a unit, or let a board take over, each with its reason.

They are here because initiatives move too and other boards decide. All units are locked in key order before a read,
then the initiatives in key order. Two acts on the tree therefore follow each other, and no sign-off or decision on an
initiative is under way while its board changes.
"""

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db.models import CharField, Exists, OuterRef, Q, Value
from django.db.models.functions import Concat, Substr

from governance import clock
from governance.audit_log import entries
from governance.database import row_history
from governance.models import Board, Membership, Unit, User
from governance.notifications.notify import notify
from governance.people import boards
from governance.people.permissions import may_reorganise
from governance.permission_result import Conflict
from governance.vocabulary import Role
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.integration.residency.actions import rebound
from initiatives.lifecycle.access import roles_and_seats
from initiatives.lifecycle.initiative.act import act
from initiatives.lifecycle.reminders import telling
from initiatives.lifecycle.reviews import turn_notifications
from initiatives.models import Initiative, Link, Review
from initiatives.portfolio.units import board_seats, decision_gaps, plans
from initiatives.portfolio.units.leaving import end_seats
from initiatives.portfolio.units.plans import Plan, Shift, counted


def move_unit(*, unit: Unit, into: Unit | None, reason: str, seen: str = "", by: User) -> Plan:
    """Move a unit with all units below it under another, or to the top. Return the plan.

    `seen` is the digest of the plan that the person read. Raises Conflict if the plan changed, ValidationError if the
    place is invalid, and Refused unless `by` is an admin.
    """
    _said(reason)
    with act("move unit", by=by, reason=reason, register=True):
        may_reorganise(by).or_refuse()
        units = _locked_tree()
        unit, into = units[unit.pk], units[into.pk] if into else None
        plan = plans.plan_move(unit, into)
        _as_seen(plan, seen)
        initiatives = _locked(plan)
        shifted = _shifted(plan, initiatives)
        before, old = unit.parent, unit.path
        with rebound(_linked(initiatives), f"{unit} moved below {into or 'no other unit'}"[:250], by=by):
            _put(unit, into)
        entries.record(
            EntryKind.UNIT_MOVED,
            unit=unit.name,
            unit_id=unit.pk,
            before=before.name if before else None,
            after=into.name if into else None,
            path_before=old,
            path_after=unit.path,
            boards=_told_boards(plan),
        )
        _tell(plan.shifts, shifted, *_of_plan(plan))
    return plan


def merge_units(
    *, unit: Unit, into: Unit, carry: bool = False, reason: str, seen: str = "", by: User
) -> Plan:
    """Merge a unit into another, which gets its initiatives, people and units below.

    The unit is kept and marked. With `carry`, its board becomes that of the other, which must have none. Otherwise the
    board closes and its seats end. The rest is as in `move_unit`.
    """
    _said(reason)
    with act("merge units", by=by, reason=reason, register=True):
        may_reorganise(by).or_refuse()
        units = _locked_tree()
        unit, into = units[unit.pk], units[into.pk]
        plan = plans.plan_merge(unit, into, carry=carry)
        _as_seen(plan, seen)
        initiatives = _locked(plan)
        shifted, own = (
            _shifted(plan, initiatives),
            [initiative for initiative in initiatives if initiative.unit_id == unit.pk],
        )
        with rebound(_linked(initiatives), f"{unit} merged into {into}"[:250], by=by):
            for below in Unit.objects.filter(parent=unit).order_by("pk"):
                _put(below, into)
            _bring(Initiative, own, into)
        _bring(User, list(User.objects.select_for_update(no_key=True).filter(unit=unit).order_by("pk")), into)
        _board_follows(plan)
        unit.merged_into = into
        unit.save()
        entries.record(
            EntryKind.UNITS_MERGED,
            unit=unit.name,
            unit_id=unit.pk,
            into=into.name,
            into_id=into.pk,
            initiatives=plan.initiatives,
            people=plan.people,
            below=[below.name for below in plan.below],
            closed=plan.closes.name if plan.closes else None,
            carried=plan.carries.name if plan.carries else None,
            boards=_told_boards(plan),
        )
        entries.record_many(
            EntryKind.UNIT_CHANGED,
            [(initiative, {"before": unit.name, "after": into.name}) for initiative in own],
        )
        _tell(plan.shifts, shifted, *_of_plan(plan))
    return plan


def take_over(*, board: Board, reason: str, seen: str = "", by: User) -> Plan:
    """Let a board that waits decide for its unit and the units below without a nearer board.

    Raises Refused unless the board has a chair and the seats that the gates need. The rest is as in `move_unit`.
    """
    _said(reason)
    with act("take over", by=by, reason=reason, register=True):
        may_reorganise(by).or_refuse()
        units = _locked_tree()
        board = Board.objects.select_for_update().get(pk=board.pk)
        board.unit = units[board.unit_id]
        board_seats.may_take_over(board).or_refuse()
        plan = plans.plan_take_over(board)
        _as_seen(plan, seen)
        shifted = _shifted(plan, _locked(plan))
        board.decides_from = clock.now()
        board.save()
        entries.record(
            EntryKind.BOARD_TOOK_OVER,
            board=board.name,
            board_id=board.pk,
            unit=board.unit.name,
            boards=_told_boards(plan),
        )
        _tell(plan.shifts, shifted, board.unit, f"{board} is now the board of {board.unit}.")
    return plan


def _said(reason: str) -> None:
    if not reason.strip():
        raise ValidationError(
            {"reason": "Give the reason. People who look for the old tree can read the reason."}
        )


def _locked_tree() -> dict[int, Unit]:
    """Return all units by key, locked in key order, so that changes of the tree queue."""
    units = {unit.pk: unit for unit in Unit.objects.select_for_update().order_by("pk")}
    for unit in units.values():
        unit.parent = units.get(unit.parent_id)
        unit.merged_into = units.get(unit.merged_into_id)
    return units


def _as_seen(plan: Plan, seen: str) -> None:
    if seen and plan.digest != seen:
        raise Conflict(
            "The consequences have changed after you opened the page.", "Open the page again, then decide."
        )


def _locked(plan: Plan) -> list[Initiative]:
    """Return initiatives with a new board, unit or data policy, locked in key order."""
    units = {pk for shift in plan.shifts for pk in shift.units}
    if plan.merges:
        units.add(plan.unit.pk)
    linked = Exists(Link.objects.current().filter(initiative=OuterRef("pk")))
    moved = Q(unit__in=units) | Q(linked, unit__path__startswith=plan.unit.path)
    return list(Initiative.objects.select_for_update(of=("self",)).filter(moved).order_by("pk"))


def _linked(initiatives: list[Initiative]) -> list[Initiative]:
    """Return those of the initiatives that are tied to a system, so that data pass."""
    tied = set(Link.objects.current().filter(initiative__in=initiatives).values_list("initiative", flat=True))
    return [initiative for initiative in initiatives if initiative.pk in tied]


def _put(unit: Unit, parent: Unit | None) -> None:
    """Put the unit below another, and rewrite all paths below it in one statement."""
    old = unit.path
    unit.parent = parent
    unit.save()
    below = list(Unit.objects.filter(path__startswith=old).exclude(pk=unit.pk).values_list("pk", flat=True))
    if below:
        rest = Substr("path", len(old) + 1)
        row_history.update_where(Unit, below, path=Concat(Value(unit.path), rest, output_field=CharField()))


def _shifted(plan: Plan, initiatives: list[Initiative]) -> list[tuple[Initiative, Shift]]:
    """Return the initiatives that get another board, as they are before the change."""
    shifts = {pk: shift for shift in plan.shifts for pk in shift.units}
    return [
        (initiative, shifts[initiative.unit_id]) for initiative in initiatives if initiative.unit_id in shifts
    ]


def _bring(model, rows: list, into: Unit) -> None:
    """Set-wise: these rows belong to another unit."""
    for row in rows:
        row.unit = into
    if rows:
        row_history.update_alike(model, rows, ["unit"])


def _board_follows(plan: Plan) -> None:
    if plan.closes is not None:
        end_seats(plan.closes.memberships)
    if plan.carries is not None:
        board = plan.carries
        board.unit = plan.into
        board.save()


def _told_boards(plan: Plan) -> list[dict]:
    return [
        {
            "before": shift.before.name if shift.before else None,
            "after": shift.after.name if shift.after else None,
            "initiatives": shift.initiatives,
            "reviews": [review.pk for review in shift.reviews],
        }
        for shift in plan.shifts
    ]


def put_into(initiatives: list[Initiative], unit: Unit, *, by: User) -> None:
    """Put these locked initiatives into another unit, inside the running act on the register.

    The consequences are those of a moved unit: other boards and policies, their entries and messages.
    """
    shifts = plans.shifts_of(initiatives, unit)
    with rebound(_linked(initiatives), f"Put into {unit}"[:250], by=by):
        for initiative in initiatives:
            before, initiative.unit = initiative.unit, unit
            initiative.save()
            entries.record(EntryKind.UNIT_SET, initiative=initiative, before=before.name, after=unit.name)
    shifted = [(initiative, shift) for moved, shift in shifts for initiative in moved]
    _tell([shift for _, shift in shifts], shifted, unit, f"Initiatives were put into {unit}.")


def _of_plan(plan: Plan) -> tuple[Unit, str]:
    """Return where the initiatives of a moved or merged unit are now, and the sentence on the act."""
    what = (
        f"{plan.unit} {'is now part of' if plan.merges else 'is now below'} {plan.into or 'no other unit'}."
    )
    return (plan.into if plan.merges and plan.into else plan.unit), what


def _tell(shifts: Iterable[Shift], shifted: list[tuple[Initiative, Shift]], unit: Unit, what: str) -> None:
    """Record the new board on each initiative, and notify who acted and who must act now.

    These are the chairs of both boards, and for each open review its owner, its signers and the seats of the new board.
    """
    entries.record_many(
        EntryKind.BOARD_CHANGED,
        [
            (initiative, {"before": _name(shift.before), "after": _name(shift.after)})
            for initiative, shift in shifted
        ],
    )
    for shift in shifts:
        after = boards.members_now(shift.after)
        _tell_chairs(shift, after, unit, what)
        _tell_left(shift, after, unit, what)
        for review in shift.reviews:
            _tell_reviewers(shift, review)
    decision_gaps.tell_at_once([shift.after for shift in shifts if shift.after])


def _name(board) -> str | None:
    return board.name if board else None


def _tell_chairs(shift: Shift, after: list[Membership], unit: Unit, what: str) -> None:
    """Notify chair and deputy of the board that decides now."""
    notify(
        [member.person for chaired in boards.chairs(after) for member in chaired],
        "board changed",
        f"unit:{unit.pk}",
        period=clock.now().isoformat(timespec="seconds"),
        subject=f"{shift.after} decides {counted(shift.initiatives, 'more initiative')}",
        text=f"{what} {counted(len(shift.reviews), 'open review')} moved with it.",
        link=f"/initiatives/?unit={unit.pk}",
    )


def _tell_left(shift: Shift, after: list[Membership], unit: Unit, what: str) -> None:
    """Notify everyone on the board that decided until now, without the names of initiatives.

    People who sit on the new board too have another message.
    """
    if shift.before is None:
        return
    stay = {member.person_id for member in after}
    before = Membership.objects.held_at(clock.now()).filter(board=shift.before).exclude(person__in=stay)
    notify(
        {member.person_id: member.person for member in before.select_related("person")}.values(),
        "board changed",
        f"unit:{unit.pk}",
        period=clock.now().isoformat(timespec="seconds"),
        subject=f"{shift.before} no longer decides {counted(shift.initiatives, 'initiative')}",
        text=f"{what} {_name(shift.after) or 'No board'} decides now. "
        f"{counted(len(shift.reviews), 'open review')} moved with it. Your seat stays as it is.",
        link="/initiatives/",
    )


def _tell_reviewers(shift: Shift, review: Review) -> None:
    """Notify owner and signers that another board decides the review, and the seats that sign there now.

    The signers need not be able to open the initiative any longer.
    """
    initiative = Initiative.objects.select_related("unit").get(pk=review.initiative_id)
    owner = roles_and_seats.accepted(initiative, Role.OWNER)
    kind, key = "board changed", f"review:{review.pk}"
    words = f"{_name(shift.after) or 'no board'} now decides the review"
    period = clock.now().isoformat(timespec="seconds")
    telling.tell(
        initiative,
        [owner.person if owner else None],
        kind,
        key,
        words,
        period=period,
        text=f"{counted(len(review.latest_sign_offs), 'earlier sign-off')} no longer count while this board "
        "decides. The seats of the new board must sign again. Questions and answers are kept.",
        link=review.get_absolute_url(),
    )
    telling.tell_outside(
        initiative,
        [sign_off.person for sign_off in review.latest_sign_offs],
        kind,
        key,
        words,
        period=period,
        text="Your sign-off does not count while this board decides.",
    )
    turn_notifications.tell_seats(initiative, review)
