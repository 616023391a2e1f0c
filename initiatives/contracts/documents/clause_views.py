"""Writing the contract: its clauses one by one, its words, contracts to begin with, and comments on a clause."""

from collections import Counter

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from governance.contracts.clauses import MOST_CLAUSES, Terms, problems
from governance.contracts.templates import STARTERS, Starter
from governance.contracts.wording import marked, sentence
from governance.models import Clause, ClauseComment, ContractVersion, VocabularyWord
from governance.models.contracts import VOCABULARY
from governance.permission_result import no
from governance.vocabulary import ClauseKind
from initiatives.contracts.documents import actions, clause_actions
from initiatives.contracts.documents import comments as contract_comments
from initiatives.contracts.documents.clause_actions import Overtaken
from initiatives.contracts.documents.clause_forms import ClauseForm
from initiatives.contracts.documents.comments import may_resolve
from initiatives.contracts.documents.forms import BeginForm, CommentForm, RewordForm, StartForm, WordForm
from initiatives.contracts.documents.views import count_comments, gaps_shown, groups_of
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.initiative.initiative_frame import acted, ask, fix, initiative_context, sent
from initiatives.models import Initiative

TAB = "contract"
NEW = "new"


def _to_write(request, ref) -> tuple[Initiative, ContractVersion | None]:
    """The initiative, and the version whose clauses an editor shows.

    Raises Refused for who may not write, and in review.
    """
    initiative = initiative_lookup.initiative_for(request.user, ref)
    initiative_permissions.may_manage(initiative, request.user).or_refuse()
    newest = initiative.contract.versions.order_by("-number").first() if initiative.contract_id else None
    if newest is not None and newest.state == ContractVersion.IN_REVIEW:
        no(
            f"Version {newest.number} is with the board.",
            "Withdraw it to change it.",
            reverse("contract-withdraw", args=[initiative.ref]),
        ).or_refuse()
    return initiative, newest


def _page(request, initiative: Initiative, template: str, *, status: int = 200, **more):
    """A page of the contract."""
    return render(
        request,
        f"initiatives/contracts/{template}.html",
        initiative_context(request, initiative, TAB) | more,
        status=status,
    )


def _list(initiative: Initiative, number: int | None = None) -> str:
    """The address of the editor, at a clause."""
    return reverse("contract-edit", args=[initiative.ref]) + (f"#clause-{number}" if number else "")


def edit(request, ref):
    """The clauses of the next version as sentences, each with its way to be changed; what is missing; from when."""
    initiative, newest = _to_write(request, ref)
    draft = newest if newest is not None and newest.state == ContractVersion.DRAFT else None
    start = StartForm(sent(request), initial={"wanted_from": draft.wanted_from if draft else None})
    if request.method == "POST" and start.is_valid():
        try:
            clause_actions.plan_start(initiative=initiative, by=request.user, **start.cleaned_data)
        except ValidationError as error:
            fix(start, error)
        else:
            messages.success(request, _("Saved from when the contract is wanted."))
            return redirect("contract-edit", initiative.ref)
    clauses = list(newest.clauses.all()) if newest else []
    on_removed = count_comments(initiative, clauses)
    return _page(
        request,
        initiative,
        "contract_edit",
        title=_("Write the contract"),
        newest=newest,
        draft=draft,
        start=start,
        groups=groups_of(clauses),
        on_removed=on_removed,
        gaps=gaps_shown(initiative, clauses) if clauses else [],
        kinds=ClauseKind.choices,
        full=len(clauses) >= MOST_CLAUSES,
        most=MOST_CLAUSES,
        starters=STARTERS.values() if not clauses else (),
    )


def clause_edit(request, ref, number):
    """One clause: its fields by kind, how it reads, and what somebody else saved meanwhile beside what was typed."""
    initiative, newest = _to_write(request, ref)
    wanted = None if number == NEW else _number(number)
    now = newest.clauses.filter(number=wanted).first() if newest and wanted else None
    if now is None and wanted and request.method != "POST":
        raise Http404("There is no such clause.")
    kind = request.POST.get("kind") or request.GET.get("kind") or (now.kind if now else "")
    if kind not in ClauseKind:
        return redirect(f"{_list(initiative)}#add")
    form = ClauseForm(
        sent(request),
        kind=kind,
        vocabulary=list(initiative.contract.vocabulary.all()) if initiative.contract_id else [],
        terms=now.said if now else Terms(),
        written=now.sentence if now else "",
    )
    context = {
        "title": f"Clause {wanted}" if wanted else _("A new clause"),
        "form": form,
        "kind": ClauseKind(kind).label,
        "kind_key": kind,
        "kinds": ClauseKind.choices,
        "number": wanted,
        "overtaken": None,
        "back_url": _list(initiative, wanted),
        "now": now,
        "seen": request.POST.get("seen", "")
        if request.method == "POST"
        else (now.fingerprint if now else ""),
        "reads": sentence(kind, now.said if now else Terms(), form.words) or (now.sentence if now else ""),
    }
    if request.method == "POST":
        context["reads"] = ""
        if form.is_valid() and form.check_sentence():
            form.fix(problems(kind, form.written().terms))
        if form.is_valid():
            context["reads"] = form.reads()
            if request.POST.get("step") != "read":
                done, more = _save(request, initiative, form, wanted, context["seen"])
                if done is not None:
                    return done
                context |= more
    return _page(request, initiative, "contract_clause_edit", **context)


def _save(request, initiative: Initiative, form: ClauseForm, number: int | None, seen: str):
    """(the answer to a clause that is saved, or None; what the page then says more)."""
    try:
        clause = clause_actions.save_clause(
            initiative=initiative,
            clause=form.written(number),
            seen=seen,
            vocabulary=form.new_words,
            by=request.user,
        )
    except Overtaken as other:
        theirs = other.clause
        return None, {
            "status": 409,
            "overtaken": other,
            "seen": theirs.fingerprint if theirs else "",
            "pieces": marked(theirs.sentence, form.reads()) if theirs else [],
        }
    except ValidationError as error:
        fix(form, error)
        return None, {}
    messages.success(request, f"Clause {clause.number} is saved. It reads: {clause.sentence}")
    return redirect(_list(initiative, clause.number)), {}


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 6 and int(text)):
        raise Http404("There is no such clause.")
    return int(text)


def clause_remove(request, ref, number):
    """Take a clause out of the next version."""
    initiative, newest = _to_write(request, ref)
    now = newest.clauses.filter(number=number).first() if newest else None
    if now is None:
        raise Http404("There is no such clause.")
    if request.method == "POST":
        clause_actions.remove_clause(
            initiative=initiative, number=number, seen=request.POST.get("seen", ""), by=request.user
        )
        messages.success(request, f"Clause {number} is out of the next version.")
        return redirect("contract-edit", initiative.ref)
    return ask(
        request,
        initiative,
        TAB,
        None,
        title=f"Remove clause {number}",
        lede=now.sentence,
        happens=[
            _("The next version does not say this any more. Versions that were signed keep it."),
            _("Its number is not given to another clause."),
        ],
        hidden={"seen": now.fingerprint},
        verb=f"Remove clause {number}",
        back_url=_list(initiative, number),
    )


def clause_move(request, ref):
    """Let a clause change places with its neighbour of the same kind."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    if request.method != "POST":
        return redirect("contract-edit", initiative.ref)
    up = "up" in request.POST
    number = _number(request.POST.get("up" if up else "down", ""))
    clause_actions.move_clause(initiative=initiative, number=number, up=up, by=request.user)
    return redirect(_list(initiative, number))


# --- Words -----------------------------------------------------------------------------------------------------------


def words(request, ref):
    """The initiative's vocabulary, and a way to add to it."""
    initiative, newest = _to_write(request, ref)
    form = WordForm(sent(request), initial={"kind": request.GET.get("kind", "action")})
    if word := acted(
        request,
        form,
        lambda: clause_actions.save_word(initiative=initiative, by=request.user, **form.cleaned_data),
    ):
        messages.success(request, f"“{word.words}” can be used in clauses now; its key is {word.key}.")
        return redirect("contract-words", initiative.ref)
    rows = list(initiative.contract.vocabulary.all()) if initiative.contract_id else []
    used = Counter(key for clause in (newest.clauses.all() if newest else ()) for key in clause.keys)
    for row in rows:
        row.used = used[row.key]
    return _page(
        request,
        initiative,
        "contract_words",
        title=_("Actions and resources"),
        form=form,
        groups=[(words, [row for row in rows if row.kind == kind]) for kind, words in VOCABULARY.items()],
    )


def word(request, ref, pk):
    """Say a word otherwise, or offer it no longer."""
    initiative, _newest = _to_write(request, ref)
    row = VocabularyWord.objects.filter(contract=initiative.contract_id, pk=pk).first()
    if row is None:
        raise Http404("There is no such word.")
    form = RewordForm(sent(request), initial={"words": row.words, "seen": row.words})
    if request.method == "POST" and request.POST.get("step") == "retire":
        clause_actions.retire_word(initiative=initiative, kind=row.kind, key=row.key, by=request.user)
        messages.success(request, f"“{row.words}” is not offered any more.")
        return redirect("contract-words", initiative.ref)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            clause_actions.save_word(
                initiative=initiative, kind=row.kind, key=row.key, by=request.user, **form.cleaned_data
            )
        except ValidationError as error:
            fix(form, error)
            form.data = form.data.copy()  # what was typed stays; it was seen beside these words now
            form.data["seen"] = row.words
            status = 409
        else:
            messages.success(request, _("Clauses that use the word read anew."))
            return redirect("contract-words", initiative.ref)
    return _page(
        request,
        initiative,
        "contract_word",
        status=status,
        title=f"The word “{row.words}”",
        form=form,
        word=row,
    )


# --- Contracts to begin with -----------------------------------------------------------------------------------------


def start(request, ref, starter):
    """A contract to begin with, as sentences; taken over into the draft, where each clause can be changed."""
    initiative, newest = _to_write(request, ref)
    chosen = STARTERS.get(starter)
    if chosen is None:
        raise Http404("There is no such contract to begin with.")
    if newest is not None and newest.clauses.exists():
        no(
            "This contract has clauses already.", "Change those, or remove them first.", _list(initiative)
        ).or_refuse()
    form = BeginForm(sent(request), starter=chosen)
    if version := acted(request, form, lambda: _begin(initiative, newest, chosen, form, by=request.user)):
        if "then" not in request.POST:
            messages.success(request, _("The draft has these clauses. Change what is different with you."))
            return redirect("contract-edit", initiative.ref)
        whole = not any(gap["blocking"] for gap in gaps_shown(initiative, list(version.clauses.all())))
        if whole:
            words = _("The draft has these clauses. Read what sending it does.")
        else:
            words = _("The draft has these clauses. Something is missing before it can be sent.")
        messages.success(request, words)
        return redirect("contract-propose" if whole else "contract", initiative.ref)
    shown = [
        Clause(number=place, kind=one.kind, sentence=sentence(one.kind, one.terms, chosen.words))
        for place, one in enumerate(chosen.clauses, 1)
    ]
    return _page(
        request,
        initiative,
        "contract_start",
        title=f"Start from: {chosen.title}",
        form=form,
        starter=chosen,
        groups=groups_of(shown),
        others=[one for one in STARTERS.values() if one is not chosen],
    )


def _begin(initiative: Initiative, newest: ContractVersion | None, chosen: Starter, form: BeginForm, *, by):
    """The draft with the clauses of the contract to begin with, as the form has them."""
    known = (
        set(initiative.contract.vocabulary.values_list("key", flat=True)) if initiative.contract_id else set()
    )
    version = actions.save_contract(
        initiative=initiative,
        clauses=form.clauses(),
        vocabulary=[one for one in chosen.vocabulary if one[1] not in known],
        edition=newest.edition if newest else 0,
        by=by,
    )
    initiative.contract_id = version.contract_id
    return version


# --- Comments --------------------------------------------------------------------------------------------------------


def clause(request, ref, number):
    """One clause: how it read in each version, and what people say about it."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    rows = list(
        Clause.objects.filter(version__contract=initiative.contract_id, number=number)
        .select_related("version")
        .order_by("-version__number")
        if initiative.contract_id
        else ()
    )
    comments = list(
        ClauseComment.objects.filter(contract=initiative.contract_id, number=number, seat="").select_related(
            "by", "resolved_by"
        )
        if initiative.contract_id
        else ()
    )
    if not rows and not comments:
        raise Http404("There is no such clause.")
    form = CommentForm(sent(request))
    if request.method == "POST" and form.is_valid():
        contract_comments.comment_on_clause(
            initiative=initiative, number=number, by=request.user, **form.cleaned_data
        )
        messages.success(request, _("Your comment stands beside the clause."))
        return redirect("clause", initiative.ref, number)
    context = initiative_context(request, initiative, TAB)
    may = initiative_permissions.may_note(initiative, request.user)
    for comment in comments:
        comment.may_resolve = not comment.resolved_at and bool(may_resolve(initiative, comment, request.user))
    return render(
        request,
        "initiatives/contracts/contract_clause.html",
        context
        | {
            "title": f"Clause {number}",
            "number": number,
            "clause": rows[0] if rows else None,
            "readings": _readings(rows),
            "comments": comments,
            "may_comment": may,
            "form": form,
        },
    )


def _readings(rows: list[Clause]) -> list[Clause]:
    """Of the same clause in all versions, newest first, those in which it began to read as it did."""
    return [
        row
        for row, older in zip(rows, [*rows[1:], None], strict=False)
        if older is None or older.sentence != row.sentence
    ]


def resolve(request, ref, pk):
    """Say that a comment is dealt with; of an objection, that it is withdrawn."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    comment = ClauseComment.objects.filter(contract=initiative.contract_id, pk=pk).first()
    if comment is None:
        raise Http404("There is no such comment.")
    if request.method == "POST":
        contract_comments.resolve_comment(initiative=initiative, comment=comment, by=request.user)
        messages.success(
            request, _("The objection is withdrawn.") if comment.seat else _("The comment is resolved.")
        )
    return (
        redirect("contract", initiative.ref)
        if comment.seat
        else redirect("clause", initiative.ref, comment.number)
    )
