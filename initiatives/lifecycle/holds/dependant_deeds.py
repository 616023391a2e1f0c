"""Deeds on dependants: record and close as owner, state and decline as executive."""

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from governance import clock
from governance.audit_log.deed import EntryOf
from governance.models import Rulebook, User
from governance.permission_result import Answer, ended, no, yes
from governance.runtime.signed_in_request import SignedInRequest
from governance.tables.forms import WholeNumberField
from governance.templatetags.plumbline import stage_word
from governance.vocabulary import EARLY_STAGES
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from governance.web.form_fields import PersonField, WordsField
from initiatives.lifecycle.access import roles_and_seats, visibility
from initiatives.lifecycle.evidence.actions import create_evidence, withdraw_row
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.page_steps import Frame, deed, on_initiative
from initiatives.models import Dependant, Initiative
from initiatives.models.versions import OUTAGE_UNITS

# What an executive states answers this question of the production gate (rulebook; S2-13).
DEPENDS = "production.business_depends"
ANSWERED = "This dependence was already answered, or it has ended."


def statement_words(dependant: Dependant) -> str:
    """Return the statement of the executive, in the words of the page.

    The executive need not be able to open the initiative, so a confidential one is named by its reference alone.
    """
    initiative = dependant.initiative
    named = initiative.ref if initiative.confidential else f"{initiative.ref}, {initiative.title}"
    lines = [
        f"{dependant.who} depends on {named}.",
        f"Process: {dependant.process}" if dependant.process else "",
        f"What stops without it: {dependant.for_what}",
        f"Longest outage we can bear: {dependant.outage}",
    ]
    return "\n".join(ended(line) for line in lines if line)


class DependantForm(forms.Form):
    """The dependant, what it needs, how long it can do without, and its executive."""

    who = forms.CharField(label=_("Team or system"), max_length=160)
    process = forms.CharField(
        label=_("In which process"),
        max_length=160,
        required=False,
        help_text=_("For instance: the weekly payment run."),
    )
    for_what = WordsField(label=_("What stops working there?"))
    outage = WholeNumberField(
        label=_("Bearable outage"),
        min_value=0,
        max_value=1000,
        help_text=_("If the work cannot bear any outage, enter 0."),
    )
    unit = forms.ChoiceField(
        label=_("Unit of time"), choices=[(name, name) for name in OUTAGE_UNITS], initial="hours"
    )
    executive = PersonField(
        label=_("Executive"),
        help_text=_(
            "An executive who is responsible for that work. Plumbline asks the executive to confirm the "
            "dependence."
        ),
    )

    def act(self) -> dict:
        """Return the fields as the act takes them."""
        fields = dict(self.cleaned_data)
        hours = fields.pop("outage") * OUTAGE_UNITS[fields.pop("unit")]
        return fields | {"bearable_outage_hours": hours}


@deed(
    "record-dependant",
    may=initiative_permissions.may_manage,
    entry=EntryOf(
        EntryKind.DEPENDANT_ADDED,
        "recorded that {who} depends on the initiative, with a bearable outage of {hours:outage}<; "
        "{executive} is asked to state it>.",
        lambda dependant: {
            "who": dependant.who,
            "hours": dependant.bearable_outage_hours,
            "process": dependant.process,
            "executive": dependant.executive.full_name,
        },
    ),
    form=DependantForm,
    page="deployments",
    title=_("Record a dependant"),
    lede=_("A dependant is a team or a system that stops working without this system."),
    happens=(_("The executive that you name gets a task to confirm this in person."),),
    verb=_("Record the dependant"),
    done=_("The dependant is recorded. The executive is asked to confirm it."),
)
def add_dependant(
    initiative: Initiative,
    *,
    who: str,
    for_what: str,
    bearable_outage_hours: int,
    executive: User,
    process: str = "",
    by: User,
) -> Dependant:
    """Record a team or system that depends on it, and ask its executive.

    `bearable_outage_hours` are hours of the clock. A prototype has no dependants. The executive states the
    dependence, not the owner of the initiative.
    """
    wrong = {}
    if not who.strip():
        wrong["who"] = "Name the team or system."
    if not for_what.strip():
        wrong["for_what"] = "Describe what stops working there."
    if not executive.is_active:
        wrong["executive"] = f"{executive} is no longer active. Name someone else."
    if wrong:
        raise ValidationError(wrong)
    if initiative.stage in EARLY_STAGES:
        no(
            phrase("An initiative that is {} has no dependants.", stage_word(initiative.stage).lower()),
            "First pass the MVP gate.",
        ).or_refuse()
    if roles_and_seats.is_owner(initiative, executive):
        raise ValidationError(
            {
                "executive": (
                    "The owner of the initiative cannot state this. Name the person who is "
                    "responsible for the work there."
                )
            }
        )
    if initiative.dependants.filter(
        ended_at__isnull=True, who__iexact=who.strip(), executive=executive
    ).exists():
        raise ValidationError(
            {"who": phrase("{} is already on the list, with {} as executive.", who.strip(), executive)}
        )
    dependant = Dependant(
        initiative=initiative,
        who=who.strip(),
        process=process.strip(),
        for_what=for_what.strip(),
        bearable_outage_hours=bearable_outage_hours,
        executive=executive,
        stated_by=by,
        stated_at=clock.now(),
    )
    dependant.save()
    return dependant


def _seen(rows: QuerySet, person: User) -> QuerySet:
    """Return the dependences that the person may read. Being named does not open the initiative."""
    return rows.filter(Q(executive=person) | Q(initiative__in=visibility.visible_to(person)))


def _page(row: Dependant, request: SignedInRequest) -> dict:
    """Return the context of a dependence, with approved and supported stage."""
    may, support = may_answer(row, request.user), supported_stage.judged(row.initiative).support
    if may and not row.waiting:
        may = no(ANSWERED, "Ask the owner to record it again.")
    return {
        "initiative": row.initiative,
        "approved": stage_word(row.initiative.stage),
        "supported": stage_word(support.supported),
        "may": may,
        "words": statement_words(row),
        "visible": visibility.may_see(row.initiative, request.user),
        "back_url": reverse("row-act", args=["dependants", row.pk, "state"]),
    }


def may_answer(dependant: Dependant, person: User) -> Answer:
    """Allow the named executive to state or decline a dependence on an initiative that has not ended."""
    may, initiative = initiative_permissions.may_state(dependant, person), dependant.initiative
    if may and initiative.closed:
        return no(phrase("This initiative is {}, so no one depends on it.", initiative.stage))
    return may


ASKED: dict = {
    "rows": Dependant.objects.select_related("initiative__unit", "executive", "stated_by"),
    "noun": "dependant",
    "may": may_answer,
    "ended": lambda row: "" if row.waiting else ANSWERED,
    "frame": Frame(
        nav="inbox",
        seen=_seen,
        page=lambda row: reverse("inbox"),
        template="initiatives/holds/dependant.html",
        initiative=lambda row: row.initiative,
    ),
    "context": _page,
}


@deed(
    "dependants/state",
    **ASKED,
    may_open=lambda row, person: yes(),
    entry=EntryOf(
        EntryKind.DEPENDENCE_STATED,
        "stated: {words}",
        lambda dependant: {"who": dependant.who, "words": statement_words(dependant)},
    ),
    supports=True,
    form=forms.Form,
    title=lambda row: row.who,
    verb=_("Confirm the dependence"),
    done=_("You stated the dependence. The owner of the initiative sees your statement."),
)
def state_dependence(dependant: Dependant, *, by: User) -> None:
    """State a dependence in person, as the named executive. The statement attests that the business is ready."""
    dependant.confirmed_at = clock.now()
    if DEPENDS in Rulebook.objects.current().parsed.requirements:
        dependant.statement = create_evidence(
            dependant.initiative,
            kind="attestation",
            title=f"{dependant.who} depends on it, stated by {by.full_name}"[:200],
            note=statement_words(dependant),
            observed_on=clock.today(),
            covers=[DEPENDS],
            by=by,
        )
    dependant.save()


@deed(
    "dependants/decline",
    **ASKED,
    entry=EntryOf(
        EntryKind.DEPENDENCE_DECLINED,
        "declined to state that {who} depends on the initiative: {why}",
        lambda dependant: {"who": dependant.who, "why": dependant.declined_reason},
    ),
    title=lambda row: row.who,
    verb=_("Decline"),
    done=_("You declined. The owner of the initiative sees your reason."),
)
def decline_dependence(dependant: Dependant, *, reason: str, by: User) -> None:
    """Decline a dependence, as the named executive, with what is wrong."""
    if not reason.strip():
        raise ValidationError({"reason": "Describe what is wrong, so that the owner can correct it."})
    dependant.declined_at, dependant.declined_reason = clock.now(), reason.strip()
    dependant.save()


@deed(
    "dependants/close",
    rows=Dependant.objects.select_related("initiative__unit", "statement"),
    noun="dependant",
    may=on_initiative(initiative_permissions.may_manage),
    ended=lambda row: "This dependence has already ended." if row.ended_at else "",
    entry=EntryOf(
        EntryKind.DEPENDANT_CLOSED,
        "recorded that {who} no longer depends on the initiative.",
        lambda dependant: {"who": dependant.who},
    ),
    supports=True,
    page="deployments",
    title=_("Close a dependence"),
    happens=(
        lambda row: f"{row.who} is no longer listed as depending on {row.initiative.ref}.",
        lambda row: row.confirmed_at and _("The statement of the executive no longer counts as evidence."),
    ),
    verb=_("Close the dependence"),
    done=lambda row: f"{row.who} no longer depends on the initiative.",
)
def close_dependant(dependant: Dependant, *, reason: str, by: User) -> None:
    """Record that a dependence ended. The executive's statement ends with it."""
    end_row(
        dependant.initiative,
        dependant,
        reason.strip() or "The team or system no longer depends on the initiative",
    )


def end_row(initiative: Initiative, dependant: Dependant, why: str) -> None:
    """Close a dependence and its attestation inside the running act."""
    dependant.ended_at = clock.now()
    dependant.save()
    if dependant.statement is not None and dependant.statement.withdrawn_at is None:
        withdraw_row(initiative, dependant.statement, why)
