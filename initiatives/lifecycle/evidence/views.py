"""Pages of evidence: list, add, read, cover more, withdraw, generate."""

from django.contrib import messages
from django.forms import Form
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext as _

from governance import clock
from governance.files import file_previews
from governance.gates import remarks
from governance.gates.evidence_rules import expiry_of, unusable, used_before
from governance.gates.gate_inputs import Verification
from governance.gates.levels import verifiers_of
from governance.models import Rulebook
from governance.rulebook import ParsedRulebook
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary import EvidenceKind
from governance.vocabulary.phrases import label, phrase
from governance.web.middleware import on_any_day
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.evidence import actions, artefact_kinds, captures, governance_index
from initiatives.lifecycle.evidence.forms import (
    CoverForm,
    EvidenceForm,
    added_kinds,
    coverable,
    elsewhere,
)
from initiatives.lifecycle.evidence.renewal import Renewal, renewal_of
from initiatives.lifecycle.evidence.verification import second_looks
from initiatives.lifecycle.facts import initiative_rows
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.initiative_frame import (
    acted,
    ask,
    initiative_context,
    page_of,
    pick,
)
from initiatives.lifecycle.initiative.page_steps import (
    INITIATIVE_ACTS,
    ROW_ACTS,
    PageStep,
    RowAct,
    on_initiative,
)
from initiatives.models import Evidence

STATES = {
    "current": "current",
    "aging": "expiring within 30 days",
    "expired": "expired",
    "voided": "ended by a change",
    "superseded": "superseded",
    "withdrawn": "withdrawn",
    "missing": "file missing",
}
TONES = {"aging": "warn", "expired": "warn", "voided": "bad", "missing": "bad"}


def _asked(rulebook: ParsedRulebook) -> set[str]:
    """Return every requirement that a gate asks for."""
    return {key for gate in rulebook.gates.values() for key in gate.requirements()}


@on_any_day(initiative_lookup.initiative_on_any_day)
def evidence_list(request, ref):
    """Show every item with its state, filtered by state and kind. Attestations are a separate group."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    context = initiative_context(request, initiative, "evidence")
    state = pick(request.GET.get("state"), STATES)
    kind = pick(request.GET.get("kind"), EvidenceKind)
    facts, rulebook, now = context["facts"], context["rulebook"], context["now"]
    rows = [
        {"item": item, "state": found, "word": STATES[found], "tone": TONES.get(found, ""), "last": last}
        for item in sorted(facts.items, key=lambda item: (item.observed_on, item.id), reverse=True)
        for found, last in [state_of_item(facts, rulebook, item, now)]
        if kind in ("", item.kind) and state in ("", found)
    ]
    told = [] if kind else [row for row in rows if row["item"].kind == EvidenceKind.ATTESTATION]
    page = page_of(
        request, [row for row in rows if kind or row["item"].kind != EvidenceKind.ATTESTATION], per=15
    )
    authors = dict(
        initiative.evidence.filter(pk__in=[row["item"].id for row in (*page, *told)]).values_list(
            "pk", "author__full_name"
        )
    )
    known = initiative_rows.known_names(initiative)
    details = {row.pk: row.details for row in initiative_rows.rows(initiative, "evidence")}
    for row in (*page, *told):
        item = row["item"]
        row["name"] = _name(rulebook, item)
        row["author"] = authors.get(item.id, "")
        row["kind"] = EvidenceKind(item.kind).label
        said = artefact_kinds.with_remarks(item.kind, item.title, details[item.id], known)
        row["holds"] = _joined(said, remarks.without_link(item), remarks.other_model(facts, item))
    context |= {
        "title": _("Evidence"),
        "page": page,
        "apart": told,
        "states": context["states"],
        "wanted": STATES,
        "kinds": [
            (key, words) for key, words in EvidenceKind.choices if key in {item.kind for item in facts.items}
        ],
        "state": state,
        "kind": kind,
    }
    return render(request, "initiatives/evidence/evidence_list.html", context)


def _name(rulebook: ParsedRulebook, item) -> str:
    """Return what a line of the list is called: its title, or of somebody's word the question that it answers."""
    asked = next((rulebook.requirements[key] for key in item.covers if key in rulebook.requirements), None)
    return asked.question if asked is not None and item.kind == EvidenceKind.ATTESTATION else item.title


def state_of_item(facts, rulebook, item, now) -> tuple[str, object]:
    """Return the best state of an item over all it covers, and its last current day."""
    if item.withdrawn_at is not None:
        return "withdrawn", None
    if item.superseded_by is not None:
        return "superseded", None
    if item.missing:
        return "missing", None
    today = clock.local_day(now)
    asked = [rulebook.requirements[key] for key in item.covers if key in rulebook.requirements]
    alive = [requirement for requirement in asked if item.void_at(requirement.key, now) is None]
    if asked and not alive:
        return "voided", None
    ends = [expiry_of(facts, requirement, item) for requirement in alive]
    days = [end for end in ends if end is not None]
    if not ends or len(days) < len(ends):
        return "current", None
    last = max(days)
    if last < today:
        return "expired", last
    return ("aging" if (last - today).days <= max(rulebook.freshness.warn_days_before) else "current"), last


def add(request, ref):
    """Add an item: first its kind, then the requirements it can prove and the rest."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    initiative_permissions.may_collaborate(initiative, request.user).or_refuse()
    rulebook = Rulebook.objects.current().parsed
    keys = _asked(rulebook)
    older = _older(initiative, request.GET.get("supersedes"))
    wanted = request.POST.get("kind") or request.GET.get("kind") or (older.kind if older else "")
    offered = added_kinds(rulebook)
    kind = pick(wanted, offered)
    if not kind:
        context = initiative_context(request, initiative, "evidence")
        served = keys & set(older.coverage.values_list("requirement", flat=True)) if older else keys
        context |= {
            "title": _("Add evidence"),
            "kinds": [
                (key, words, rulebook.evidence_kinds.get(key, ""), len(coverable(rulebook, key, served)))
                for key, words in offered.items()
                if coverable(rulebook, key, served)
            ],
            "elsewhere": elsewhere(initiative, rulebook),
            "older": older,
            "wrong": request.method == "POST" or bool(wanted),
            "why": actions.never_uploaded(wanted) if wanted in rulebook.register_kinds else "",
        }
        return render(request, "initiatives/evidence/evidence_kind.html", context)
    initial = {"covers": request.GET.getlist("covers")}
    if older is not None:
        initial = {
            "covers": list(older.coverage.values_list("requirement", flat=True)),
            "supersedes": older,
            "title": older.title,
            "condition": older.condition,
        }
    sent = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    form = EvidenceForm(
        *sent, initial=initial, initiative=initiative, rulebook=rulebook, kind=kind, keys=keys
    )
    if item := acted(
        request,
        form,
        lambda: actions.add_evidence(initiative=initiative, by=request.user, **form.act()),
    ):
        messages.success(request, _("The item is added."))
        return redirect("evidence-item", initiative.ref, item.pk)
    return ask(
        request,
        initiative,
        "evidence",
        form,
        template="initiatives/evidence/evidence_add.html",
        title=gettext("Add evidence: %(lower)s") % {"lower": EvidenceKind(kind).label.lower()},
        lede=rulebook.evidence_kinds.get(kind, "").replace(" | ", ", ").replace("_", " "),
        kind=kind,
        back_url=reverse("evidence", args=[initiative.ref]),
    )


def _older(initiative, wanted):
    """Return the item to be replaced, if the query string names one here."""
    if not wanted or not wanted.isascii() or not wanted.isdecimal():
        return None
    return initiative.evidence.filter(pk=int(wanted), generated=False).exclude(kind="attestation").first()


@on_any_day(initiative_lookup.initiative_on_any_day)
def item(request, ref, pk):
    """Show one item: facts, requirements, whether it counts, predecessor, end."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    row = initiative_lookup.evidence_for(request.user, initiative, pk)
    return render(request, "initiatives/evidence/evidence_item.html", item_context(request, initiative, row))


def item_context(request, initiative, row) -> dict:
    """Return what a page about one item shows of it."""
    context = initiative_context(request, initiative, "evidence")
    facts, rulebook, now = context["facts"], context["rulebook"], context["now"]
    fact = next(item for item in facts.items if item.id == row.pk)
    found, _ = state_of_item(facts, rulebook, fact, now)
    covers, repeated = [], _repeated(fact)
    blind = {key for item, key in second_looks.open_for(initiative, request.user) if item == row.pk}
    for key in fact.covers:
        asked = rulebook.requirements.get(key)
        if asked is None:
            covers.append(
                {
                    "key": "",
                    "question": key,
                    "why": phrase("The rulebook no longer contains this requirement."),
                    "counts": False,
                    "last": None,
                }
            )
            continue
        last = expiry_of(facts, asked, fact)
        why = unusable(facts, rulebook, asked, fact, now)
        if not why and last is not None and last < context["today"]:
            why = phrase("The evidence expired.")
        if not why and fact.result and fact.result != "pass":
            why = phrase("The result is {}. Only a pass counts.", fact.result)
        said = [(one, (key, one) in repeated) for one in fact.verifications.get(key, ()) if key not in blind]
        covers.append(
            {
                "key": key,
                "question": asked.question,
                "why": why,
                "counts": not why,
                "verified": not why and key not in blind and _verified(fact, key, facts.answers, now),
                "look": key in blind,
                "last": last,
                "said": said,
            }
        )
    return context | {
        "title": row.title,
        "item": row,
        "fact": fact,
        "aged_from": facts.first_day(fact),
        "word": STATES[found],
        "tone": TONES.get(found, ""),
        "renewal": _renewal(initiative, rulebook, row),
        "counts_as": _counts_as(rulebook, row),
        "covers": covers,
        "voidings": [
            (
                void,
                rulebook.requirements[void.requirement].question
                if void.requirement in rulebook.requirements
                else "",
            )
            for void in row.voidings.order_by("-effective_at")
        ],
        "names": row.names.select_related(
            "deployment__version", "scope_version", "contract_version__contract"
        ),
        "holds": _joined(holds_of(initiative, facts, row), remarks.other_model(facts, fact)),
        "same_file": initiative.evidence.filter(sha256=row.sha256).exclude(pk=row.pk) if row.sha256 else (),
        "older": row.supersedes,
        "newer": initiative.evidence.filter(supersedes=row).first(),
        "has_file": bool(row.file),
        "can_look": bool(row.file) and file_previews.offered(row.content_type),
    }


def holds_of(initiative, facts, row) -> str:
    """Return the details of an item in words, with its remarks and the first day of its file."""
    known = initiative_rows.known_names(initiative)
    said = artefact_kinds.with_remarks(row.kind, row.title, row.details, known)
    fact = next(item for item in facts.items if item.id == row.pk)
    return _joined(said, remarks.same_file(facts, fact), remarks.without_link(fact))


def _joined(*remarks_on_it: str) -> str:
    return "; ".join(filter(None, remarks_on_it))


def _repeated(item) -> set[tuple[str, Verification]]:
    """Return the verdicts on the item with reused words, by requirement."""
    said = [(key, one) for key, words in item.verifications.items() for one in words]
    said.sort(key=lambda pair: pair[1].at)
    again = used_before((one.by_id, one.words) for _, one in said)
    return {pair for pair, repeats in zip(said, again, strict=True) if repeats}


def _verified(item, key: str, answers, at) -> bool:
    """Return whether someone outside the team verified that the item shows the answer as it is now."""
    reply = answers.get(key)
    return reply is not None and bool(verifiers_of(item, key, reply.version, at))


def _renewal(initiative, rulebook: ParsedRulebook, row) -> Renewal | None:
    """Return where the item is renewed: of the first requirement that it is evidence for and that is still asked."""
    keys = row.coverage.order_by("pk").values_list("requirement", flat=True)
    first = next((key for key in keys if key in rulebook.requirements), None)
    return renewal_of(initiative, rulebook, first, row) if first is not None else None


def _counts_as(rulebook: ParsedRulebook, row) -> str:
    """Return a sentence on the kind as which an uploaded item counts, if it differs."""
    if row.kind not in rulebook.register_kinds:
        return ""
    here = row.generated or bool(row.clause_id) or hasattr(row, "drill") or hasattr(row, "kill_switch")
    kind = artefact_kinds.counts_as(row.kind, row.details, rulebook.register_kinds, written_here=here)
    if kind == row.kind:
        return ""
    return phrase(
        "counts as a {}. {}",
        label(EvidenceKind(kind).label, inside=True),
        artefact_kinds.SOURCES[EvidenceKind(row.kind)].words,
    )


def _page_of(row: Evidence) -> str:
    return reverse("evidence-item", args=[row.initiative.ref, row.pk])


def _cover_form(row: Evidence, request: SignedInRequest) -> dict:
    rulebook = Rulebook.objects.current().parsed
    have = set(row.coverage.values_list("requirement", flat=True))
    return {"rulebook": rulebook, "kind": row.kind, "keys": _asked(rulebook) - have}


ITEMS = Evidence.objects.select_related("initiative__unit", "initiative__contract")


ROW_ACTS["evidence/cover"] = RowAct(
    rows=ITEMS,
    may=on_initiative(initiative_permissions.may_collaborate),
    act=actions.cover,
    noun="evidence",
    form=CoverForm,
    given=_cover_form,
    page="evidence",
    back=_page_of,
    title=gettext_lazy("Use the item for other requirements"),
    lede=lambda row: row.title,
    verb=gettext_lazy("Link the item"),
    done=gettext_lazy("The item is linked to these requirements too."),
)


ROW_ACTS["evidence/withdraw"] = RowAct(
    rows=ITEMS,
    may=on_initiative(initiative_permissions.may_collaborate),
    act=actions.withdraw_evidence,
    noun="evidence",
    page="evidence",
    back=_page_of,
    title=gettext_lazy("Withdraw an item"),
    lede=lambda row: row.title,
    happens=(gettext_lazy("You can still read the item. The item no longer counts for any requirement."),),
    danger=True,
    verb=gettext_lazy("Withdraw the item"),
    done=gettext_lazy("The item is withdrawn."),
)


ROW_ACTS["evidence/capture"] = RowAct(
    rows=ITEMS,
    may=on_initiative(initiative_permissions.may_capture),
    act=captures.capture_link,
    after=lambda row, made, person: _page_of(made),
    noun="evidence",
    form=Form,
    page="evidence",
    back=_page_of,
    title=gettext_lazy("Capture the link"),
    lede=lambda row: row.link,
    happens=(
        gettext_lazy("Plumbline fetches the page now without signing in, and keeps the page with its hash."),
        gettext_lazy(
            "The captured page becomes a newer item and replaces this one. The age of the evidence still "
            "counts from the day of observation."
        ),
    ),
    verb=gettext_lazy("Capture the link"),
    done=gettext_lazy("The link is captured: its content is kept with its fingerprint."),
)


INITIATIVE_ACTS["generate-index"] = PageStep(
    may=initiative_permissions.may_manage,
    act=governance_index.generate_index,
    after=lambda row, made, person: _page_of(made),
    form=Form,
    page="evidence",
    title=gettext_lazy("Generate the governance index"),
    lede=gettext_lazy(
        "The index contains the current contract, impact assessment, earlier decisions with their "
        "sign-offs, and conditions."
    ),
    happens=(gettext_lazy("A new index replaces the earlier one."),),
    verb=gettext_lazy("Generate the index"),
    done=gettext_lazy("The index is generated."),
)
