"""The pages of the library of lessons and of an initiative's answers."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from adoption.lessons import actions, lesson_search, permissions
from adoption.lessons.forms import LessonForm, ReasonForm, ResponsesForm
from adoption.lessons.presentation import (
    FEW,
    Shown,
    at_gate,
    like,
    of_system,
    offered_to,
    seen_initiatives,
    shown,
)
from adoption.models import Lesson, LessonResponse
from adoption.models.postmortems import PATTERNS
from governance.models import Unit, User
from governance.permission_result import Conflict
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary import Layer
from governance.vocabulary.form_errors import put_errors
from initiatives.contributions import Part
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.initiative.initiative_frame import initiative_context, page_of, pick
from initiatives.lifecycle.initiative.page_steps import PLAIN_ACTS, ROW_ACTS, Frame, PageStep, RowAct
from initiatives.models import Review, System
from initiatives.portfolio.search import search as portfolio_search

PAGE = 20


@require_safe
def lessons_all(request: SignedInRequest) -> HttpResponse:
    """Show the library: the filtered lessons that match a question, or the newest."""
    asked = " ".join(request.GET.get("q", "").split())[: lesson_search.LONGEST]
    rows, chosen = _filtered(request)
    if asked:
        answers = lesson_search.answers(asked, request.user, rows if chosen else None)
        why = {hit.lesson: (f"words: {', '.join(hit.words)}",) for hit in answers.hits}
        page = page_of(request, list(why), PAGE)
    else:
        answers, why = lesson_search.Answers([]), {}
        newest = rows.filter(pk__in=lesson_search.readable(request.user).values("pk")).order_by("-pk")
        page = page_of(request, newest.values_list("pk", flat=True), PAGE)
    context = {
        "nav": "lessons-all",
        "asked": asked,
        "chosen": chosen,
        "page": page,
        "rows": shown(page.object_list, request.user, why),
        "by_meaning": answers.by_meaning,
        "layers": Layer.choices,
        "patterns": PATTERNS,
        "units": Unit.objects.filter(
            pk__in=lesson_search.offered().values("post_mortem__initiative__unit")
        ).order_by("name"),
        "systems": System.objects.current().order_by("name"),
        "years": _years(),
        "may_enter": permissions.may_enter(request.user),
        "waiting": Lesson.objects.filter(
            post_mortem__isnull=True, confirmed_at__isnull=True, removed_at__isnull=True
        )
        if permissions.may_enter(request.user)
        else (),
    }
    return render(request, "adoption/lessons/lessons_all.html", context)


# Digits of what a filter names: keys of rows, and years that a calendar has.
LONGEST = {"system": 9, "unit": 9, "year": 4}


def _filtered(request) -> tuple[QuerySet[Lesson], dict]:
    """Return the lessons that pass the query string's filters, and these filters. Ignores invalid values."""
    rows, asked = lesson_search.offered(), request.GET
    chosen = {"layer": pick(asked.get("layer"), Layer), "pattern": pick(asked.get("pattern"), PATTERNS)}
    for name in ("system", "unit", "year"):
        value = asked.get(name, "")
        chosen[name] = int(value) if value.isdecimal() and len(value) <= LONGEST[name] else ""
    chosen["vendor"] = asked.get("vendor", "").strip()[:120]
    if chosen["layer"]:
        rows = rows.filter(layer=chosen["layer"])
    if chosen["pattern"]:
        rows = rows.filter(pattern=chosen["pattern"])
    if chosen["system"]:
        rows = rows.filter(words__systems__contains=[chosen["system"]])
    if chosen["vendor"]:
        rows = rows.filter(words__vendors__contains=[chosen["vendor"].lower()])
    if chosen["unit"]:
        rows = rows.filter(post_mortem__initiative__unit=chosen["unit"])
    if chosen["year"]:
        own, outside = f"post_mortem__{PUBLISHED_AT}__year", "confirmed_at__year"
        rows = rows.filter(**{own: chosen["year"]}) | rows.filter(**{outside: chosen["year"]})
    return rows, {name: value for name, value in chosen.items() if value}


PUBLISHED_AT = "published_at"  # when the adoption seat let it into the library


def _years() -> list[int]:
    own = (
        lesson_search.offered()
        .filter(post_mortem__isnull=False)
        .dates(f"post_mortem__{PUBLISHED_AT}", "year")
    )
    outside = lesson_search.offered().filter(post_mortem__isnull=True).dates("confirmed_at", "year")
    return sorted({day.year for day in (*own, *outside)}, reverse=True)


def _lesson_for(person, pk: int) -> Lesson:
    """Return the lesson if the person may read it, or may confirm it while it waits. Raises Http404."""
    joined = ("post_mortem__initiative__unit", "entered_by", "confirmed_by", "repeats")
    found = lesson_search.readable(person).select_related(*joined).filter(pk=pk).first()
    if found is None and permissions.may_enter(person):
        waiting = Lesson.objects.filter(post_mortem__isnull=True).select_related(*joined)
        found = waiting.filter(pk=pk).first()
    if found is None:
        raise Http404("This lesson does not exist, or you cannot see it.")
    return found


@require_safe
def lesson(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show one lesson: its origin, the answers of initiatives, and its repetitions."""
    person = request.user
    row = _lesson_for(person, pk)
    told = shown([row.pk], person)
    responses = list(
        LessonResponse.objects.latest().filter(lesson=row).select_related("initiative", "by")[:200]
    )
    seen = seen_initiatives(person, {one.initiative_id for one in responses})
    known = []
    if row.post_mortem_id is not None:
        answered = LessonResponse.objects.filter(initiative=row.post_mortem.initiative).values("lesson")
        known = list(lesson_search.readable(person).filter(pk__in=answered).exclude(pk=row.pk))
    context = {
        "nav": "lessons-all",
        "lesson": row,
        "row": told[0] if told else Shown(row),
        "systems": System.objects.filter(pk__in=row.systems),
        "responses": [one for one in responses if one.initiative_id in seen],
        "elsewhere": sum(one.initiative_id not in seen for one in responses),
        "may_confirm": permissions.may_confirm(row, person),
        "may_take_out": permissions.may_take_out(row, person),
        "known": known if permissions.may_link(row, None, person) else [],
    }
    return render(request, "adoption/lessons/lesson.html", context)


@require_POST
def lesson_confirm(request: SignedInRequest, pk: int) -> HttpResponse:
    """Confirm a lesson from outside and return to its page."""
    row = _lesson_for(request.user, pk)
    actions.confirm(lesson=row, by=request.user)
    messages.success(
        request,
        _("The lesson is confirmed. Initiatives that the lesson concerns are now asked to answer it."),
    )
    return redirect("lesson", row.pk)


@require_POST
def lesson_again(request: SignedInRequest, pk: int) -> HttpResponse:
    """Record which known lesson came again in this one, or that none did."""
    row = _lesson_for(request.user, pk)
    wanted = request.POST.get("known", "")
    known = _lesson_for(request.user, int(wanted)) if wanted.isdecimal() and len(wanted) < 10 else None
    if row.post_mortem_id is None:
        permissions.may_link(row, known, request.user).or_refuse()
    actions.came_again(lesson=row, known=known, by=request.user)
    return redirect("lesson", row.pk)


@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: SignedInRequest, ref: str) -> HttpResponse:
    """Show an initiative's own lessons, each with a field for an answer."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    rows = offered_to(initiative, request.user)
    pairs = [(row.lesson, row.response) for row in rows]
    form = ResponsesForm(request.POST if request.method == "POST" else None, rows=pairs)
    conflict, status = None, 200
    if request.method == "POST":
        permissions.may_answer(initiative, request.user).or_refuse()
        status = 422
        if form.is_valid():
            said = [
                actions.Said(lesson.pk, applies, words, seen)
                for lesson, applies, words, seen in form.changed()
            ]
            try:
                if said:
                    actions.respond(initiative=initiative, said=said, by=request.user)
                    messages.success(
                        request,
                        _("Your answers are saved as part of the answer that the board signs."),
                    )
                return redirect("lessons", initiative.ref)
            except ValidationError as error:
                put_errors(form, error)
            except Conflict as refused:
                conflict, status = refused, 409
    context = initiative_context(request, initiative, page="lessons") | {
        "title": _("Answer the lessons"),
        "form": form,
        "shown": rows,
        "asked": [(row, *form.fields_of(row.lesson)) for row in rows],
        "may_answer": permissions.may_answer(initiative, request.user),
        "conflict": conflict,
    }
    return render(request, "adoption/lessons/lessons_answer.html", context, status=status)


# What other pages show of lessons


def beside_review(person, review: Review) -> Part | None:
    """Return the part of a review with the initiative's lessons and its answers."""
    if review.gate not in ("mvp", "production") or not review.is_open:
        return None
    rows = at_gate(review.initiative, person)
    return (
        Part("adoption/lessons/_lessons_at_gate.html", {"rows": rows, "initiative": review.initiative})
        if rows
        else None
    )


def beside_registering(person, said: tuple[str, str]) -> Part | None:
    """Return the part beside a registration with lessons of similar initiatives."""
    rows = like(*said, person)
    return (
        Part(
            "adoption/lessons/_lessons_beside.html", {"rows": rows, "words": "Lessons from other initiatives"}
        )
        if rows
        else None
    )


def beside_link(person, system: System) -> Part | None:
    """Return the part beside a new link with the lessons learned with the system."""
    rows = of_system(system.pk, person)
    words = f"Lessons learned with {system}"
    return Part("adoption/lessons/_lessons_beside.html", {"rows": rows, "words": words}) if rows else None


def found(search: portfolio_search.Search, most: int) -> list[portfolio_search.Hit]:
    """Return lessons for the search over everything."""
    hits = lesson_search.search(search.text, most=max(most, FEW) * 2)
    return [
        portfolio_search.Hit(
            row.lesson.text[:160],
            reverse("lesson", args=[row.lesson.pk]),
            row.initiative.ref if row.initiative else "",
            row.lesson.instead[:200],
            (row.lesson.get_layer_display().lower(),),
        )
        for row in shown([hit.lesson for hit in hits], search.person)[:most]
    ]


def _seen(rows: QuerySet[Lesson], person: User) -> QuerySet[Lesson]:
    """Return the lessons that the person may read, and those that wait if the person may confirm them."""
    seen = Q(pk__in=lesson_search.readable(person).values("pk"))
    return rows.filter(seen | Q(post_mortem__isnull=True) if permissions.may_enter(person) else seen)


ON_LESSONS = Frame(
    nav="lessons-all",
    seen=_seen,
    page=lambda row: reverse("lesson", args=[row.pk]),
    template="initiatives/units/organisation_form.html",
)
PLAIN_ACTS["enter-lesson"] = PageStep(
    frame=ON_LESSONS,
    may=lambda _, person: permissions.may_enter(person),
    act=actions.enter,
    noun="by",
    form=LessonForm,
    title=gettext_lazy("Enter a lesson from outside"),
    lede=gettext_lazy(
        "Enter something that happened elsewhere and could happen here. Someone else in an adoption seat, or an "
        "admin, must confirm the lesson before initiatives are asked to answer it."
    ),
    back=lambda _: reverse("lessons-all"),
    after=lambda _, made, person: reverse("lesson", args=[made.pk]),
    context=lambda _, request: {"back_words": gettext_lazy("Lessons")},
    verb=gettext_lazy("Enter the lesson"),
    done=gettext_lazy(
        "The lesson is entered. Someone else in an adoption seat, or an admin, must confirm "
        "the lesson before initiatives are asked to answer it."
    ),
)
ROW_ACTS["lessons/take-out"] = RowAct(
    rows=Lesson.objects.all(),
    frame=ON_LESSONS,
    may=permissions.may_take_out,
    act=actions.take_out,
    noun="lesson",
    form=ReasonForm,
    title=gettext_lazy("Remove the lesson from the library"),
    lede=lambda row: row.text,
    context=lambda row, request: {"back_words": gettext_lazy("Lesson")},
    after=lambda row, made, person: reverse("lessons-all"),
    verb=gettext_lazy("Remove the lesson"),
    danger=True,
    done=gettext_lazy("The lesson is no longer offered. The answers of initiatives stay in the audit log."),
)
