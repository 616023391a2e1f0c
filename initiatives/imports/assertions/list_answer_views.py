"""What a source answers, question by question, and what it says of the six required practices: read, never counted as
evidence.
"""

from collections import Counter

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from governance.ledger import csv_export
from governance.runtime.signed_in_request import SignedInRequest
from initiatives.access.visibility import visible_to
from initiatives.cases.case_frame import page_of
from initiatives.imports.assertions import practices as required
from initiatives.imports.assertions import queries
from initiatives.imports.assertions.asserted_history import word_of
from initiatives.imports.assertions.forms import AnswersFilter
from initiatives.imports.assertions.permissions import may_read_lists
from initiatives.imports.assertions.views import CHUNK, STATED, list_of
from initiatives.imports.inventories.inventory_sources import newcomer, source_for
from initiatives.models import ImportBatch

PAGE = 50
MOST_ANSWERS = 100  # different answers that a page counts; the file has all of them


def _asked(request: SignedInRequest, batch: ImportBatch):
    """The filter of this list, its rows that pass, and the question that is looked at with its answers counted."""
    source = source_for(batch.source) or newcomer(batch.source)
    questions = [(name, source.questions.get(name, name)[:160]) for name in batch.columns]
    rows = queries.rows_read_by(request.user).filter(batch=batch).order_by("line")
    stage_column = batch.reading.get("columns", {}).get("stage", "")
    stages = sorted(value for value, _ in queries.answers_counted(rows, stage_column)) if stage_column else []
    words = sorted(
        {word_of(text) for text in ("", "waived", "in progress", "n/a", "unknown", "no", "yes", "else")}
    )
    form = AnswersFilter(request.GET, questions=questions, words=words, stages=stages)
    given = form.given
    question = given.get("question") or ""
    if given.get("stage"):
        rows = queries.answering(rows, stage_column, [given["stage"]])
    if given.get("organisation"):
        rows = rows.filter(mapped__organisation__icontains=given["organisation"])
    if given.get("and_question") and given.get("and_answer"):
        wanted = required.bare(given["and_answer"])
        same = [
            one
            for one, _ in queries.answers_counted(rows, given["and_question"])
            if required.bare(one) == wanted
        ]
        rows = queries.answering(rows, given["and_question"], same)
    if question and (given.get("answer") or given.get("word")):
        part = (given.get("answer") or "").casefold()
        fitting = [
            one
            for one, _ in queries.answers_counted(rows, question)
            if part in one.casefold() and given.get("word") in ("", None, word_of(one))
        ]
        rows = queries.answering(rows, question, fitting)
    return form, rows, question, dict(questions)


@require_safe
def answers(request: SignedInRequest, pk: int) -> HttpResponse:
    """The answers of one list: filtered by question, answer and stage, counted, and row by row."""
    may_read_lists(request.user).or_refuse()
    batch = list_of(pk)
    form, rows, question, questions = _asked(request, batch)
    counted = queries.answers_counted(rows, question) if question else []
    words: Counter = Counter()
    for answer, count in counted:
        words[word_of(answer)] += count
    page = page_of(request, rows.select_related("initiative"), PAGE)
    context = {
        "nav": "leaders",
        "batch": batch,
        "form": form,
        "filtered": any(request.GET.get(name) for name in form.fields),
        "question": questions.get(question, ""),
        "answers": [(answer, word_of(answer), count) for answer, count in counted[:MOST_ANSWERS]],
        "more": max(0, len(counted) - MOST_ANSWERS),
        "words": words.most_common(),
        "page": page,
        "rows": _shown(request, page, question),
        "practices": batch.source == required.SOURCE,
    }
    return render(request, "initiatives/imports/assertions/answers.html", context)


def _shown(request, page, question: str) -> list[dict]:
    opened = set(
        visible_to(request.user)
        .filter(pk__in={row.initiative_id for row in page} - {None})
        .values_list("pk", flat=True)
    )
    return [
        {
            "row": row,
            "opens": row.initiative_id in opened,
            "answer": row.raw.get(question, "") if question else "",
            "word": word_of(row.raw.get(question)) if question else "",
        }
        for row in page
    ]


@require_safe
def answers_export(request: SignedInRequest, pk: int) -> HttpResponse:
    """The rows that pass, with the answer to the question that is looked at, or with every answer, as CSV."""
    may_read_lists(request.user).or_refuse()
    batch = list_of(pk)
    _, rows, question, questions = _asked(request, batch)
    columns = [question] if question else list(batch.columns)
    heading = ["List", "Line", "Organisation", "Name", "Reference", "Claimed stage"]
    for name in columns:
        heading += [questions[name], "Counts here as"] if question else [questions[name]]
    lines = (
        [
            batch.file_name,
            row.line,
            row.mapped["organisation"],
            row.mapped["title"],
            row.initiative.ref if row.initiative else "",
            row.mapped["stage_raw"],
            *(row.raw.get(name, "") for name in columns),
            *([word_of(row.raw.get(question))] if question else []),
            STATED,
        ]
        for row in rows.select_related("initiative").iterator(chunk_size=CHUNK)
    )
    of = request.GET.urlencode() or "all"
    return csv_export.stream(f"answers-{batch.source}", [*heading, "Rests on"], lines, of=of, by=request.user)


def _about(request, batch: ImportBatch) -> list:
    """The rows of deployed high-impact systems, as their source tells them."""
    if batch.source != required.SOURCE:
        raise Http404("The six practices are asked by the US federal inventory of 2025 alone.")
    rows = queries.rows_read_by(request.user).filter(batch=batch).select_related("initiative")
    return list(queries.deployed_high_impact(rows.order_by("line")))


@require_safe
def practices(request: SignedInRequest, pk: int) -> HttpResponse:
    """The deployed high-impact systems of the list, and what their sources say of each required practice."""
    may_read_lists(request.user).or_refuse()
    batch = list_of(pk)
    rows = _about(request, batch)
    by_practice, systems = required.tally(row.raw for row in rows)
    said, column = request.GET.get("said", ""), request.GET.get("practice", "")
    known = {one.column: one for one in required.PRACTICES}
    if said in required.WORDS and column in known:
        rows = [row for row in rows if required.said_of(known[column], row.raw.get(column)) == said]
    elif said in required.WORDS:
        rows = [row for row in rows if required.said_of_all(row.raw) == said]
    page = page_of(request, rows, PAGE)
    opened = set(
        visible_to(request.user)
        .filter(pk__in={row.initiative_id for row in page} - {None})
        .values_list("pk", flat=True)
    )
    context = {
        "nav": "leaders",
        "batch": batch,
        "total": sum(systems.values()),
        "words": list(required.WORDS.items()),
        "tally": [
            (one, [(said_word, by_practice[one.column][said_word]) for said_word in required.WORDS])
            for one in required.PRACTICES
        ],
        "systems": [(word, words, systems[word]) for word, words in required.WORDS.items()],
        "chosen": f"{known[column].words}: {required.WORDS[said]}"
        if said in required.WORDS and column in known
        else required.WORDS.get(said, ""),
        "page": page,
        "rows": [
            {
                "row": row,
                "opens": row.initiative_id in opened,
                "all": required.WORDS[required.said_of_all(row.raw)],
                "said": [(one.words, *_said(one, row.raw)) for one in required.PRACTICES],
            }
            for row in page
        ],
    }
    return render(request, "initiatives/imports/assertions/practices.html", context)


def _said(practice: required.Practice, raw: dict[str, str]) -> tuple[str, str]:
    """The answer as written, and what it comes to in words."""
    answer = raw.get(practice.column) or ""
    return answer, required.WORDS[required.said_of(practice, answer)]


@require_safe
def practices_export(request: SignedInRequest, pk: int) -> HttpResponse:
    """Every deployed high-impact system of the list with its six answers, as written and as they count."""
    may_read_lists(request.user).or_refuse()
    batch = list_of(pk)
    heading = ["List", "Line", "Organisation", "Part", "Id at the source", "Name", "Reference"]
    for one in required.PRACTICES:
        heading += [f"{one.words}: as written", one.words]
    lines = (
        [
            batch.file_name,
            row.line,
            row.mapped["organisation"],
            row.mapped["bureau"],
            row.mapped["key"],
            row.mapped["title"],
            row.initiative.ref if row.initiative else "",
            *(cell for one in required.PRACTICES for cell in _said(one, row.raw)),
            required.WORDS[required.said_of_all(row.raw)],
            STATED,
        ]
        for row in _about(request, batch)
    )
    return csv_export.stream(
        "required-practices", [*heading, "All six", "Rests on"], lines, of=batch.file_name, by=request.user
    )
