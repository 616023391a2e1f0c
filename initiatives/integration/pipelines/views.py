"""The page of pipelines of an initiative, and the acts that declare and end one."""

import re

from django.conf import settings
from django.db.models import Count, Max
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary import (
    EvidenceCondition,
    EvidenceKind,
    PipelinePlatform,
    ReportFormat,
    Stage,
    Tested,
)
from initiatives.integration.pipelines import actions, platforms, workflows
from initiatives.integration.pipelines.forms import PipelineForm
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.initiative.initiative_frame import initiative_context, pick
from initiatives.lifecycle.initiative.page_steps import (
    INITIATIVE_ACTS,
    ROW_ACTS,
    PageStep,
    RowAct,
    on_initiative,
)
from initiatives.models import Pipeline

REPORTS = 10  # newest reports on the page
FILE = re.compile(r"\w[\w./-]{0,99}", re.ASCII)  # a path in a repository, safe in a workflow
STAGES = (Stage.PROTOTYPE, Stage.MVP, Stage.PRODUCTION)  # a pipeline serves no stop


@require_safe
def pipelines(request: SignedInRequest, ref: str) -> HttpResponse:
    """Show the pipelines, the workflow of each for one requirement, and what they filed."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    context = initiative_context(request, initiative, "pipelines")
    rulebook = context["rulebook"]
    possible = {
        asked.key: asked
        for gate in STAGES
        for asked in rulebook.requirements_at(gate)
        if workflows.format_for(tuple(asked.evidence))
    }
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
        next(iter(possible[key].tested), ""),
        pick(request.GET.get("condition"), EvidenceCondition, EvidenceCondition.CURATED),
    )
    least = possible[key].min_condition
    rows = (
        initiative.pipelines.select_related("by", "ended_by")
        .annotate(filed=Count("reports"), last=Max("reports__at"))
        .order_by("ended_at", "-pk")
    )
    context |= {
        "title": _("Pipelines"),
        "pipelines": [_told(row, target) for row in rows],
        "platforms": PipelinePlatform.choices,
        "possible": [(one, asked.question) for one, asked in possible.items()],
        "key": key,
        "question": possible[key].question,
        "measured": "pipeline" in possible[key].ways,
        "conditions": EvidenceCondition.choices if "condition=" in target.url else (),
        "least": EvidenceCondition(least).label if least and least != EvidenceCondition.CURATED else "",
        "subject": Tested(target.tested).label if target.tested else "",
        "each_link": possible[key].each == "link",
        "target": target,
        "formats": ReportFormat.choices,
        "reports": _newest(initiative),
    }
    return render(request, "initiatives/integration/pipelines/pipelines.html", context)


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


def _told(row: Pipeline, target: workflows.Target) -> dict:
    """Return a pipeline as the page shows it, with its workflow while it may file."""
    rules = platforms.PLATFORMS[row.platform]
    name, text = ("", "") if row.ended_at else workflows.workflow_of(row.platform, row.bound, target)
    return {
        "row": row,
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
    done=gettext_lazy("The pipeline is declared. Copy its workflow into the repository."),
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
