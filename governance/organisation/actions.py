"""Acts on people, boards and rulebooks that touch no initiative. Acts that touch initiatives lie in `initiatives`."""

import re
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import connection

from governance import clock
from governance.audit_log import entries
from governance.database.row_history import acting
from governance.identity import same_person
from governance.identity.proofs import ceremony
from governance.models import Board, Criterion, Gate, Membership, Requirement, Rulebook, Unit, User
from governance.organisation import people_import, unit_import
from governance.organisation.table_lines import Lines
from governance.people import cooling_off
from governance.people.boards import board_for
from governance.people.permissions import may_cease_as_admin, may_confirm_seat
from governance.permission_result import Refused, no
from governance.rulebook import RulebookErrors, parse
from governance.sign_in import account_notifications, password_links
from governance.tables.reader import Table
from governance.vocabulary import BoardRole
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase

VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


def add_unit(*, name: str, code: str, parent: Unit | None = None, reason: str = "", by: User) -> Unit:
    """Add a unit below another. Raises ValidationError when the code is taken."""
    with acting(by=by, reason=reason or "Unit added"):
        _admin(by)
        if Unit.objects.filter(code=code).exists():
            raise ValidationError({"code": phrase("The code {} is taken. Choose another.", code)})
        if parent is not None:
            # Locked and read again: whoever moves it meanwhile moves what stands below it too.
            parent = Unit.objects.select_for_update().get(pk=parent.pk)
            open_to_own(parent, "parent")
        unit = Unit(name=name, code=code, parent=parent)
        unit.save()
        entries.record(EntryKind.UNIT_ADDED, unit=name, code=code, parent=parent.name if parent else None)
    return unit


def add_units(*, table: Table, by: User) -> Lines[unit_import.Line]:
    """Add every unit of a table that is not here yet: all, or nothing. Returns the lines as they were before.

    Raises ValidationError where a line is wrong, or nothing can be read.
    """
    with acting(by=by, reason="Units from a table"):
        _admin(by)
        with (
            connection.cursor() as cursor
        ):  # the same table sent twice at once: the second finds every unit here
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('plumbline units'))")
        lines = unit_import.read(table)
        lines.refuse_wrong()
        added: dict[int, Unit] = {}
        for line in lines.in_order():
            parent = added[line.above.number] if line.above else line.parent
            added[line.number] = add_unit(name=line.name, code=line.code, parent=parent, by=by)
    return lines


def rename_unit(*, unit: Unit, name: str, reason: str = "", by: User) -> Unit:
    """Give a unit another name. Its code and place stay. The same name again changes nothing."""
    with acting(by=by, reason=reason or "Unit renamed"):
        _admin(by)
        unit = Unit.objects.select_for_update().get(pk=unit.pk)
        before, unit.name = unit.name, name.strip()
        if not unit.name:
            raise ValidationError({"name": "Enter the name that people know."})
        if unit.name != before:
            unit.save()
            entries.record(
                EntryKind.UNIT_CHANGED,
                row=unit.name,
                row_id=unit.pk,
                before={"name": before},
                after={"name": unit.name},
            )
    return unit


def open_to_own(unit: Unit | None, field: str) -> None:
    """Raise ValidationError at `field` if the unit cannot take own rows.

    A merged unit is refused with the name of the other, an imported unit until an admin takes it over.
    """
    if unit is not None and unit.merged_into_id:
        raise ValidationError(
            {field: phrase("{} was merged into {}. Choose {}.", unit, unit.merged_into, unit.merged_into)}
        )
    if unit is not None and unit.imported:
        raise ValidationError({field: unit.taken_over_first})


def add_board(*, name: str, unit: Unit, reason: str = "", by: User) -> Board:
    """Add a board for a unit. It decides at once if no board decided there, otherwise it waits until it takes over.

    The initiatives of the units below that have no nearer board will be its own
    (`initiatives.portfolio.units.actions.take_over`).
    """
    with acting(by=by, reason=reason or "Board added"):
        _admin(by)
        open_to_own(unit, "unit")
        list(
            Unit.objects.select_for_update().order_by("pk")
        )  # acts on the tree and on boards follow each other
        first = board_for(Unit.objects.get(pk=unit.pk)) is None
        board = Board(name=name, unit=unit, decides_from=clock.now() if first else None)
        board.save()
        entries.record(EntryKind.BOARD_ADDED, board=name, unit=unit.name, waits=not first)
    return board


def add_person(
    *,
    login: str,
    full_name: str,
    email: str = "",
    unit: Unit | None = None,
    manager: User | None = None,
    is_admin: bool = False,
    is_auditor: bool = False,
    is_privacy_officer: bool = False,
    reason: str = "",
    by: User,
) -> User:
    """Add an account. Sign-in needs a password that the person chooses by a link."""
    with acting(by=by, reason=reason or "Account added"):
        _admin(by)
        if User.objects.filter(login__iexact=login).exists():
            raise ValidationError({"login": phrase("{} is taken. Choose another.", login)})
        open_to_own(unit, "unit")
        waits = clock.now() + cooling_off.LASTS if is_admin and not cooling_off.first_setup() else None
        person = User.objects.create_user(
            login,
            signs_from=waits,
            full_name=full_name,
            email=email,
            unit=unit,
            manager=manager,
            is_admin=is_admin,
            is_auditor=is_auditor,
            is_privacy_officer=is_privacy_officer,
        )
        entries.record(
            EntryKind.ACCOUNT_ADDED,
            person=full_name,
            person_id=person.pk,
            login=login,
            admin=is_admin,
            auditor=is_auditor,
            privacy_officer=is_privacy_officer,
        )
        same_person.look(person)
    return person


def add_people(*, table: Table, invite: bool, by: User) -> Lines[people_import.Line]:
    """Add all new people of a table, fill its seats and invite the new, or do nothing.

    Returns the lines as they were before. Raises ValidationError if a line is wrong, or nothing can be read.
    """
    with acting(by=by, reason="People from a table"), ceremony.signing(ceremony.take(by)):
        _admin(by)
        with (
            connection.cursor() as cursor
        ):  # the same table sent twice at once: the second finds everybody here
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('plumbline people'))")
        lines = people_import.read(table, by=by)
        lines.refuse_wrong()
        known = {row.login.lower(): row for row in User.objects.order_by("pk")}
        added = []
        for line in lines.in_order():
            cells = line.cells
            person = add_person(
                login=cells["login"],
                full_name=cells["full_name"],
                email=cells["email"],
                unit=line.unit,
                manager=known.get(cells["manager"].lower()),
                by=by,
            )
            known[person.login.lower()] = person
            added.append(person)
        for line in lines.lines:
            if line.fills_seat:
                appoint(board=line.board, person=known[line.cells["login"].lower()], seat=line.seat, by=by)
        if invite:
            password_links.invite(people=[person for person in added if person.email], by=by)
    return lines


def appoint(
    *,
    board: Board,
    person: User,
    seat: str,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    delegate_of: Membership | None = None,
    reason: str = "",
    by: User,
) -> Membership:
    """Put a person in a seat, from now or a day to come, and tell them. You cannot give yourself a seat.

    In its first day the seat signs nothing that lets an initiative rise, unless it is confirmed
    (`governance.people.cooling_off`).
    """
    if seat not in BoardRole:
        raise ValidationError({"seat": "Choose one of the seats listed."})
    if delegate_of is not None and (delegate_of.board_id != board.pk or delegate_of.seat != seat):
        raise ValidationError({"delegate_of": "Choose a holder of the same seat of the same board."})
    if delegate_of is not None and delegate_of.delegate_of_id is not None:
        raise ValidationError({"delegate_of": "This person stands in for the holder. Choose the holder."})
    if delegate_of is not None and delegate_of.ends_at is not None:
        ends_at = min(ends_at or delegate_of.ends_at, delegate_of.ends_at)
    with acting(by=by, reason=reason or "Appointed"), ceremony.signing(ceremony.take(by)):
        _admin(by)
        if by.pk == person.pk:
            no("You cannot give yourself a seat.", "Ask another admin.").or_refuse()
        now = clock.now()
        if starts_at is not None and clock.local_day(starts_at) < clock.local_day(now):
            raise ValidationError(
                {"starts_at": "A seat cannot start before today. Choose today or a later day."}
            )
        starts_at = max(starts_at or now, now)
        if ends_at is not None and ends_at <= starts_at:
            raise ValidationError({"ends_at": "The seat ends before it starts. Change one of the two days."})
        membership = Membership(
            board=board,
            person=person,
            seat=seat,
            starts_at=starts_at,
            ends_at=ends_at,
            delegate_of=delegate_of,
            granted_by=by,
            signs_from=cooling_off.seat_from(starts_at),
        )
        membership.save()
        entries.record(
            EntryKind.APPOINTED,
            person=person.full_name,
            person_id=person.pk,
            seat=seat,
            board=board.name,
            delegate_of=delegate_of.person.full_name if delegate_of else None,
        )
        waits = membership.signs_from > starts_at
        account_notifications.tell(
            person,
            f"seat:{membership.pk}",
            subject=f"You were given the seat {membership.get_seat_display()} of {board.name}",
            text=f"{by} granted you this seat from {clock.moment_in_words(starts_at)}."
            + (
                f" You can approve a higher stage from {clock.moment_in_words(membership.signs_from)}, or "
                "as soon as the chair or a second admin confirms the seat."
                if waits
                else ""
            ),
        )
    return membership


def confirm_seat(*, membership: Membership, by: User) -> Membership:
    """Confirm a seat in its first day, as chair of its board or as an admin who did not grant it: it counts at once."""
    with acting(by=by, reason="Seat confirmed"), ceremony.signing(ceremony.take(by)):
        membership = Membership.objects.select_for_update(of=("self",)).get(pk=membership.pk)
        may_confirm_seat(membership, by).or_refuse()
        membership.confirmed_by, membership.confirmed_at = by, clock.now()
        membership.save()
        entries.record(
            EntryKind.SEAT_CONFIRMED,
            person=membership.person.full_name,
            person_id=membership.person_id,
            seat=membership.seat,
            board=membership.board.name,
            granted_by=membership.granted_by.full_name if membership.granted_by else None,
        )
    return membership


def give_rights(*, person: User, before: User, by: User) -> None:
    """Tell the person, in the running act and before it is saved, which rights an admin gave or took.

    Whoever becomes an admin signs for a day nothing that lets an initiative rise (`cooling_off.wait_a_day`). Raises
    Refused if no admin would be left.
    """
    words = {"is_admin": "admin", "is_auditor": "auditor", "is_privacy_officer": "privacy officer"}
    changed = {
        name: getattr(person, name) for name in words if getattr(person, name) != getattr(before, name)
    }
    if not changed:
        return
    if changed.get("is_admin") is False:
        may_cease_as_admin(before).or_refuse()
    if changed.get("is_admin"):
        cooling_off.wait_a_day(person)
    given = [f"You are {'now' if now else 'no longer'} {words[name]}." for name, now in changed.items()]
    account_notifications.tell(
        person,
        f"rights:{person.pk}",
        subject="The rights of your account were changed",
        text=f"{by} changed your rights. {' '.join(given)}"
        + (
            f" You cannot approve a higher stage before {clock.moment_in_words(person.signs_from)}."
            if changed.get("is_admin") and person.signs_from
            else ""
        ),
    )


def load_rulebook(*, source: str, by: User | None = None, system: str = "") -> Rulebook:
    """Load a rulebook as a draft. Raises ValidationError listing every problem with its line and remedy.

    The same text again returns the draft or version that is there.
    """
    try:
        parsed = parse(source)
    except RulebookErrors as errors:
        raise ValidationError([str(problem) for problem in errors.problems]) from None
    if not VERSION.fullmatch(parsed.version):
        raise ValidationError(
            phrase(
                "Version {} cannot be part of an address. Use at most 40 letters, digits and . - _, "
                "such as 1.1.",
                f"{parsed.version[:60]!r}",
            )
        )
    found = Rulebook.objects.filter(version=parsed.version).first()
    if found is not None:
        if found.digest == parsed.digest:
            return found
        raise ValidationError(
            phrase(
                "Version {} already exists with a different text. Give your text a new version.",
                parsed.version,
            )
        )
    with acting(by=by, system=system, reason="Rulebook loaded"):
        if by is not None:
            _admin(by)
        rulebook = Rulebook(
            version=parsed.version, source=source, digest=parsed.digest, loaded_at=clock.now(), loaded_by=by
        )
        rulebook.save()
        _lay_out(rulebook, parsed)
        entries.record(EntryKind.RULEBOOK_LOADED, version=parsed.version, digest=parsed.digest)
    return rulebook


def _lay_out(rulebook: Rulebook, parsed) -> None:
    for position, gate in enumerate(parsed.gates.values()):
        Gate(
            rulebook=rulebook,
            key=gate.key,
            position=position,
            title=gate.title,
            to_stage=gate.to,
            quorum=gate.quorum,
            must_include=list(gate.must_include),
        ).save()
    for position, criterion in enumerate(parsed.criteria.values()):
        said = _said(rulebook, position, criterion)
        Criterion(**said, gate_key=criterion.gate, seat=criterion.seat).save()
    for position, asked in enumerate(parsed.requirements.values()):
        said = _said(rulebook, position, asked)
        Requirement(**said, stage=asked.stage, fresh_days=asked.fresh_days).save()


def _said(rulebook: Rulebook, position: int, row) -> dict:
    """The columns that criteria and requirements share."""
    same = ("key", "layer", "severity", "waivable", "question")
    crosswalk = {name: list(places) for name, places in row.crosswalk.items()}
    return {name: getattr(row, name) for name in same} | {
        "rulebook": rulebook,
        "position": position,
        "crosswalk": crosswalk,
    }


def propose_publication(*, rulebook: Rulebook, by: User) -> Rulebook:
    """Propose, as admin, that a chair publishes this draft."""
    with acting(by=by, reason="Publication proposed"):
        _admin(by)
        rulebook = Rulebook.objects.select_for_update().get(pk=rulebook.pk)
        if rulebook.published:
            raise Refused(phrase("Rulebook {} is already published.", rulebook.version))
        rulebook.admin = by
        rulebook.save()
        entries.record(EntryKind.PUBLICATION_PROPOSED, version=rulebook.version, digest=rulebook.digest)
    return rulebook


def _admin(by: User | None) -> None:
    if by is not None and not (by.is_active and by.is_admin):
        no("Only admins can do this.", "Ask an admin.").or_refuse()
