"""Pages to write the contract: clauses, words, starter contracts, comments."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.forms import Form
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext as _

from governance import clock
from governance.contracts.clauses import MOST_CLAUSES, Terms, problems
from governance.contracts.templates import STARTERS
from governance.contracts.wording import marked, sentence
from governance.models import Clause, ClauseComment, ContractVersion, User, VocabularyWord
from governance.models.contracts import VOCABULARY
from governance.permission_result import Answer, no
from governance.vocabulary import ClauseKind
from governance.vocabulary.form_errors import put_errors
from governance.vocabulary.phrases import phrase
from initiatives.contracts.documents import actions, clause_actions
from initiatives.contracts.documents import comments as contract_comments
from initiatives.contracts.documents.clause_actions import Overtaken
from initiatives.contracts.documents.clause_forms import ClauseForm
from initiatives.contracts.documents.comments import may_resolve
from initiatives.contracts.documents.forms import (
    BeginForm,
    CommentForm,
    EditionForm,
    RewordForm,
    SeenForm,
    StartForm,
    WordForm,
)
from initiatives.contracts.documents.views import columns_of, count_comments, gaps_shown, groups_of
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.facts.initiative_rows import scope_ahead
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.initiative_frame import acted, initiative_context, sent
from initiatives.lifecycle.initiative.page_steps import INITIATIVE_ACTS, ROW_ACTS, PageStep, RowAct
from initiatives.models import Initiative

TAB = "contract"
NEW = "new"


def _to_write(request, ref) -> tuple[Initiative, ContractVersion | None]:
    """Return the initiative, and the version whose clauses an editor shows.

    Raises Refused in review, and for a person who may not write.
    """
    initiative = initiative_lookup.initiative_for(request.user, ref)
    newest = _newest(initiative)
    _may_write(initiative, request.user, newest).or_refuse()
    return initiative, newest


def _newest(initiative: Initiative) -> ContractVersion | None:
    return initiative.contract.versions.order_by("-number").first() if initiative.contract_id else None


def _may_write(initiative: Initiative, person: User, newest: ContractVersion | None = None) -> Answer:
    """Return whether the person may write clauses: managers may, except in review."""
    may, newest = initiative_permissions.may_manage(initiative, person), newest or _newest(initiative)
    if may and newest is not None and newest.state == ContractVersion.IN_REVIEW:
        return no(
            phrase("Version {} is with the board.", newest.number),
            "Withdraw the version to change it.",
            reverse("initiative-act", args=[initiative.ref, "withdraw-contract"]),
        )
    return may


def _of_contract(may: Callable[[Initiative, User], Answer]) -> Callable[[Any, User], Answer]:
    """Return a permission on the initiative as one on a row of its contract."""
    return lambda row, person: may(row.contract.initiative, person)


def _page(request, initiative: Initiative, template: str, *, status: int = 200, **more):
    """Render a page of the contract."""
    return render(
        request,
        f"initiatives/contracts/{template}.html",
        initiative_context(request, initiative, TAB) | more,
        status=status,
    )


def _list(initiative: Initiative, number: int | None = None) -> str:
    """Return the address of the editor, at a clause."""
    return reverse("contract-edit", args=[initiative.ref]) + (f"#clause-{number}" if number else "")


def edit(request, ref):
    """Show the clauses of the next version with their actions, and what is missing."""
    initiative, newest = _to_write(request, ref)
    if {"up", "down"} & request.POST.keys():
        return _moved(request, initiative)
    draft = newest if newest is not None and newest.state == ContractVersion.DRAFT else None
    start = StartForm(sent(request), initial={"wanted_from": draft.wanted_from if draft else None})
    if request.method == "POST" and start.is_valid():
        try:
            clause_actions.plan_start(initiative=initiative, by=request.user, **start.cleaned_data)
        except ValidationError as error:
            put_errors(start, error)
        else:
            messages.success(request, _("The wanted start of the contract is saved."))
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
        vocabulary=_vocabulary(initiative, clauses),
    )


def clause_edit(request, ref, number):
    """Show one clause: its fields, its sentence, and a newer text by someone else."""
    initiative, newest = _to_write(request, ref)
    wanted = None if number == NEW else _number(number)
    now = newest.clauses.filter(number=wanted).first() if newest and wanted else None
    if now is None and wanted and request.method != "POST":
        raise Http404("This clause does not exist.")
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
                try:
                    clause = clause_actions.save_clause(
                        initiative=initiative,
                        clause=form.written(wanted),
                        seen=context["seen"],
                        vocabulary=form.new_words,
                        by=request.user,
                    )
                except Overtaken as other:
                    context |= _overtaken(other, form.reads())
                except ValidationError as error:
                    put_errors(form, error)
                else:
                    said = phrase("Clause {} is saved: {}", clause.number, clause.sentence)
                    messages.success(request, said.in_language())
                    return redirect(_list(initiative, clause.number))
    return _page(request, initiative, "contract_clause_edit", **context)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 6 and int(text)):
        raise Http404("This clause does not exist.")
    return int(text)


def _remove(*, clause: Clause, seen: str, by: User) -> bool:
    initiative = clause.version.contract.initiative
    clause_actions.remove_clause(initiative=initiative, number=clause.number, seen=seen, by=by)
    return True


ROW_ACTS["clauses/remove"] = RowAct(
    rows=Clause.objects.select_related("version__contract__initiative__unit"),
    of="version__contract",
    may=lambda row, person: _may_write(row.version.contract.initiative, person),
    act=_remove,
    noun="clause",
    form=SeenForm,
    given=lambda row, request: {"initial": {"seen": row.fingerprint}},
    page=TAB,
    back=lambda row: _list(row.version.contract.initiative),
    title=lambda row: f"Remove clause {row.number}",
    lede=lambda row: row.sentence,
    happens=(
        gettext_lazy("The next version does not have the clause. Signed versions keep the clause."),
        gettext_lazy("Plumbline does not use the number for another clause."),
    ),
    verb=gettext_lazy("Remove the clause"),
    done=lambda row: f"Clause {row.number} is removed from the next version.",
)


def _moved(request, initiative: Initiative):
    """Swap a clause with its neighbour of the same kind."""
    up = "up" in request.POST
    number = _number(request.POST["up" if up else "down"])
    clause_actions.move_clause(initiative=initiative, number=number, up=up, by=request.user)
    return redirect(_list(initiative, number))


# --- Words -----------------------------------------------------------------------------------------------------------


def _vocabulary(initiative: Initiative, clauses: list[Clause]) -> list[tuple[str, list[VocabularyWord]]]:
    """Return the words by purpose, each with the number of these clauses that use it."""
    rows = list(initiative.contract.vocabulary.all()) if initiative.contract_id else []
    used = Counter(key for clause in clauses for key in clause.keys)
    for row in rows:
        row.used = used[row.key]
    return [(words, [row for row in rows if row.kind == kind]) for kind, words in VOCABULARY.items()]


def _words_of(initiative: Initiative) -> str:
    return f"{_list(initiative)}#words"


INITIATIVE_ACTS["add-word"] = PageStep(
    may=_may_write,
    act=clause_actions.save_word,
    form=WordForm,
    given=lambda initiative, request: {"initial": {"kind": request.GET.get("kind", "action")}},
    page=TAB,
    back=_words_of,
    title=gettext_lazy("Add a word"),
    lede=gettext_lazy("People read the words in clauses. Your systems send the key."),
    verb=gettext_lazy("Add the word"),
    another=gettext_lazy("Add the word, and another"),
    done=gettext_lazy("The word can be used in clauses now."),
)


WORDS_OF_CONTRACTS = VocabularyWord.objects.select_related("contract__initiative__unit")


def _reword(*, word: VocabularyWord, words: str, seen: str, by: User) -> VocabularyWord:
    return clause_actions.save_word(
        initiative=word.contract.initiative, kind=word.kind, key=word.key, words=words, seen=seen, by=by
    )


def _retire(*, word: VocabularyWord, by: User) -> VocabularyWord:
    return clause_actions.retire_word(
        initiative=word.contract.initiative, kind=word.kind, key=word.key, by=by
    )


ROW_ACTS["words/reword"] = RowAct(
    rows=WORDS_OF_CONTRACTS,
    of="contract",
    may=_of_contract(_may_write),
    act=_reword,
    noun="word",
    form=RewordForm,
    given=lambda row, request: {"word": row},
    page=TAB,
    back=lambda row: _words_of(row.contract.initiative),
    title=lambda row: f"The word “{row.words}”",
    lede=lambda row: f"{row.get_kind_display()}. Systems send the key “{row.key}”.",
    happens=(
        lambda row: row.retired_at and "Clauses can use the word again.",
        gettext_lazy("Clauses of the draft get the new words. Signed sentences do not change."),
    ),
    verb=lambda row: "Offer the word again" if row.retired_at else "Save the word",
    done=gettext_lazy("Clauses that use the word now have the new words."),
)


ROW_ACTS["words/retire"] = RowAct(
    rows=WORDS_OF_CONTRACTS,
    of="contract",
    may=_of_contract(_may_write),
    act=_retire,
    noun="word",
    form=Form,
    page=TAB,
    back=lambda row: _words_of(row.contract.initiative),
    title=lambda row: f"Stop offering the word “{row.words}”",
    happens=(
        gettext_lazy("New clauses cannot use the word. Signed sentences stay as they are."),
        gettext_lazy("You can offer the word again later."),
    ),
    verb=gettext_lazy("Stop offering the word"),
    done=lambda row: f"“{row.words}” is no longer offered.",
)


# --- Contracts to begin with -----------------------------------------------------------------------------------------


def _overtaken(other: Overtaken, mine: str) -> dict:
    """Return the context of a clause that someone else saved meanwhile."""
    theirs = other.clause
    return {
        "status": 409,
        "overtaken": other,
        "seen": theirs.fingerprint if theirs else "",
        "pieces": marked(theirs.sentence, mine) if theirs else [],
    }


def start(request, ref, starter):
    """Show a starter contract as sentences, or copy it into the draft."""
    initiative, newest = _to_write(request, ref)
    chosen = STARTERS.get(starter)
    if chosen is None:
        raise Http404("This template does not exist.")
    if newest is not None and newest.clauses.exists():
        no(
            "This contract has clauses already.",
            "Change those clauses, or remove them first.",
            _list(initiative),
        ).or_refuse()
    form = BeginForm(sent(request), initial=_known(initiative), starter=chosen)
    if version := acted(request, form, lambda: _begin(initiative, newest, form, by=request.user)):
        if "then" not in request.POST:
            messages.success(request, _("The draft has these clauses. Change the clauses that do not fit."))
            return redirect("contract-edit", initiative.ref)
        whole = not any(gap["blocking"] for gap in gaps_shown(initiative, list(version.clauses.all())))
        if whole:
            words = _("The draft has these clauses. Read what happens when you send the draft.")
        else:
            words = _("The draft has these clauses. Add what is missing, then send the draft.")
        messages.success(request, words)
        if whole:
            return redirect("initiative-act", initiative.ref, "send-contract")
        return redirect("contract", initiative.ref)
    shown = [
        Clause(
            number=place,
            kind=one.kind,
            terms=one.terms.stored(),
            sentence=sentence(one.kind, one.terms, form.words),
        )
        for place, one in enumerate(chosen.clauses, 1)
    ]
    return _page(
        request,
        initiative,
        "contract_start",
        title=gettext("Start from: %(title)s") % {"title": chosen.title},
        form=form,
        starter=chosen,
        columns=columns_of(shown),
        others=[one for one in STARTERS.values() if one is not chosen],
    )


def _known(initiative: Initiative) -> dict[str, object]:
    """Return values for a starter contract, from the scope and what runs."""
    scope = scope_ahead(initiative)
    regions = [row.region for row in initiative.deployments.running_at(clock.now()) if row.region]
    users = scope.users if scope else ""
    return {
        "audience": users[:1].lower() + users[1:] if users[1:2].islower() else users,
        "resource": ", ".join(scope.data_classes) if scope else "",
        "regions": list(dict.fromkeys(regions)),
    }


def _may_discard(initiative: Initiative, person: User) -> Answer:
    may, newest = _may_write(initiative, person), _newest(initiative)
    if may and (newest is None or newest.state != ContractVersion.DRAFT or not newest.clauses.exists()):
        return no("This contract has no draft.", "First write a draft.", _list(initiative))
    return may


def _without_draft(initiative: Initiative) -> str:
    """Return in words the clauses that remain after the draft is discarded."""
    before = initiative.contract.versions.order_by("-number")[1:2]
    if before:
        return _("The next version then has the clauses of version %(number)d.") % {
            "number": before[0].number
        }
    return _("The draft then has no clauses. You can start again from a template.")


INITIATIVE_ACTS["discard-draft"] = PageStep(
    may=_may_discard,
    act=clause_actions.discard_draft,
    form=EditionForm,
    given=lambda initiative, request: {"initial": {"edition": _newest(initiative).edition}},
    page=TAB,
    back="contract-edit",
    title=gettext_lazy("Discard this draft"),
    happens=(
        _without_draft,
        gettext_lazy("Words that only this draft uses are no longer offered. The audit log keeps the draft."),
    ),
    verb=gettext_lazy("Discard this draft"),
    danger=True,
    done=gettext_lazy("The draft is discarded."),
)


def _begin(initiative: Initiative, newest: ContractVersion | None, form: BeginForm, *, by):
    """Save the draft with the clauses of the starter contract, as the form has them."""
    known = (
        set(initiative.contract.vocabulary.values_list("key", flat=True)) if initiative.contract_id else set()
    )
    vocabulary = form.vocabulary(known)
    version = actions.save_contract(
        initiative=initiative,
        clauses=form.clauses(vocabulary),
        vocabulary=[one for one in vocabulary if one[1] not in known],
        edition=newest.edition if newest else 0,
        by=by,
    )
    initiative.contract_id = version.contract_id
    return version


# --- Comments --------------------------------------------------------------------------------------------------------


def clause(request, ref, number):
    """Show one clause: its text in each version, and the comments on it."""
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
        raise Http404("This clause does not exist.")
    form = CommentForm(sent(request))
    if request.method == "POST" and form.is_valid():
        contract_comments.comment_on_clause(
            initiative=initiative, number=number, by=request.user, **form.cleaned_data
        )
        messages.success(request, _("The comment is shown beside the clause."))
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
    """Return the versions of one clause, newest first, in which its sentence changed."""
    return [
        row
        for row, older in zip(rows, [*rows[1:], None], strict=False)
        if older is None or older.sentence != row.sentence
    ]


def _resolve(*, comment: ClauseComment, by: User) -> ClauseComment:
    return contract_comments.resolve_comment(initiative=comment.contract.initiative, comment=comment, by=by)


ROW_ACTS["comments/resolve"] = RowAct(
    rows=ClauseComment.objects.select_related("contract__initiative__unit", "by"),
    of="contract",
    may=lambda row, person: may_resolve(row.contract.initiative, row, person),
    act=_resolve,
    noun="comment",
    form=Form,
    page=TAB,
    back=lambda row: TAB if row.seat else reverse("clause", args=[row.contract.initiative.ref, row.number]),
    title=lambda row: "Withdraw the objection" if row.seat else "Resolve the comment",
    lede=lambda row: f"{row.by}: {row.text}",
    verb=lambda row: "Withdraw the objection" if row.seat else "Resolve the comment",
    done=lambda row: "The objection is withdrawn." if row.seat else "The comment is resolved.",
)
