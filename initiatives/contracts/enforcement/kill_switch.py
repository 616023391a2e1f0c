"""Acts of the kill switch, which denies all requests of systems, and its drill."""

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile

from governance import clock
from governance.audit_log import entries
from governance.models import PolicyDecision, User
from governance.people import cooling_off
from governance.permission_result import Answer, Conflict, all_of, no
from governance.vocabulary import BoardRole, DecisionOutcome, EvidenceRegister
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.access.roles_and_seats import is_owner, memberships_on
from initiatives.lifecycle.evidence.actions import add_evidence
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.act import act
from initiatives.lifecycle.initiative.permissions import may_switch
from initiatives.models import Evidence, Initiative, KillSwitch

# The seconds after which no request may be allowed.
IN_EFFECT_WITHIN = 1.0


def switch_off(*, initiative: Initiative, reason: str, by: User) -> KillSwitch:
    """Deny every request of the systems of this initiative, from now on.

    Raises Refused, and Conflict if the switch is off already.
    """
    if not reason.strip():
        raise ValidationError({"reason": "Give a reason in one sentence. The systems receive your reason."})
    with act("switch off", by=by, initiative=initiative, reason=reason) as initiative:
        initiative_permissions.may_switch(initiative, by).or_refuse()
        there = initiative.kill_switches.filter(released_at__isnull=True).select_related("pressed_by").first()
        if there is not None:
            raise Conflict(
                phrase(
                    "{} already switched the systems off at {}.",
                    there.pressed_by,
                    clock.moment_in_words(there.pressed_at),
                )
            )
        pressed = KillSwitch(
            initiative=initiative, reason=reason.strip(), pressed_by=by, pressed_at=clock.now()
        )
        pressed.save()
        entries.record(EntryKind.SWITCHED_OFF, initiative=initiative)
    return pressed


def switch_on(*, initiative: Initiative, reason: str, by: User) -> KillSwitch:
    """Let the contract decide again. Raises Refused, and Conflict if the switch is on already."""
    if not reason.strip():
        raise ValidationError({"reason": "Explain why the systems can run again."})
    with act("switch on", by=by, initiative=initiative, reason=reason) as initiative:
        may_switch_on(initiative, by).or_refuse()
        pressed = initiative.kill_switches.filter(released_at__isnull=True).first()
        if pressed is None:
            raise Conflict("The systems are already switched on.")
        pressed.released_by, pressed.released_at, pressed.release_reason = by, clock.now(), reason.strip()
        pressed.save()
        entries.record(EntryKind.SWITCHED_ON, initiative=initiative, off_since=pressed.pressed_at)
    return pressed


def last_allowed_after(pressed: KillSwitch):
    """Return the last moment after the press at which a request was allowed, or None.

    The log of decisions, written about every second, is the source.
    """
    decisions = PolicyDecision.objects.calls().filter(
        initiative_number=pressed.initiative.number, outcome=DecisionOutcome.ALLOW, at__gte=pressed.pressed_at
    )
    if pressed.released_at is not None:
        decisions = decisions.filter(at__lt=pressed.released_at)
    return decisions.order_by("-at").values_list("at", flat=True).first()


def _report(pressed: KillSwitch, told: str) -> str:
    """Return the text of the drill's report."""
    return "\n".join(
        [
            f"Kill switch of {pressed.initiative.ref}, {pressed.initiative.title}",
            f"Pressed:  {pressed.pressed_at.isoformat()} by {pressed.pressed_by}: {pressed.reason}",  # prose: allow
            f"Released: {pressed.released_at.isoformat()} by {pressed.released_by}: "  # prose: allow
            f"{pressed.release_reason}",
            told,
            "The drill passes if the switch denied at least one request of a system, and no request was allowed "
            f"later than {IN_EFFECT_WITHIN:g} s after the press.",
            "",
        ]
    )


def record_drill(*, pressed: KillSwitch, covers: list[str], by: User) -> Evidence:
    """Make a drill record from a use of the switch. It passes only if the switch denied a request of a system.

    Raises Refused while the switch is still pressed, or if its drill was recorded already.
    """
    with act("record drill", by=by, initiative=pressed.initiative_id) as initiative:
        initiative_permissions.may_collaborate(initiative, by).or_refuse()
        pressed = KillSwitch.objects.select_related("initiative", "pressed_by", "released_by").get(
            pk=pressed.pk
        )
        if pressed.released_at is None:
            no(
                "The systems are still switched off.", "Switch the systems on again to end the drill."
            ).or_refuse()
        if pressed.drill_id is not None:
            no("This drill was recorded already.").or_refuse()
        last = last_allowed_after(pressed)
        seconds = (last - pressed.pressed_at).total_seconds() if last else 0.0
        denied = PolicyDecision.objects.filter(
            initiative_number=initiative.number,
            key_id__isnull=False,
            code="switched_off",
            at__gte=pressed.pressed_at,
            at__lt=pressed.released_at,
        ).count()
        told = f"The switch denied {denied} request{'' if denied == 1 else 's'} of systems. " + (
            f"The last allowed request came {seconds:.2f} s after the press."
            if last
            else "No request was allowed."
        )
        evidence = add_evidence(
            initiative=initiative,
            kind="drill_record",
            title=f"Kill switch pressed on {clock.moment_in_words(pressed.pressed_at)}",
            file=ContentFile(_report(pressed, told).encode(), f"kill-switch-{pressed.pk}.txt"),
            observed_on=clock.local_day(pressed.pressed_at),
            result="pass" if seconds <= IN_EFFECT_WITHIN and denied else "partial",
            covers=covers,
            register=EvidenceRegister.DRILLS,
            by=by,
        )
        pressed.drill = evidence
        pressed.save()
    return evidence


def may_switch_on(initiative: Initiative, person: User) -> Answer:
    """Allow those who may press the switch, if cooled off, to release it."""
    seats = (
        ()
        if is_owner(initiative, person)
        else memberships_on(initiative, person, (BoardRole.CHAIR, BoardRole.DEPUTY_CHAIR))
    )
    return all_of(may_switch(initiative, person), cooling_off.may_lift(person, seats))
