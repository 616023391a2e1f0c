"""The page of pipelines of an initiative, and the acts that declare, confirm and end one."""

import re
from decimal import Decimal

from django.conf import settings
from django.db.models import Count, Max, Prefetch
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from governance import clock
from governance.models import Rulebook, User
from governance.rulebook import ParsedRulebook, Requirement
from governance.runtime.signed_in_request import SignedInRequest
from governance.sign_in.signing import SigningForm
from governance.vocabulary import (
    EvidenceKind,
    PipelinePlatform,
    ReportFormat,
    Seat,
    Stage,
)
from initiatives.integration.pipelines import actions, platforms, reports, workflows
from initiatives.integration.pipelines.forms import BarForm, PipelineForm
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.initiative_frame import initiative_context, pick
from initiatives.lifecycle.initiative.page_steps import (
    INITIATIVE_ACTS,
    ROW_ACTS,
    PageStep,
    RowAct,
    on_initiative,
)
from initiatives.models import Pipeline, PipelineBar

REPORTS = 10  # newest reports on the page
FILE = re.compile(r"\w[\w./-]{0,99}", re.ASCII)  # a path in a repository, safe in a workflow
STAGES = (Stage.PROTOTYPE, Stage.MVP, Stage.PRODUCTION)  # a pipeline serves no stop


@require_safe
def pipelines(request: SignedInRequest, ref: str) -> HttpResponse:
    """Show the pipelines, the workflow of each for one requirement, and what they filed."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    context = initiative_context(request, initiative, "pipelines")
    possible = _possible(context["rulebook"])
    key = pick(request.GET.get("requirement"), possible, _first(possible, context["states"]))
    form, file, content_type = workflows.format_for(tuple(possible[key].evidence)) or ("", "", "")
    asked_file = request.GET.get("file", "").strip()
    target = workflows.Target(
        settings.ADDRESS,
        initiative.ref,
        key,
        form,
        asked_file if FILE.fullmatch(asked_file) else file,
        content_type,
    )
    rows = (
        initiative.pipelines.select_related("initiative__unit", "by", "ended_by", "confirmed_by")
        .prefetch_related(
            Prefetch(
                "bars", PipelineBar.objects.current().select_related("confirmed_by", "initiative", "pipeline")
            )
        )
        .annotate(filed=Count("reports"), last=Max("reports__at"))
        .order_by("ended_at", "-pk")
    )
    context |= {
        "title": _("Pipelines"),
        "pipelines": [_told(row, target, request.user) for row in rows],
        "platforms": PipelinePlatform.choices,
        "possible": [(one, asked.question) for one, asked in possible.items()],
        "key": key,
        "question": possible[key].question,
        "measured": "pipeline" in possible[key].ways,
        "each_link": possible[key].each == "link",
        "target": target,
        "formats": ReportFormat.choices,
        "reports": _newest(initiative),
    }
    return render(request, "initiatives/integration/pipelines/pipelines.html", context)


def _possible(rulebook: ParsedRulebook) -> dict[str, Requirement]:
    """Return the requirements for which a pipeline can file something, by key."""
    return {
        asked.key: asked
        for gate in STAGES
        for asked in rulebook.requirements_at(gate)
        if workflows.format_for(tuple(asked.evidence))
    }


def _first(possible: dict, states: dict) -> str:
    """Return the requirement that is shown first: an open one, if possible measured by a pipeline or of a test."""
    return min(
        possible,
        key=lambda key: (
            key in states and states[key].satisfied,
            "pipeline" not in possible[key].ways,
            EvidenceKind.TEST_REPORT not in possible[key].evidence,
        ),
    )


def _newest(initiative):
    """Return the newest reports of the initiative's pipelines, with their evidence."""
    rows = initiative.evidence.filter(pipeline_report__isnull=False)
    return rows.select_related("pipeline_report__pipeline").order_by("-pipeline_report__pk")[:REPORTS]


def _told(row: Pipeline, target: workflows.Target, person: User) -> dict:
    """Return a pipeline as the page shows it, with its workflow while it may file."""
    rules = platforms.PLATFORMS[row.platform]
    name, text = ("", "") if row.ended_at else workflows.workflow_of(row.platform, row.bound, target)
    now = clock.now()
    open_ = row.ended_at is None
    return {
        "row": row,
        "confirmed": row.confirmed(now),
        "may_confirm": open_ and bool(actions.may_confirm(row, person)),
        "seats": [Seat.word(seat) for seat in actions.seats_confirming(row)],
        "bars": [
            {
                "row": bar,
                "threshold": format((bar.threshold or Decimal(1)).normalize(), "f"),
                "confirmed": bar.confirmed(now),
                "may_confirm": bool(actions.may_confirm(bar, person)),
                "seats": [Seat.word(seat) for seat in actions.seats_confirming(bar)],
            }
            for bar in row.bars.all()
            if open_
        ],
        "bound": platforms.in_words(row.platform, row.bound),
        "rule": "" if rules.either else rules.shared_rule,
        "file": name,
        "workflow": text,
    }


INITIATIVE_ACTS["declare-pipeline"] = PageStep(
    may=initiative_permissions.may_change_what_runs,
    act=actions.declare_pipeline,
    form=PipelineForm,
    given=lambda initiative, request: {"platform": request.GET.get("platform", "")},
    page="pipelines",
    title=gettext_lazy("Declare a pipeline"),
    happens=(
        gettext_lazy("Jobs of this pipeline can file evidence. The jobs need no key and no secret."),
        gettext_lazy(
            "You count as the author of what the pipeline files, so you cannot verify or sign for it."
        ),
    ),
    verb=gettext_lazy("Declare the pipeline"),
    done=gettext_lazy(
        "The pipeline is declared. Declare what it must show, and copy its workflow into the repository."
    ),
)


def _given_bar(row: Pipeline, request: SignedInRequest) -> dict:
    """Return what the form of a bar begins with: requirements, the chosen one, names of its newest result."""
    key = request.GET.get("requirement", "")
    known = row.bars.current().filter(requirement=key).first()
    return {
        "possible": _possible(Rulebook.objects.current().parsed),
        "key": key,
        "names": tuple(known.tests) if known else _newest_names(row, key),
        "known": known,
    }


def _newest_names(row: Pipeline, key: str) -> tuple[str, ...]:
    """Return the names of the tests in the newest result of a pipeline for a requirement, or of no result nothing."""
    filed = row.reports.filter(evidence__coverage__requirement=key).select_related("evidence").last()
    if filed is None or not filed.evidence.file:
        return ()
    try:
        with filed.evidence.file.open() as file:
            return reports.read(filed.format, file.read()).names
    except (OSError, reports.Unreadable):
        return ()


def _in_words(row: PipelineBar) -> list[str]:
    """Return a bar in sentences for who confirms it."""
    asked = Rulebook.objects.current().parsed.requirements.get(row.requirement)
    question = f", {asked.question}" if asked else "."
    said = [
        gettext("Requirement: %(key)s") % {"key": row.requirement + question},
        gettext("The pipeline files: %(format)s.") % {"format": gettext(row.get_format_display())},
    ]
    if row.tested:
        said.append(gettext("Subject: %(subject)s.") % {"subject": gettext(row.get_tested_display())})
    if row.condition:
        said.append(gettext("Test conditions: %(words)s.") % {"words": gettext(row.get_condition_display())})
    if row.threshold is None:
        said.append(gettext("All of these tests must pass."))
    else:
        side = gettext(row.get_side_display())
        said.append(
            gettext("Threshold: %(number)s (%(side)s).")
            % {"number": format(row.threshold.normalize(), "f"), "side": side}
        )
    return said


ROW_ACTS["pipelines/declare-bar"] = RowAct(
    rows=Pipeline.objects.select_related("initiative__unit"),
    may=on_initiative(initiative_permissions.may_change_what_runs),
    act=actions.declare_bar,
    noun="pipeline",
    page="pipelines",
    form=BarForm,
    given=_given_bar,
    title=gettext_lazy("Declare what the pipeline must show"),
    lede=lambda row: f"{row.name}, {row.get_platform_display()}.",
    happens=(
        gettext_lazy(
            "Each result is held against these tests and this threshold. A result cannot change them."
        ),
        gettext_lazy("Results are documented until a seat of the requirement has confirmed this."),
        gettext_lazy("An earlier declaration for the requirement ends. The filed evidence stays."),
    ),
    verb=gettext_lazy("Declare"),
    done=gettext_lazy("Declared. A seat of the requirement is asked to confirm it."),
)

ROW_ACTS["pipelines/confirm"] = RowAct(
    rows=Pipeline.objects.select_related("initiative__unit"),
    may=actions.may_confirm,
    act=actions.confirm_pipeline,
    form=SigningForm,
    signed="verification",
    noun="pipeline",
    page="pipelines",
    title=gettext_lazy("Confirm who may speak for the pipeline"),
    lede=lambda row: f"{row.name}, {row.get_platform_display()}, {row.issuer}.",
    happens=lambda row: [
        *(f"{gettext(label)}: {value}" for label, value in platforms.in_words(row.platform, row.bound)),
        gettext("You confirm that jobs with these values are the pipeline of this initiative."),
        gettext("Passing results can be measured for requirements whose declaration is confirmed as well."),
    ],
    verb=gettext_lazy("Confirm the pipeline"),
    done=gettext_lazy("Confirmed."),
)

ROW_ACTS["bars/confirm"] = RowAct(
    rows=PipelineBar.objects.select_related("initiative__unit", "pipeline"),
    may=actions.may_confirm,
    act=actions.confirm_bar,
    form=SigningForm,
    signed="verification",
    noun="bar",
    page="pipelines",
    title=gettext_lazy("Confirm what the pipeline must show"),
    lede=lambda row: f"{row.pipeline.name}, {row.requirement}.",
    happens=lambda row: [
        *_in_words(row),
        *(gettext("Must run: %(name)s") % {"name": one} for one in row.tests),
    ],
    verb=gettext_lazy("Confirm"),
    done=gettext_lazy("Confirmed."),
)

ROW_ACTS["pipelines/end"] = RowAct(
    rows=Pipeline.objects.select_related("initiative__unit"),
    may=on_initiative(initiative_permissions.may_change_what_runs),
    act=actions.end_pipeline,
    noun="pipeline",
    page="pipelines",
    title=gettext_lazy("End a pipeline"),
    lede=lambda row: f"{row.name}, {row.get_platform_display()}.",
    happens=(gettext_lazy("Plumbline refuses its next result. The filed evidence stays."),),
    verb=gettext_lazy("End the pipeline"),
    danger=True,
    done=gettext_lazy("The pipeline has ended."),
)
