"""Pages of the interaction log: days, one interaction, an erasure, names of acts."""

import json
from collections import Counter
from datetime import timedelta

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from governance import clock
from governance.authorization import decision_queries, outcome_reports
from governance.interaction_log import loading, reading, shape
from governance.interaction_log.keys import NoMaster
from governance.interaction_retention import holds
from governance.models import Entry, Interaction, PolicyDecision, User
from governance.people.permissions import may_hold
from governance.permission_result import Conflict
from governance.runtime.signed_in_request import SignedInRequest
from governance.transparency_log import sealing
from governance.vocabulary.phrases import phrase
from initiatives.contracts.enforcement import logged_decision_views
from initiatives.interactions import actions, person_files
from initiatives.interactions.comparison import presentation
from initiatives.interactions.comparison.act_names import contract_actions
from initiatives.interactions.forms import ActNamesForm, ErasureForm, InteractionFilter, PersonForm
from initiatives.interactions.permissions import (
    may_erase,
    may_import_interactions,
    may_name_acts,
    may_read_interactions,
    may_take_file,
)
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.evidence.file_views import guarded
from initiatives.lifecycle.initiative.initiative_frame import initiative_context
from initiatives.lifecycle.initiative.page_steps import INITIATIVE_ACTS, PageStep
from initiatives.lifecycle.initiative.permissions import may_change_what_runs
from initiatives.models import Initiative, LogFinding

DAYS = 14  # shown of the comparison
NAMED = timedelta(days=30)  # of which names are listed
MOST_NAMES = 100
NO_MASTER = (
    "The master key of these texts is not on this machine. Ask an admin to restore the key from the backup."
)


@require_safe
def interactions(request: SignedInRequest, ref: str) -> HttpResponse:
    """Show the log of the initiative, newest first, with filters.

    The page does not show what people wrote.
    """
    initiative = initiative_lookup.initiative_for(request.user, ref)
    context = initiative_context(request, initiative, "api-access")
    keys = logged_decision_views.keys_of(initiative)
    reads, erases = bool(may_read_interactions(initiative, request.user)), bool(may_erase(request.user))
    form = InteractionFilter(request.GET, keys=keys.values(), people=reads)
    place = decision_queries.Place.read(request.GET.get("before", ""))
    rows, more = reading.page(
        initiative.number, form.compared(initiative), (place.at, place.id) if place else None
    )
    context |= {
        "title": _("Interaction log"),
        "form": form,
        "filtered": any(request.GET.get(name) for name in form.fields),
        "all_url": reverse("interactions", args=[initiative.ref]),
        "rows": [
            {"row": row, "place": decision_queries.Place(row.at, row.pk), "key": keys.get(row.key_id)}
            for row in rows
        ],
        "more": decision_queries.Place(*more) if more else None,
        "first_page": place is None,
        "reads": reads,
        "imports": bool(may_import_interactions(initiative, request.user)),
        "erases": erases,
        "takes": bool(may_take_file(initiative, request.user)),
        "holds": bool(may_hold(request.user)),
        "kept": settings.INTERACTION_DAYS,
        "held": erases and initiative.number in holds.held_initiatives(),
    }
    if place is None:
        days = list(initiative.reconciled_days.exclude(judged_by="").filter(day__gt=clock.today() - NAMED))
        unnamed = _unnamed(days)
        context |= {
            "days": days[:DAYS],
            "sampling": any(row.sampling for row in days[:DAYS]),
            "unnamed": unnamed.most_common(MOST_NAMES),
            "names": bool(may_name_acts(initiative, request.user)),
            "unread": [
                (one, keys.get(one.key))
                for one in reading.unread(initiative.number, clock.now() - NAMED, MOST_NAMES)
            ],
            "set_aside": loading.set_aside(initiative.number),
            "figures": presentation.figures(initiative),
            "promises": bool(may_change_what_runs(initiative, request.user)),
        }
    return render(request, "initiatives/interactions/interactions.html", context)


@never_cache
@require_safe
def interaction(request: SignedInRequest, ref: str, reported: str) -> HttpResponse:
    """Show one interaction in clear, with the decision that it names. The reading is recorded."""
    initiative, row = _found(request, ref, reported)
    opened, wrong = None, ""
    try:
        opened = actions.open_interaction(initiative=initiative, row=row, way="look", by=request.user)
    except NoMaster:
        wrong = NO_MASTER
    report = opened.report if opened else None
    keys = logged_decision_views.keys_of(initiative)
    decided = _decision(initiative, report.decision if report else "")
    batch = Entry.objects.filter(table="governance_interactionbatch", key=str(row.batch_id))
    context = initiative_context(request, initiative, "api-access")
    context |= {
        "title": _("One interaction"),
        "row": row,
        "place": reported,
        "key": keys.get(row.key_id),
        "report": report,
        "expired": opened is not None and opened.expired,
        "erased": opened is not None and report is None and not opened.wrong,
        "wrong": wrong or (opened.wrong if opened else ""),
        "left": json.dumps(shape.plain(report.attributes), indent=2, ensure_ascii=False) if report else "",
        "day_over": clock.local_day(row.at) < clock.today(),
        "decided": logged_decision_views.presented(initiative, [decided], keys)[0] if decided else None,
        "entry": batch.select_related("leaf").first(),
        "found": LogFinding.objects.current().filter(initiative=initiative, interaction=row.pk),
    }
    return render(request, "initiatives/interactions/interaction.html", context)


@never_cache
@require_safe
def handed_out(request: SignedInRequest, ref: str, reported: str) -> HttpResponse:
    """Return one interaction as a file that others can check. Raises Http404 if erased or unsealed."""
    initiative, row = _found(request, ref, reported)
    entry = Entry.objects.filter(table="governance_interactionbatch", key=str(row.batch_id)).first()
    try:
        actions.open_interaction(initiative=initiative, row=row, way="download", by=request.user)
        out = reading.handed_out(row)
        receipt = sealing.receipt_of(entry) if entry else None
    except (NoMaster, sealing.NotSealedYet):
        out = receipt = None
    if out is None or receipt is None:
        raise Http404("You cannot download this interaction: it is erased, or not sealed yet.")
    response = HttpResponse(reading.file_of(out, receipt), content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="{initiative.ref}-interaction-{row.pk}.json"'
    return response


def _found(request: SignedInRequest, ref: str, reported: str):
    """Return the initiative and the row at this place. Raises Http404, and Refused without permission."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    may_read_interactions(initiative, request.user).or_refuse()
    at = decision_queries.Place.read(reported)
    row = (
        Interaction.objects.filter(initiative_number=initiative.number, at=at.at, pk=at.id)
        .select_related("batch")
        .first()
        if at
        else None
    )
    if row is None:
        raise Http404("This initiative has no interaction with this number.")
    return initiative, row


def _decision(initiative, text: str) -> PolicyDecision | None:
    """Return the decision of the initiative with this id, once the log has it."""
    try:
        named = outcome_reports.decision_of(initiative.number, text) if text else None
    except outcome_reports.UnknownDecision:
        return None
    if named is None:
        return None
    return PolicyDecision.objects.filter(
        initiative_number=initiative.number, at=named.at, digest=named.digest
    ).first()


def _names_form(initiative: Initiative, request: SignedInRequest) -> dict:
    said = {row.name: row.action or actions.NO_ACT for row in initiative.act_names.filter(withdrawn_at=None)}
    seen = _unnamed(initiative.reconciled_days.filter(day__gt=clock.today() - NAMED))
    names = [(name, said.get(name, ""), seen[name]) for name, _ in seen.most_common(MOST_NAMES) if name]
    names += [(name, action, 0) for name, action in said.items() if name not in seen]
    return {"names": names, "actions": contract_actions([initiative])[initiative.pk]}


INITIATIVE_ACTS["name-acts"] = PageStep(
    may=may_name_acts,
    act=actions.name_acts,
    form=ActNamesForm,
    given=_names_form,
    page="api-access",
    back="interactions",
    title=gettext_lazy("Meaning of the names of acts"),
    lede=gettext_lazy(
        "Systems use different names for tools and operations. Choose the action of the contract that each "
        "name means. Plumbline compares these calls with decisions."
    ),
    happens=(
        "Plumbline compares the last thirty days again, and withdraws findings that used the earlier "
        "meaning.",
    ),
    verb=gettext_lazy("Save names"),
    done=gettext_lazy("The names are saved. Plumbline compares the last thirty days within a few minutes."),
)


def _unnamed(days) -> Counter:
    """Return the number of occurrences of each name without an action of the contract."""
    counted: Counter = Counter()
    for row in days:
        counted.update(row.unnamed)
    return counted


INITIATIVE_ACTS["erase-person"] = PageStep(
    may=lambda initiative, person: may_erase(person),
    act=actions.erase_subject,
    form=ErasureForm,
    given=lambda initiative, request: {
        "request": request,
        "purpose": f"erase a person from the interaction log of {initiative.ref}",
    },
    page="api-access",
    back="interactions",
    title=gettext_lazy("Erase a person from the interaction log"),
    happens=(
        gettext_lazy(
            "The keys of this person's interactions are destroyed. No one can read the texts again."
        ),
        gettext_lazy(
            "The audit log still shows that each interaction happened, when, and with which model, under a pseudonym."
        ),
        gettext_lazy("You cannot erase while a legal hold is on the initiative or on the person."),
    ),
    then=lambda request, made: messages.success(
        request,
        phrase(
            "Erased. {} keys are destroyed. {} bodies were checked, and {} of them are no longer readable.",
            made.keys,
            made.tried,
            made.unopened,
        ).in_language(),
    ),
    verb=gettext_lazy("Erase"),
    danger=True,
    done="",
)


def _take_file(*, initiative: Initiative, by: User, **fields) -> tuple[str, bytes]:
    try:
        return initiative.ref, person_files.take_file(initiative=initiative, by=by, **fields)
    except NoMaster:
        raise Conflict(NO_MASTER) from None


def _send_file(request: SignedInRequest, made: tuple[str, bytes]) -> HttpResponse:
    ref, content = made
    response = HttpResponse(content, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{ref}-person.zip"'
    return guarded(response, framed_by="'none'")


INITIATIVE_ACTS["take-file-of-a-person"] = PageStep(
    may=may_take_file,
    act=_take_file,
    form=PersonForm,
    page="api-access",
    back="interactions",
    title=gettext_lazy("File of a person"),
    happens=(
        gettext_lazy(
            "The file has each interaction found under this name, with its text, time, system, model and clause."
        ),
        gettext_lazy("The file can contain words of other people. Read the file before you hand it over."),
        gettext_lazy(
            "The audit log keeps your reason, a pseudonym and the number of interactions in each initiative."
        ),
    ),
    then=_send_file,
    verb=gettext_lazy("Download the file"),
    done="",
)
