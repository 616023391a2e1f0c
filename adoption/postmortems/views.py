"""The pages of post-mortems: tab, draft, handing in, confirmation, account."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Prefetch
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from adoption.lessons.permissions import may_answer
from adoption.lessons.presentation import offered_to
from adoption.models import Attachment, Attribution, Lesson, PostMortem
from adoption.models.postmortems import SIDES
from adoption.postmortems import actions, permissions, sections
from adoption.postmortems.blame_check import pointed_out
from adoption.postmortems.forms import ConfirmForm, PostMortemForm
from adoption.postmortems.writing import Clashed, write
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary import WRITTEN_OBLIGATIONS
from governance.vocabulary.form_errors import put_errors
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.facts import initiative_rows
from initiatives.lifecycle.initiative.initiative_frame import initiative_context
from initiatives.models import Initiative, Obligation, System

PARTS = (
    Prefetch("lessons", Lesson.objects.current(), to_attr="current_lessons"),
    Prefetch("attributions", Attribution.objects.current(), to_attr="current_causes"),
    Prefetch("attachments", Attachment.objects.current().select_related("by"), to_attr="current_files"),
)

# The step to which each of these buttons of the form leads once the draft is saved.
AFTER_SAVING = {"gap": "open-gap", "attach": "attach"}


@require_safe
def lessons(request: SignedInRequest, ref: str) -> HttpResponse:
    """Show an initiative's lessons and who is responsible.

    Strangers see what is published, unless the initiative is confidential.
    """
    try:
        initiative = initiative_lookup.initiative_for(request.user, ref)
    except Http404:
        return _published_lessons(request, ref)
    written = list(
        initiative.post_mortems.select_related("obligation", "author", "handed_in_by", "published_by")
        .prefetch_related(*PARTS)
        .order_by("-id")
    )
    for row in written:
        row.sides = _sides(row)
    begun = {row.obligation_id for row in written}
    open_obligations = [
        {
            "obligation": obligation,
            "begun": obligation.pk in begun,
            "may": permissions.may_start(obligation, request.user),
        }
        for obligation in initiative.obligations.open()
        .filter(kind__in=WRITTEN_OBLIGATIONS)
        .select_related("responsible", "initiative")
    ]
    context = initiative_context(request, initiative, page="lessons") | {
        "title": _("Lessons"),
        "written": written,
        "offered": offered_to(initiative, request.user),
        "may_answer": may_answer(initiative, request.user),
        "open_obligations": open_obligations,
    }
    return render(request, "adoption/postmortems/lessons.html", context)


def _sides(row: PostMortem) -> list[dict]:
    """Return the layers it is put down to by side, without empty sides."""
    found = []
    for side, words in SIDES.items():
        rows = [one for one in row.current_causes if one.side == side]
        if rows:
            found.append(
                {
                    "side": side,
                    "words": words,
                    "found": [one for one in rows if one.said == "found"],
                    "assumed": [one for one in rows if one.said == "assumed"],
                }
            )
    return found


def _published_lessons(request: SignedInRequest, ref: str) -> HttpResponse:
    """Show the stub of the initiative and its published lessons to everyone signed in.

    Raises Http404 otherwise.
    """
    number = ref.removeprefix("AI-")
    initiative, rows = None, []
    if number.isdecimal() and len(number) < 10:
        initiative = (
            Initiative.objects.live()
            .filter(number=int(number), confidential=False)
            .select_related("unit")
            .first()
        )
    if initiative is not None and initiative.ref == ref:
        rows = list(
            initiative.post_mortems.filter(state=PostMortem.PUBLISHED)
            .select_related("obligation")
            .prefetch_related(*PARTS)
            .order_by("-id")
        )
    if not rows:
        raise Http404("This initiative does not exist, or none of its post-mortems is published.")
    context = {"nav": "portfolio", "initiative": initiative, "written": rows}
    return render(request, "adoption/postmortems/lessons_published.html", context)


def rows_with_people():
    """Return post-mortems with everything their pages show."""
    return PostMortem.objects.select_related(
        "initiative__unit",
        "initiative__contract",
        "obligation__responsible",
        "obligation__initiative",
        "author",
        "handed_in_by",
        "published_by",
    ).prefetch_related(*PARTS)


def post_mortem_for(person, pk: int) -> PostMortem:
    """Return the post-mortem if the person may see its initiative. Raises Http404."""
    return initiative_lookup.of_initiative(rows_with_people(), person, pk)


@require_safe
def account(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show the published account to everyone signed in, also for print.

    People who may see the initiative also see an unpublished or confidential one.
    """
    row = rows_with_people().filter(pk=pk, state=PostMortem.PUBLISHED, initiative__confidential=False).first()
    row = row or post_mortem_for(request.user, pk)
    context = {"nav": "portfolio", "initiative": row.initiative, "post_mortem": row, "told": _told(row)}
    return render(request, "adoption/postmortems/account.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def start(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show the questions of a post-mortem, and the button that begins it."""
    obligation = initiative_lookup.of_initiative(
        Obligation.objects.select_related("initiative__unit", "initiative__contract", "responsible"),
        request.user,
        pk,
    )
    begun = PostMortem.objects.filter(obligation=obligation).first()
    if begun is not None:
        return redirect("post-mortem", begun.pk)
    if request.method == "POST":
        row = actions.start(obligation=obligation, by=request.user)
        return redirect("post-mortem", row.pk)
    if obligation.kind not in WRITTEN_OBLIGATIONS:
        raise Http404("This obligation does not need a post-mortem.")
    context = initiative_context(request, obligation.initiative, page="lessons") | {
        "title": obligation.get_kind_display(),
        "obligation": obligation,
        "may_start": permissions.may_start(obligation, request.user),
    }
    return render(request, "adoption/postmortems/post_mortem_start.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def post_mortem(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show a post-mortem: a form while the person may write it, else its words. Saving never loses input."""
    row = post_mortem_for(request.user, pk)
    if request.method == "POST":
        return _write(request, row)
    if permissions.may_write(row, request.user):
        return _form_page(request, row, PostMortemForm(post_mortem=row))
    return page(request, "adoption/postmortems/post_mortem.html", row)


def _write(request: SignedInRequest, row: PostMortem) -> HttpResponse:
    form = PostMortemForm(request.POST, post_mortem=row)
    if not form.is_valid():
        return _form_page(request, row, form, status=422)
    try:
        write(
            post_mortem=row,
            by=request.user,
            began=form.began(),
            causes=form.causes(),
            lessons=form.lessons(),
            **form.texts(),
        )
    except ValidationError as error:
        put_errors(form, error)
        return _form_page(request, row, form, status=422)
    except Clashed as clashed:
        now = post_mortem_for(request.user, row.pk)
        form = PostMortemForm(post_mortem=now, mine={one.name: one.mine for one in clashed.clashes})
        return _form_page(request, now, form, status=409, clashed=clashed)
    for button, verb in AFTER_SAVING.items():
        if button in request.POST:
            return redirect("row-act", "post-mortems", row.pk, verb)
    return redirect("post-mortem-hand-in" if "hand_in" in request.POST else "post-mortem", row.pk)


def version_of(request: SignedInRequest) -> int:
    """Return the version the page was opened with, or -1 if the field is invalid."""
    text = request.POST.get("version", "")
    return int(text) if text.isdecimal() and len(text) < 9 else -1


def _form_page(
    request, row: PostMortem, form: PostMortemForm, *, status: int = 200, clashed=None
) -> HttpResponse:
    theirs = {one.name: one for one in (clashed.clashes if clashed else ())}
    comments = _comments(row)

    def asked(name: str) -> dict:
        return {"field": form[name], "clash": theirs.get(name), "comments": comments.get(name, [])}

    words = {
        "form": form,
        "clashed": clashed,
        "word_fields": [asked(one.name) for one in sections.sections_of(row)],
        "no_lesson": asked("no_lesson_because"),
        "no_gaps": asked("no_gaps_because"),
        "marks": list(form.hidden_fields()),
        "causes": [
            group | {"rows": [[form[name] for name in names] for names in group["names"]]}
            for group in form.cause_rows
        ],
        "causes_clash": theirs.get(sections.CAUSES),
        "causes_comments": comments.get(sections.CAUSES, []),
        "lesson_rows": [
            {name: [form[field] for field in lesson[name]] for name in ("names", "pair", "more")}
            | {"clash": theirs.get(f"lesson:{lesson['pk']}")}
            for lesson in form.lesson_rows
        ],
        "lessons_comments": comments.get(sections.LESSONS, []),
        "all_comments": comments.get("", []),
        "open_gaps": _gaps(row),
        "sent_back": actions.sent_back(row),
        "pointed": _pointed(row),
    }
    return page(request, "adoption/postmortems/post_mortem_form.html", row, status=status, **words)


def _gaps(row: PostMortem) -> list:
    gaps = row.initiative.gaps.filter(closed_at__isnull=True).select_related("owner")
    return list(gaps.order_by("due", "pk"))


def _comments(row: PostMortem) -> dict[str, list]:
    found: dict[str, list] = {}
    for comment in row.comments.select_related("by", "resolved_by"):
        found.setdefault(comment.section, []).append(comment)
    return found


def _pointed(row: PostMortem) -> list[dict]:
    """Return the words that point at people, by section. They block nothing."""
    people = {one.person.full_name for one in initiative_rows.roles(row.initiative)}
    people |= {one.full_name for one in (row.author, row.obligation.responsible) if one is not None}
    texts = [(one.heading, getattr(row, one.name)) for one in sections.sections_of(row)]
    texts += [(sections.heading_of(row, sections.CAUSES), one.grounds) for one in row.current_causes]
    texts += [("Lessons", f"{one.text}\n{one.instead}") for one in row.current_lessons]
    found = ((heading, pointed_out(text, people)) for heading, text in texts if text)
    return [{"heading": heading, "pointed": pointed} for heading, pointed in found if pointed]


def _told(row: PostMortem) -> dict:
    """Return the words of a post-mortem by section, with the comments of readers."""
    comments = _comments(row)
    keys = {key for lesson in row.current_lessons for key in lesson.systems}
    names = dict(System.objects.filter(pk__in=keys).values_list("pk", "name")) if keys else {}
    for lesson in row.current_lessons:
        lesson.system_names = [names[key] for key in lesson.systems if key in names]
    return {
        "sections": [
            {
                "name": one.name,
                "heading": one.heading,
                "text": getattr(row, one.name),
                "comments": comments.get(one.name, []),
            }
            for one in sections.sections_of(row)
            if getattr(row, one.name) or one.needed
        ],
        "sides": _sides(row),
        "causes_comments": comments.get(sections.CAUSES, []),
        "lessons_comments": comments.get(sections.LESSONS, []),
        "gaps_comments": comments.get(sections.GAPS, []),
        "all_comments": comments.get("", []),
        "gaps": _gaps(row),
        "may_write": None,  # said by pages within the initiative
        "reader": None,
    }


def page(request, template: str, row: PostMortem, *, status: int = 200, **more) -> HttpResponse:
    """Show a page of a post-mortem within its initiative."""
    reading = {
        "may_write": permissions.may_write(row, request.user),
        "may_comment": permissions.may_comment(row, request.user),
        "reader": request.user,
    }
    context = initiative_context(request, row.initiative, page="lessons") | {
        "title": row.obligation.get_kind_display(),
        "post_mortem": row,
        "told": _told(row) | reading,
        **reading,
        "may_hand_in": permissions.may_hand_in(row, request.user),
        "may_confirm": permissions.may_confirm(row, request.user),
        **more,
    }
    return render(request, template, context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def hand_in(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show the draft with everything that is lacking for handing in, or hand it in."""
    row = post_mortem_for(request.user, pk)
    if request.method == "POST":
        try:
            actions.hand_in(post_mortem=row, version=version_of(request), by=request.user)
        except ValidationError:
            row = post_mortem_for(request.user, pk)
        else:
            return redirect("post-mortem", row.pk)
    lacking = [(sections.heading_of(row, name), words) for name, words in sections.lacking(row).items()]
    status = 422 if request.method == "POST" else 200
    return page(
        request,
        "adoption/postmortems/post_mortem_hand_in.html",
        row,
        status=status,
        lacking=lacking,
        pointed=_pointed(row),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show what was handed in to the adoption seat, to confirm it or to send it back."""
    row = post_mortem_for(request.user, pk)
    form = ConfirmForm(request.POST or None, without_lesson=not row.current_lessons)
    if request.method == "POST" and form.is_valid():
        note, version = form.cleaned_data["note"], version_of(request)
        try:
            if "back" in request.POST:
                actions.send_back(post_mortem=row, version=version, reason=note, by=request.user)
                said = "The post-mortem is a draft again, with your message beside it."
            else:
                agreed = form.cleaned_data.get("no_lesson", False)
                actions.confirm(
                    post_mortem=row, version=version, note=note, no_lesson=agreed, by=request.user
                )
                said = (
                    "The post-mortem is published. Initiatives that the lessons concern must answer them "
                    "before their next gate."
                )
        except ValidationError as error:
            put_errors(form, error)
        else:
            messages.success(request, said)
            return redirect("lessons", row.initiative.ref)
    status = 422 if request.method == "POST" else 200
    return page(
        request,
        "adoption/postmortems/post_mortem_confirm.html",
        row,
        status=status,
        form=form,
        pointed=_pointed(row),
    )
