"""The tab "Integration" of an initiative: its links, findings and data flow."""

from dataclasses import dataclass

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from governance import clock
from governance.models import Rulebook
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary.phrases import phrase
from initiatives.contributions import contributed, parts_shown
from initiatives.integration.links import actions as link_actions
from initiatives.integration.links.forms import AcceptSourceForm, LinkForm, RecordForm
from initiatives.integration.record.actions import record_register
from initiatives.integration.remedies import Fixing
from initiatives.integration.residency import findings as residency_findings
from initiatives.integration.residency import regions
from initiatives.integration.residency.unknown_regions import say_strange
from initiatives.integration.resilience.process_findings import current_processes
from initiatives.integration.systems import charts, permissions
from initiatives.integration.systems.findings import digest, risk_notes
from initiatives.integration.systems.system_views import condition_of
from initiatives.lifecycle.access import initiative_lookup, roles_and_seats
from initiatives.lifecycle.evidence.renewal import answered_by_the_register
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.initiative_frame import (
    acted,
    ask,
    back_to,
    initiative_context,
    outgrown_banner,
    sent,
)
from initiatives.lifecycle.initiative.page_steps import (
    INITIATIVE_ACTS,
    ROW_ACTS,
    PageStep,
    RowAct,
    on_initiative,
)
from initiatives.lifecycle.requirements import standalone
from initiatives.models import (
    Customisation,
    Initiative,
    Link,
    LinkAnswer,
    RequirementFinding,
    SourceAcceptance,
    System,
    Transfer,
)

# Pages of other nouns of the register below this one, with their words.
PAGES = {
    "integration-definitions": "Definitions",
    "integration-residency": "Data residency",
    "integration-processes": "Processes and sign-on",
    "integration-drills": "Drills",
    "integration-profiles": "Data profiles",
    "integration-traces": "Traces to sources",
    "integration-effort": "Effort and waiting",
}
FOUND = 20  # systems offered in a search


@dataclass
class Tied:
    """A link on the page: its system's sources, risks, path and owner's answer."""

    row: Link
    condition: str
    tone: str
    risks: list[str]
    transfers: list[Transfer]
    sources: list[tuple[System, str, str]]
    answer: LinkAnswer | None
    word: str
    word_tone: str


@require_safe
def integration(request: SignedInRequest, ref: str) -> HttpResponse:
    """Show the links of the initiative, and the findings of the register."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    context = initiative_context(request, initiative, "integration")
    tied = _tied(initiative)
    against = _against(initiative, context, tied)
    alone = None if tied else standalone.current_declaration(initiative)
    context |= {
        "title": _("Integration"),
        "banners": [*context["banners"], *outgrown_banner(initiative)],
        "tied": tied,
        "against": against,
        "open_findings": sum(len(one["now"]) for one in against),
        "later_findings": sum(len(one["later"]) for one in against),
        "pages": [(words, reverse(name, args=[initiative.ref])) for name, words in PAGES.items()],
        "may_link": permissions.may_link(initiative, request.user),
        "may_accept": permissions.may_accept_source(initiative, request.user),
        "alone": alone,
        "may_accept_alone": alone is not None
        and bool(standalone.may_accept(initiative, alone, request.user)),
        "accepted": _accepted(initiative, context["today"]),
        "may_record": bool(tied) and bool(context["may"].collaborate),
        "sees_accounts": context["may"].team_member
        or request.user.is_admin
        or request.user.is_auditor
        or roles_and_seats.holds_architecture_seat(request.user),
    }
    if tied:
        flow = _flow(initiative, context, tied)
        context |= {"flow": flow, "drawn": charts.flow(flow)}
    return render(request, "initiatives/integration/systems/integration.html", context)


def _register_questions() -> dict[str, str]:
    rulebook = Rulebook.objects.current().parsed
    return {key: rulebook.requirements[key].question for key in answered_by_the_register(rulebook)}


def _kept_register(initiative: Initiative) -> list[str]:
    """Return what keeping the register does, and the requirements that it lacks."""
    questions = _register_questions()
    against = RequirementFinding.objects.current().filter(initiative=initiative, since__lte=clock.now())
    short = sorted({questions[row.requirement] for row in against if row.requirement in questions})
    return [
        _("This evidence may no longer count after the register changes. The rulebook decides."),
        *(
            f"The register does not meet this requirement yet, because of a finding: {question}"
            for question in short
        ),
    ]


INITIATIVE_ACTS["keep-register"] = PageStep(
    may=initiative_permissions.may_collaborate,
    act=record_register,
    form=RecordForm,
    given=lambda row, request: {"questions": _register_questions()},
    page="integration",
    title=gettext_lazy("Keep the register as evidence"),
    lede=gettext_lazy(
        "Plumbline writes the current register into a file. The file replaces the earlier one."
    ),
    happens=_kept_register,
    verb=gettext_lazy("Keep as evidence"),
    done=gettext_lazy("The current register is now evidence."),
)


def _accepted(initiative, today) -> list[SourceAcceptance]:
    """Return the newest acceptance of each source and condition that holds today."""
    rows = initiative.source_acceptances.select_related("system", "by").order_by("pk")
    newest = {(row.system_id, row.condition): row for row in rows}
    return [row for row in newest.values() if row.until >= today]


def _tied(initiative) -> list[Tied]:
    """Return the current links with all around them, in a fixed number of queries."""
    today = clock.today()
    links = list(
        initiative.links.current()
        .select_related("system__owner", "account__owner")
        .order_by("system__name", "pk")
    )
    systems = {link.system_id for link in links}
    transfers = _by(
        Transfer.objects.filter(link__in=links, ended_at__isnull=True)
        .select_related("vendor")
        .order_by("position"),
        "link_id",
    )
    made = _by(Customisation.objects.filter(system__in=systems), "system_id")
    members = _by(
        System.objects.current().filter(collection__in=systems).select_related("owner").order_by("name"),
        "collection_id",
    )
    answers = {
        row.link_id: row
        for row in LinkAnswer.objects.filter(link__in=links).select_related("by").order_by("pk")
    }
    found = []
    for link in links:
        path, answer = transfers.get(link.pk, []), answers.get(link.pk)
        word, tone = _word(link, path, answer)
        found.append(
            Tied(
                link,
                *condition_of(link.system, today),
                risk_notes(link.system, made.get(link.system_id, [])),
                path,
                [(one, *condition_of(one, today)) for one in members.get(link.system_id, [])],
                answer,
                word,
                tone,
            )
        )
    return found


def _by(rows, name: str) -> dict[int, list]:
    found: dict[int, list] = {}
    for row in rows:
        found.setdefault(getattr(row, name), []).append(row)
    return found


def _word(link: Link, transfers: list[Transfer], answer: LinkAnswer | None) -> tuple[str, str]:
    """Return the answer of the system's owner to a link in words, and its tone."""
    owner = link.system.owner
    if owner is None or not owner.is_active:
        return "no owner", "bad"
    if answer is None or answer.by_id != owner.pk:
        return "not answered yet", "warn"
    if answer.digest != digest(link, transfers)[1]:
        return "link changed, new answer needed", "warn"
    return ("agreed", "ok") if answer.accepts else ("declined", "bad")


def _against(initiative, context, tied: list[Tied]) -> list[dict]:
    """Return findings by requirement: those of now with fixes, and later ones."""
    links, transfers = [one.row for one in tied], {one.row.pk: one.transfers for one in tied}
    fixing = Fixing(
        initiative, context["may"], links, transfers, reverse("integration", args=[initiative.ref])
    )
    rows = initiative.requirement_findings.current().select_related("system").order_by("since", "pk")
    rulebook, by_key = context["rulebook"], {}
    for row in rows:
        by_key.setdefault(row.requirement, []).append(row)
    return [
        {
            "question": rulebook.requirements[key].question if key in rulebook.requirements else key,
            "url": reverse("requirement", args=[initiative.ref, key]) if key in rulebook.requirements else "",
            "now": [(row, fixing.of(row)) for row in found if row.since <= context["now"]],
            "later": [row for row in found if row.since > context["now"]],
        }
        for key, found in sorted(by_key.items())
    ]


def _flow(initiative, context, tied: list[Tied]) -> charts.Flow:
    """Return the data flow: links, the AI system, people who act, and findings."""
    running, forbidden = _running(initiative), _forbidden(initiative)
    named = [*running.values(), *(name for one in tied for name in one.row.system.regions)]
    named += [transfer.region for one in tied for transfer in one.transfers]
    strange = {regions.key_of(name) for name in residency_findings.strange(named)}
    against: dict[int | None, int] = {}
    for row in (row for one in context["against"] for row, _link in one["now"]):
        against[row.system_id] = against.get(row.system_id, 0) + 1
    ways = tuple(_way(initiative, one, running, strange, forbidden, against) for one in tied)
    models = ", ".join(model.label for model in context["facts"].models_at(context["now"]))
    places = ", ".join(sorted({where for where in running.values() if where and where not in models}))
    of_initiative = against.get(None, 0)
    note = f"{of_initiative} finding{'' if of_initiative == 1 else 's'}" if of_initiative else ""
    system = charts.Stop(
        initiative.title, "; ".join(filter(None, [models, places])), note, bool(of_initiative)
    )
    return charts.Flow(ways, system, _actors(initiative, context))


def _actors(initiative, context) -> tuple[charts.Stop, ...]:
    """Return who may use it by its scope, and who does the steps of its processes."""
    found = [charts.Stop(scope.words) for scope in context["facts"].scopes if not scope.planned]
    steps = [step for row in current_processes([initiative.pk]) for step in row.to_be or row.as_is]
    done: dict[str, list[str]] = {}
    for step in steps:
        if step.get("who"):
            done.setdefault(step["who"], []).append(step["what"])
    found += [charts.Stop(who, note="; ".join(what)) for who, what in done.items()]
    return tuple(found) or (
        charts.Stop("Not recorded", note=_("no scope or process names a person"), bad=True),
    )


def _way(
    initiative,
    tied: Tied,
    running: dict[int, str],
    strange: set[str],
    forbidden: dict[tuple[int, int | None], str],
    against: dict[int | None, int],
) -> charts.Way:
    """Return the way from the system to the initiative, or back if it only writes.

    `strange`: regions that are not known.
    """

    def where(region: str) -> tuple[str, bool]:
        unknown = regions.key_of(region) in strange
        return f"{region} (region not known)" if unknown else region, unknown

    bad, places = tied.tone in ("warn", "bad"), [where(name) for name in tied.row.system.regions]
    found = against.get(tied.row.system_id, 0)
    counted = f"{found} finding{'' if found == 1 else 's'}" if found else ""
    said = "; ".join(
        filter(None, [forbidden.get((tied.row.pk, None)), tied.condition if bad else "", counted])
    )
    stops = [
        charts.Stop(
            tied.row.system.name,
            ", ".join(place for place, _ in places) or "region not known",
            said,
            bool(said) or any(unknown for _, unknown in places),
        )
    ]
    for transfer in tied.transfers:
        place, unknown = where(
            running.get(transfer.deployment_id, transfer.region)
            if transfer.deployment_id
            else transfer.region
        )
        said = forbidden.get((tied.row.pk, transfer.pk), "")
        note = said or str(transfer.vendor or "")
        stops.append(
            charts.Stop(transfer.name, place or "region not known", note, bool(said) or unknown or not place)
        )
    stops.append(charts.Stop(initiative.ref, "", tied.row.get_pattern_display().partition(":")[0]))
    if tied.row.direction == "writes":
        stops.reverse()
    data = f"{tied.row.get_direction_display().lower()} {', '.join(tied.row.data_classes)}".strip()
    data += ", production data" if tied.row.live else ""
    url = reverse("system", args=[tied.row.system_id])
    return charts.Way(f"{tied.row.system.name}: {data}", tuple(stops), tied.row.direction, data, url)


def _forbidden(initiative) -> dict[tuple[int, int | None], str]:
    """Return, by link and transfer (None: the system), the term that forbids a place."""
    now, found = clock.now(), {}
    for one in residency_findings.with_days(residency_findings.judge([initiative.pk])):
        if one.forbidden_now and one.counts_at(now):
            found.setdefault((one.link, one.transfer), []).append(f"forbidden by {one.clause}")
    return {place: "; ".join(dict.fromkeys(said)) for place, said in found.items()}


def _running(initiative) -> dict[int, str]:
    """Return, by deployment, the region of the one that runs now in its part."""
    parts = dict(initiative.deployments.running_at(clock.now()).values_list("part", "region"))
    rows = initiative.deployments.filter(part__in=parts).values_list("pk", "part")
    return {pk: parts[part] for pk, part in rows}


# Acts on links


def add(request: SignedInRequest, ref: str) -> HttpResponse:
    """Tie the initiative to a system, after a search for the system."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    permissions.may_link(initiative, request.user).or_refuse()
    system = _chosen(request)
    if system is None:
        return _choose(request, initiative)
    form = LinkForm(sent(request), initiative=initiative, system=system, person=request.user)

    def tie() -> Link:
        return link_actions.add_link(initiative=initiative, system=system, by=request.user, **form.act())

    if acted(request, form, tie):
        say_strange(request, [place.region for place in form.cleaned_data["transfers"]])
        messages.success(
            request,
            f"The initiative is connected to {system}. {system.owner} is asked to agree."
            if system.owner
            else f"The initiative is connected to {system}, which has no owner. Someone must be found who "
            "agrees to the link.",
        )
        return redirect("integration", initiative.ref)
    return ask(
        request,
        initiative,
        "integration",
        form,
        back_url=back_to(request, reverse("integration", args=[initiative.ref])),
        title=gettext("Connect the initiative to %(system)s") % {"system": system},
        lede=gettext("%(get_kind_display)s, %(lower)s.")
        % {
            "get_kind_display": system.get_kind_display(),
            "lower": condition_of(system, clock.today())[0].lower(),
        },
        happens=[
            f"{system.owner} is asked to agree to the link."
            if system.owner
            else f"{system} has no owner. Someone must be found who agrees to the link.",
            _("If the initiative already has evidence, some of it must be shown again with the new source."),
        ],
        hidden={"system": system.pk},
        parts=parts_shown(contributed.beside_link, request.user, system),
        verb=_("Connect"),
    )


def _chosen(request) -> System | None:
    wanted = request.POST.get("system") or request.GET.get("system") or ""
    if not wanted:
        return None
    rows = System.objects.current().select_related("owner")
    found = rows.filter(pk=int(wanted)).first() if wanted.isdecimal() and len(wanted) < 10 else None
    if found is None:
        raise Http404("This system does not exist, or it is not in use.")
    return found


def _choose(request, initiative) -> HttpResponse:
    """Show the search for a system, or describe one."""
    words = request.GET.get("q", "").strip()[:160]
    rows = System.objects.current().select_related("owner")
    if words:
        rows = rows.filter(name__icontains=words) | rows.filter(location__icontains=words)
    today = clock.today()
    found = [(row, *condition_of(row, today)) for row in rows.order_by("name")[: FOUND + 1]]
    return ask(
        request,
        initiative,
        "integration",
        None,
        template="initiatives/integration/systems/link_choose.html",
        title=_("Connect a system"),
        words=words,
        found=found[:FOUND],
        more=len(found) > FOUND,
        back_url=reverse("integration", args=[initiative.ref]),
    )


ROW_ACTS["links/change"] = RowAct(
    rows=Link.objects.select_related("initiative__unit", "system__owner", "account"),
    may=on_initiative(permissions.may_link),
    act=link_actions.change_link,
    noun="link",
    form=LinkForm,
    given=lambda row, request: {"initiative": row.initiative, "system": row.system, "person": request.user},
    then=lambda request, row: say_strange(
        request, row.transfers.filter(ended_at__isnull=True).values_list("region", flat=True)
    ),
    page="integration",
    title=lambda row: phrase("Change the link to {}", row.system),
    happens=(
        gettext_lazy(
            "The owner of the system agreed to the earlier link. If you change the data, path, "
            "account or way, the owner is asked again."
        ),
        gettext_lazy(
            "If you change the path, evidence that names this system, or no system, no longer counts."
        ),
    ),
    verb=gettext_lazy("Save"),
    done=gettext_lazy("The link is changed."),
)
ROW_ACTS["links/close"] = RowAct(
    rows=Link.objects.select_related("initiative__unit", "system"),
    may=on_initiative(permissions.may_link),
    act=link_actions.close_link,
    noun="link",
    page="integration",
    title=lambda row: f"Close the link to {row.system}",
    happens=(gettext_lazy("Evidence that names this system, or no system, no longer counts."),),
    verb=gettext_lazy("Close the link"),
    danger=True,
    done=lambda row: f"The initiative is no longer connected to {row.system}.",
)


def _source_form(initiative: Initiative, request: SignedInRequest) -> dict:
    linked = initiative.links.current().values("system")
    tied = System.objects.current().filter(Q(pk__in=linked) | Q(collection__in=linked))
    return {
        "systems": tied.select_related("owner").order_by("name"),
        "initial": {"system": request.GET.get("system", "")},
    }


INITIATIVE_ACTS["accept-source"] = PageStep(
    may=permissions.may_accept_source,
    act=link_actions.accept_source,
    form=AcceptSourceForm,
    given=_source_form,
    page="integration",
    title=gettext_lazy("Accept the condition of a source"),
    happens=(
        gettext_lazy(
            "The condition of the source causes no finding against the initiative until that day. If the "
            "condition of the source changes, a new decision is needed."
        ),
    ),
    verb=gettext_lazy("Accept the source"),
    done=gettext_lazy("The condition of the source is accepted until that day."),
)
