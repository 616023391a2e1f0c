"""Deeds on holds, obligations and gaps: open, lift, complete, set a day, excuse, close."""

from datetime import date

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from governance import clock
from governance.audit_log.deed import EntryOf
from governance.database.shown_state import OverwritingForm
from governance.models import Rulebook, User
from governance.permission_result import Answer, no, yes
from governance.runtime.signed_in_request import SignedInRequest
from governance.sign_in.signing import SigningForm
from governance.templatetags.plumbline import day
from governance.vocabulary import RUNNING_STAGES, HoldKind, ObligationKind, Role
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import label, phrase
from governance.web.form_fields import DayField, ListField, PersonField, WordsField
from initiatives.lifecycle.access import roles_and_seats
from initiatives.lifecycle.facts import initiative_rows, supported_stage
from initiatives.lifecycle.findings import alerts
from initiatives.lifecycle.findings.obligations import complete_row, write_obligations
from initiatives.lifecycle.holds.actions import HELD_UP, LIFTED, OPENED, lacking
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.page_steps import SignedReasonForm, deed
from initiatives.lifecycle.reminders import telling
from initiatives.models import Evidence, Excuse, Gap, Hold, Initiative, Obligation, Review

# --- Holds -----------------------------------------------------------------------------------------------------------


class HoldForm(SigningForm):
    """A concern, and the signature."""

    reason = WordsField(label=_("What must stop?"), help_text=_("The chair uses your text to decide."))


def _denied(initiative: Initiative) -> str:
    """Return which systems a hold stops at once, or an empty text."""
    keys = alerts.deciding_keys([initiative])
    return alerts.denied_words(keys) if keys else ""


@deed(
    "hold",
    may=initiative_permissions.may_hold,
    entry=OPENED,
    supports=True,
    then=lambda hold, by: alerts.tell_holds([hold]),
    form=HoldForm,
    signed="stage",
    title=_("Put on hold"),
    happens=(
        _("No review of this initiative can be decided until the chair lifts the hold."),
        _("The supported stage does not change."),
        _denied,
    ),
    verb=_("Put on hold"),
    danger=True,
    done=_("The initiative is on hold. The chair can lift the hold."),
)
def hold(initiative: Initiative, *, reason: str, by: User) -> Hold:
    """Raise a concern that blocks decisions until the chair lifts it."""
    if not reason.strip():
        raise ValidationError({"reason": "Describe what must stop. The chair uses your text to decide."})
    row = Hold(
        initiative=initiative, kind="concern", reason=reason.strip(), opened_by=by, opened_at=clock.now()
    )
    row.save()
    return row


def _tell_of_lift(hold: Hold, by: User) -> None:
    initiative = hold.initiative
    telling.tell(
        initiative,
        [hold.opened_by, *alerts.readers(initiative, ())],
        "hold lifted",
        f"hold:{hold.pk}",
        f"{by} lifted a hold ({hold.get_kind_display().lower()})",
        but=by,
        text=hold.lift_reason,
        link=initiative.get_absolute_url(),
    )


@deed(
    "holds/lift",
    rows=Hold.objects.select_related("initiative__unit", "opened_by"),
    noun="hold",
    may=initiative_permissions.may_lift,
    ended=lambda hold: "This hold was already lifted." if hold.lifted_at else "",
    entry=LIFTED,
    supports=True,
    then=_tell_of_lift,
    form=SignedReasonForm,
    signed="stage",
    title=_("Lift the hold"),
    lede=lambda row: (
        f"{HoldKind(row.kind).label}, opened by {row.opened_by or 'Plumbline'} on {day(row.opened_at)}: "
        f"{row.reason}"
    ),
    happens=(
        lambda row: row.liftable_since and f"The cause has been gone since {day(row.liftable_since)}.",
        _("This hold no longer blocks reviews of this initiative."),
    ),
    verb=_("Lift the hold"),
    done=_("The hold is lifted."),
)
def lift_hold(hold: Hold, *, reason: str, by: User) -> None:
    """Lift a liftable hold, or one that people opened, as chair with a reason."""
    if not reason.strip():
        raise ValidationError({"reason": "Explain why the hold is no longer needed."})
    hold.lifted_at, hold.lifted_by, hold.lift_reason = clock.now(), by, reason.strip()
    hold.save()


# --- Obligations -----------------------------------------------------------------------------------------------------

# What completes an obligation of this kind, and what to do. Nobody completes it on its own page.
COMPLETED_BY = {
    **dict.fromkeys(
        (ObligationKind.STEP_BACK, ObligationKind.VACANCY),
        (
            "This obligation is completed automatically when its cause is gone.",
            "Add the missing evidence, or ask the chair.",
        ),
    ),
    ObligationKind.UNKNOWN: (
        "This obligation is completed automatically when its cause is gone.",
        "Record the fact in the integration register.",
    ),
    ObligationKind.MEASUREMENT: (
        "A new measurement completes this obligation.",
        "Send a measurement on the Adoption tab.",
    ),
    ObligationKind.SERVICE_ACCOUNT: (
        "This obligation is completed when the account is closed.",
        "Open the page of the system, and record that the account is closed.",
    ),
    **dict.fromkeys(
        (ObligationKind.POST_MORTEM, ObligationKind.RETROSPECTIVE),
        (
            "A published and confirmed post-mortem completes this obligation.",
            "Write the post-mortem on its page.",
            lambda row: reverse("post-mortem-start", args=[row.pk]),
        ),
    ),
    ObligationKind.FEED: (
        "The system's owner completes this obligation.",
        "Ask the owner to confirm on the feed's page that the feed is switched off.",
        lambda row: reverse("feed-shut", args=[row.pk]),
    ),
}


def may_answer_for(obligation: Obligation, person: User) -> Answer:
    """Allow the responsible person and the owner to complete an obligation.

    The same people may write what is due. If that person is gone, the sponsor or the chair may.
    """
    initiative, responsible = obligation.initiative, obligation.responsible
    if responsible is not None and responsible.pk == person.pk and person.is_active:
        return yes()
    if roles_and_seats.is_owner(initiative, person):
        return yes()
    gone = (
        responsible is None
        or not responsible.is_active
        or roles_and_seats.accepted(initiative, Role.OWNER) is None
    )
    if gone and (
        "sponsor" in roles_and_seats.roles_of(initiative, person)
        or roles_and_seats.is_acting_chair(initiative, person)
    ):
        return yes()
    return no(
        phrase("Only {} can complete this.", responsible or "the owner"),
        "If that person has left, ask the sponsor or the chair.",
    )


def may_complete(obligation: Obligation, person: User) -> Answer:
    """Allow the people of the obligation to complete it, unless another act completes it."""
    may = may_answer_for(obligation, person)
    if not may or obligation.kind not in COMPLETED_BY:
        return may
    text, remedy, *link = COMPLETED_BY[ObligationKind(obligation.kind)]
    return no(text, remedy, link[0](obligation) if link else "")


def _asked_first(obligation: Obligation) -> str:
    """Return what to answer before an obligation of a criterion is completed, else ""."""
    if obligation.kind != ObligationKind.CRITERION:
        return ""
    rulebook = Rulebook.objects.current().parsed
    criterion = rulebook.criteria.get(obligation.source.split(":")[0])
    if criterion is None:
        return ""
    questions = " ".join(rulebook.requirements[key].question for key in criterion.requirements)
    return f"Answer these requirements with evidence first: {questions}"


class CompleteForm(forms.Form):
    """A note on an obligation that is completed."""

    note = WordsField(label=_("How was the obligation completed?"), required=False)


OBLIGATIONS = Obligation.objects.select_related("initiative__unit", "responsible")


@deed(
    "obligations/complete",
    rows=OBLIGATIONS,
    noun="obligation",
    may=may_complete,
    ended=lambda row: (
        phrase("This obligation was completed on {}.", clock.local_day(row.completed_at))
        if row.completed_at
        else ""
    ),
    reason="note",
    supports=True,
    form=CompleteForm,
    title=_("Complete the obligation"),
    lede=lambda row: f"{row.text} Due {day(row.due)}.",
    happens=("The obligation is marked as completed, by you, today.", _asked_first),
    verb=_("Complete the obligation"),
    done=_("Completed."),
)
def complete_obligation(obligation: Obligation, *, note: str, by: User) -> None:
    """Complete an obligation, with evidence if a gate left it (docs/domain.md, invariant 14)."""
    initiative = obligation.initiative
    if obligation.kind == ObligationKind.CRITERION:
        judged = supported_stage.judged(initiative)
        asked = judged.rulebook.criteria.get(
            obligation.source.split(":")[0]
        )  # a newer rulebook may not ask it
        if asked and not all(judged.states[wanted].satisfies(asked.gate) for wanted in asked.requirements):
            no(
                phrase("Not shown yet: {}", asked.question),
                "Answer the requirement under Requirements, with evidence.",
            ).or_refuse()
    if obligation.kind == ObligationKind.SHOWN_BY and (missing := lacking(initiative)):
        no(
            phrase(
                "{} requirements of {} are not met yet.", len(missing), label(initiative.get_stage_display())
            ),
            "Answer the requirements under Requirements, with evidence.",
        ).or_refuse()
    if obligation.kind == ObligationKind.STEPPED_BACK and not note.strip():
        raise ValidationError({"note": "Write what changed since the step back."})
    complete_row(obligation, by=by, note=note.strip() or "Completed")


def may_set_day(initiative: Initiative, by: User) -> Answer:
    """Allow the accepted owner to set the day for an imported initiative."""
    if (
        not initiative.imported
        or initiative.stage not in RUNNING_STAGES
        or initiative.withdrawn_at
        or initiative.unit.imported
    ):
        return no(
            "You can set this day only if an import reported the stage and your organisation owns the "
            "initiative.",
            "Open the overview of the initiative to see what is missing.",
        )
    if not roles_and_seats.is_owner(initiative, by):
        return no(
            "Only the owner can set this day.",
            "Ask the owner. If no one owns the initiative, propose an owner first.",
        )
    return yes()


class ShownByForm(OverwritingForm):
    """The day by which an imported initiative shows what it lacks. A changed day needs its reason."""

    due = DayField(label=_("Day for the evidence"))

    def __init__(self, *args, changing: bool, **kwargs):
        super().__init__(*args, **kwargs)
        if changing:
            self.fields["reason"] = WordsField(label=_("Reason for the new day"))


def _dated(initiative: Initiative) -> Obligation | None:
    """Return the open obligation to show what the reported stage lacks, or None."""
    return initiative.obligations.open().filter(kind=ObligationKind.SHOWN_BY).first()


def _day_form(initiative: Initiative, request: SignedInRequest) -> dict:
    before = _dated(initiative)
    return {"changing": before is not None, "initial": {"due": before.due} if before else {}}


@deed(
    "set-day",
    may=may_set_day,
    form=ShownByForm,
    given=_day_form,
    title=_("Set the day by which the evidence is added"),
    lede=lambda row: f"{len(lacking(row))} requirements of {row.get_stage_display()} are not met now.",
    happens=(
        _("Plumbline reminds you of the day. The portfolio shows when the day has passed."),
        _("The day blocks no decision and does not change the supported stage."),
    ),
    verb=_("Set the day"),
    done=_("The day is set."),
)
def set_day(initiative: Initiative, *, due: date, reason: str = "", by: User) -> Obligation:
    """Set the day by which a reported stage shows what it lacks, or change it.

    A change needs a reason. Gates do not read this day. It blocks no decision and changes no stage.
    """
    if due < clock.today():
        raise ValidationError({"due": "The day is in the past. Choose today or later."})
    before = _dated(initiative)
    if before is None and not lacking(initiative):
        raise ValidationError("All requirements of the approved stage are met, so no day is needed.")
    if before is not None:
        if not reason.strip():
            raise ValidationError({"reason": "Explain why the day changes."})
        complete_row(before, by=by, note=f"Another day: {reason.strip()}")
    row = Obligation(
        initiative=initiative,
        kind=ObligationKind.SHOWN_BY,
        source="import",
        text=f"Show the evidence that {initiative.get_stage_display()} asks for",
        due=due,
        responsible=by,
    )
    write_obligations([row])
    return row


def may_excuse(obligation: Obligation, initiative: Initiative) -> Answer:
    """Allow an excuse if the obligation blocks a decision and has none yet."""
    open_review = next((row for row in initiative_rows.reviews(initiative) if row.is_open), None)
    if open_review is None or open_review.gate not in HELD_UP:
        return no(
            phrase("No review of {} for MVP or production is open.", initiative.ref),
            "Wait until a review is open, then allow the decision.",
        )
    if obligation.responsible_id not in {person.pk for person in initiative_rows.answering(initiative)}:
        return no(
            phrase("This obligation does not block {}.", initiative.ref),
            "Choose an initiative of the person who is responsible for the obligation.",
        )
    if obligation.completed_at is not None or obligation.due >= clock.today():
        return no("This obligation is not overdue, so it blocks no decision.")
    if Excuse.objects.filter(obligation=obligation, initiative=initiative).exists():
        return no(
            phrase("A decision on {} was already allowed once despite this obligation.", initiative.ref),
            "First complete the obligation.",
        )
    return yes()


def _excused(excuse: Excuse) -> dict:
    # Readers of this initiative need not be able to open another one, so its words are not in the entry.
    here = excuse.obligation.initiative_id == excuse.initiative_id
    return {"obligation": excuse.obligation_id, "text": excuse.obligation.text if here else ""}


@deed(
    may=initiative_permissions.may_raise,
    entry=EntryOf(
        EntryKind.OBLIGATION_EXCUSED,
        "allowed one decision although <“{text}”|an obligation of its owner on another initiative> is due.",
        _excused,
    ),
)
def excuse_obligation(initiative: Initiative, *, obligation: Obligation, reason: str, by: User) -> Excuse:
    """Let one decision here pass an overdue obligation, as acting chair.

    The obligation stays due and still blocks all other initiatives. It is let pass once for an initiative
    (docs/domain.md, invariant 14).
    """
    if not reason.strip():
        raise ValidationError({"reason": "Explain why this decision is allowed while the obligation is due."})
    obligation = Obligation.objects.select_related("initiative").get(pk=obligation.pk)
    may_excuse(obligation, initiative).or_refuse()
    row = Excuse(obligation=obligation, initiative=initiative, reason=reason.strip(), by=by, at=clock.now())
    row.save()
    return row


# --- Gaps ------------------------------------------------------------------------------------------------------------


class GapForm(forms.Form):
    """An unresolved point that has effects downstream."""

    text = WordsField(label=_("Known problem"))
    owner = PersonField(label=_("Owner of the gap"))
    due = DayField(label=_("Due on"))
    downstream = ListField(
        label=_("Affected systems or teams"),
        required=False,
        help_text=_("Systems or teams, separated by commas."),
    )


def may_open_gap(initiative: Initiative, person: User) -> Answer:
    """Allow the acting chair, and everyone who answers for the initiative, to record a gap."""
    chairs = roles_and_seats.is_acting_chair(initiative, person)
    return yes() if chairs else initiative_permissions.may_collaborate(initiative, person)


@deed(
    "record-gap",
    may=may_open_gap,
    entry=EntryOf(
        EntryKind.GAP_OPENED,
        "opened a gap, owned by {owner}, due {due:day}: {text}",
        lambda gap: {
            "text": gap.text,
            "owner": gap.owner.full_name,
            "due": gap.due,
            "downstream": gap.downstream,
        },
    ),
    form=GapForm,
    title=_("Record a gap"),
    lede=_(
        "The gap stays open until evidence closes it or its owner accepts it. The gap stays open after the "
        "initiative has ended, too."
    ),
    verb=_("Record the gap"),
    done=_("The gap is recorded."),
)
def open_gap(
    initiative: Initiative,
    *,
    text: str,
    owner: User,
    due: date,
    downstream: list[str],
    review: Review | None = None,
    by: User,
) -> Gap:
    """Record an unresolved point with downstream effects, owner and day."""
    wrong = {}
    if not text.strip():
        wrong["text"] = "Describe what is unresolved."
    if due < clock.today():
        wrong["due"] = "The day is in the past. Choose today or later."
    if wrong:
        raise ValidationError(wrong)
    gap = Gap(
        initiative=initiative,
        text=text.strip(),
        owner=owner,
        due=due,
        downstream=downstream,
        review=review,
        opened_at=clock.now(),
        owner_accepted_at=clock.now() if owner == by else None,
    )
    gap.save()
    return gap


class CloseGapForm(forms.Form):
    """Evidence that a gap is closed. A person who does not own the gap has to name some."""

    evidence = forms.ModelChoiceField(
        queryset=None,
        required=False,
        empty_label=_("none: I own this gap and accept it"),
        help_text=_("Only the gap's owner can close the gap without evidence, by accepting it."),
    )

    def __init__(self, *args, gap: Gap, owns: bool, **kwargs):
        super().__init__(*args, **kwargs)
        if not owns or gap.ended_risk_id is not None:
            self.fields["evidence"].required = True
            self.fields["evidence"].empty_label = _("choose")
        self.fields["evidence"].queryset = gap.initiative.evidence.filter(withdrawn_at__isnull=True)
        if gap.ended_risk_id is not None:
            self.fields["evidence"].help_text = _(
                "The risk seat accepted this risk, and the acceptance ended. The gap's owner cannot "
                "accept the risk."
            )


def may_close_gap(gap: Gap, person: User) -> Answer:
    """Allow its owner, and everyone who answers for the initiative, to close a gap."""
    owns = gap.owner_id == person.pk
    return yes() if owns else initiative_permissions.may_collaborate(gap.initiative, person)


@deed(
    "gaps/close",
    rows=Gap.objects.select_related("initiative__unit", "owner", "ended_risk"),
    noun="gap",
    may=may_close_gap,
    ended=lambda gap: "This gap was already closed." if gap.closed_at else "",
    entry=EntryOf(
        EntryKind.GAP_CLOSED,
        "closed the gap “{text}”<{evidence?} with evidence.|{accepted_again?}: the risk is accepted again.|, "
        "accepted by its owner.>",
        lambda gap: {"text": gap.text, "evidence": gap.closed_with_id},
    ),
    form=CloseGapForm,
    given=lambda row, request: {"gap": row, "owns": row.owner_id == request.user.pk},
    title=_("Close a gap"),
    lede=lambda row: f"{row.text} Owned by {row.owner}, due {day(row.due)}.",
    verb=_("Close the gap"),
    done=_("The gap is closed."),
)
def close_gap(gap: Gap, *, evidence: Evidence | None = None, by: User) -> None:
    """Close a gap with evidence, or accept it as owner (docs/domain.md, invariant 15)."""
    if evidence is None and gap.owner_id != by.pk:
        no(
            "Only the gap's owner can close the gap without evidence, by accepting it.",
            phrase("Choose evidence, or ask {}.", gap.owner),
        ).or_refuse()
    if evidence is None and gap.ended_risk is not None:
        no(
            phrase(
                "This gap is the risk “{}”, whose acceptance ended. The gap's owner cannot accept the risk.",
                gap.ended_risk.title,
            ),
            "Choose evidence that the risk is gone, or ask the risk seat to accept the risk again.",
            reverse("accepted-risks", args=[gap.initiative.ref]),
        ).or_refuse()
    if evidence is None:
        gap.owner_accepted_at = gap.owner_accepted_at or clock.now()
    gap.closed_at, gap.closed_by, gap.closed_with = clock.now(), by, evidence
    gap.save()
