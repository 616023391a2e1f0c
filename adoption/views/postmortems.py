"""Post-mortems and lessons: the tab of a case, the draft, publishing it, the adoption seat's word."""

from django.core.exceptions import ValidationError
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from adoption import actions, permissions
from adoption.forms import ConfirmForm, PostMortemForm, form_for
from adoption.models import Lesson, PostMortem
from governance.answers import Conflict
from initiatives import doors
from initiatives.models import Initiative, Obligation
from initiatives.views.shared import case_context, mend

STANDING_LESSONS = Prefetch(
    "lessons", Lesson.objects.filter(removed_at__isnull=True), to_attr="standing_lessons"
)
PUBLIC = (PostMortem.PUBLISHED, PostMortem.CONFIRMED)


@require_safe
def lessons(request: HttpRequest, ref: str) -> HttpResponse:
    """The lessons of a case and who owes what; to strangers what is published, unless the case is confidential."""
    try:
        case = doors.case_for(request.user, ref)
    except Http404:
        return _published_lessons(request, ref)
    written = list(
        case.post_mortems.select_related("obligation", "author", "published_by", "confirmed_by")
        .prefetch_related(STANDING_LESSONS)
        .order_by("-id")
    )
    begun = {row.obligation_id for row in written}
    owed = [
        {"debt": debt, "begun": debt.pk in begun, "may": permissions.may_start(debt, request.user)}
        for debt in case.obligations.unsettled()
        .filter(kind__in=permissions.WRITTEN)
        .select_related("debtor", "initiative")
    ]
    context = case_context(request, case, tab="lessons") | {
        "title": "Lessons",
        "written": written,
        "owed": owed,
    }
    return render(request, "adoption/lessons.html", context)


def _published_lessons(request: HttpRequest, ref: str) -> HttpResponse:
    """What everybody signed in may read: the stub of the case and its published lessons. Raises Http404 otherwise."""
    number = ref.removeprefix("AI-")
    found = Lesson.objects.filter(removed_at__isnull=True, post_mortem__state__in=PUBLIC)
    found = found.filter(post_mortem__initiative__confidential=False)
    case = None
    if number.isdecimal() and len(number) < 10:
        case = (
            Initiative.objects.live()
            .filter(number=int(number), confidential=False)
            .select_related("unit")
            .first()
        )
    rows = list(found.filter(post_mortem__initiative=case)) if case is not None and case.ref == ref else []
    if not rows:
        raise Http404("No such case, or nothing published on it.")
    return render(
        request, "adoption/lessons_published.html", {"nav": "portfolio", "case": case, "lessons": rows}
    )


def _post_mortem_for(person, pk: int) -> PostMortem:
    rows = PostMortem.objects.select_related(
        "initiative__unit",
        "initiative__contract",
        "obligation__debtor",
        "obligation__initiative",
        "author",
        "published_by",
        "confirmed_by",
    ).prefetch_related(STANDING_LESSONS)
    return doors.of_case(rows, person, pk)


@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest, pk: int) -> HttpResponse:
    """What a post-mortem asks, and the button that begins the one this debt is settled by."""
    debt = doors.of_case(
        Obligation.objects.select_related("initiative__unit", "initiative__contract", "debtor"),
        request.user,
        pk,
    )
    begun = PostMortem.objects.filter(obligation=debt).first()
    if begun is not None:
        return redirect("post-mortem", begun.pk)
    if request.method == "POST":
        row = actions.start(obligation=debt, by=request.user)
        return redirect("post-mortem", row.pk)
    if debt.kind not in permissions.WRITTEN:
        raise Http404("This debt is not settled by a post-mortem.")
    context = case_context(request, debt.initiative, tab="lessons") | {
        "title": debt.get_kind_display(),
        "debt": debt,
        "may_start": permissions.may_start(debt, request.user),
    }
    return render(request, "adoption/post_mortem_start.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def post_mortem(request: HttpRequest, pk: int) -> HttpResponse:
    """A post-mortem: a form while this person may write it, else its words. Saving never loses what was typed."""
    row = _post_mortem_for(request.user, pk)
    if request.method == "POST":
        return _write(request, row)
    if permissions.may_write(row, request.user):
        return _form_page(request, row, form_for(row))
    return _page(request, "adoption/post_mortem.html", row)


def _write(request: HttpRequest, row: PostMortem) -> HttpResponse:
    form = form_for(row, request.POST)
    if not form.is_valid():
        return _form_page(request, row, form, status=422)
    try:
        actions.write(
            post_mortem=row,
            version=_version(request),
            lessons=form.lessons(),
            by=request.user,
            **form.words(),
        )
    except ValidationError as error:
        mend(form, error)
        return _form_page(request, row, form, status=422)
    except Conflict as conflict:
        return _form_page(
            request, _post_mortem_for(request.user, row.pk), form, status=409, conflict=conflict
        )
    return redirect("post-mortem-publish" if "publish" in request.POST else "post-mortem", row.pk)


def _version(request: HttpRequest) -> int:
    """The version the page was opened with; -1, which is nobody's, when the field was tampered with."""
    text = request.POST.get("version", "")
    return int(text) if text.isdecimal() and len(text) < 9 else -1


def _form_page(
    request, row: PostMortem, form: PostMortemForm, *, status: int = 200, conflict=None
) -> HttpResponse:
    words = {
        "form": form,
        "word_fields": [form[name] for name in form.base_fields if name != "no_gaps_because"],
        "lesson_rows": [(form[f"lesson_{n}"], form[f"lesson_{n}_layer"]) for n in range(len(form.places))],
        "conflict": conflict,
        "open_gaps": row.initiative.gaps.filter(closed_at__isnull=True).select_related("owner"),
        "sent_back": actions.sent_back(row),
    }
    return _page(request, "adoption/post_mortem_form.html", row, status=status, **words)


def _page(request, template: str, row: PostMortem, *, status: int = 200, **more) -> HttpResponse:
    context = case_context(request, row.initiative, tab="lessons") | {
        "title": row.obligation.get_kind_display(),
        "post_mortem": row,
        "may_write": permissions.may_write(row, request.user),
        "may_confirm": permissions.may_confirm(row, request.user),
        **more,
    }
    return render(request, template, context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def publish(request: HttpRequest, pk: int) -> HttpResponse:
    """The draft as it would be published, with everything that is lacking; or publish it."""
    row = _post_mortem_for(request.user, pk)
    if request.method == "POST":
        try:
            actions.publish(post_mortem=row, version=_version(request), by=request.user)
        except ValidationError:
            row = _post_mortem_for(request.user, pk)
        else:
            return redirect("post-mortem", row.pk)
    labels = {name: field.label for name, field in PostMortemForm.base_fields.items()} | {
        "lessons": "Lessons"
    }
    lacking = [(labels[name], words) for name, words in actions.lacking(row).items()]
    status = 422 if request.method == "POST" else 200
    return _page(request, "adoption/post_mortem_publish.html", row, status=status, lacking=lacking)


@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, pk: int) -> HttpResponse:
    """What was published, for the adoption seat: confirm it, or send it back with what is missing."""
    row = _post_mortem_for(request.user, pk)
    form = ConfirmForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        note, version = form.cleaned_data["note"], _version(request)
        try:
            if "back" in request.POST:
                actions.send_back(post_mortem=row, version=version, reason=note, by=request.user)
            else:
                actions.confirm(post_mortem=row, version=version, note=note, by=request.user)
        except ValidationError as error:
            mend(form, error)
        else:
            return redirect("lessons", row.initiative.ref)
    status = 422 if request.method == "POST" else 200
    return _page(request, "adoption/post_mortem_confirm.html", row, status=status, form=form)
