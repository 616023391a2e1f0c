"""Acts on single hits of a request: judge, and black out words."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404
from django.utils.html import format_html
from django.utils.safestring import mark_safe

from governance import clock
from governance.audit_log import entries
from governance.interaction_log import reading, shape
from governance.models import Interaction, User
from governance.permission_result import Conflict
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.interactions import actions as log_actions
from initiatives.interactions.requests.actions import working
from initiatives.interactions.requests.permissions import may_search
from initiatives.models import SubjectHit, SubjectRequest

BLACK = "█████"  # whatever it was, and however long
MOST_PASSAGES = 500  # of one interaction
SAID = ("input", "output", "tool", "retrieval", "error")  # the parts of a report with words of people
NO_WORDS = frozenset({"role", "finish", "id", "answers", "name", "type"})

Passage = tuple[str, int, int]  # place, first character, the one behind the last


@dataclass(frozen=True)
class Text:
    """One text of a report with its place, and its pieces with passage number or None."""

    place: str
    text: str
    pieces: tuple[tuple[str, int | None], ...]

    @property
    def marked(self) -> str:
        """Return the text for a page, with marked passages."""
        return mark_safe(
            "".join(
                str(format_html("{}" if black is None else "<mark>{}</mark>", piece))
                for piece, black in self.pieces
            )
        )


def said_in(report: shape.Interaction) -> dict[str, str]:
    """Return by place every text of the report that can contain words of people."""
    plain = shape.plain(report)
    return {
        place: text
        for part in SAID
        if part in plain
        for place, text in _texts(plain[part], part)
        if place.rsplit(".", 1)[-1] not in NO_WORDS
    }


def _texts(value: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from _texts(one, f"{place}.{_step(name)}")
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _texts(one, f"{place}.{number}")


def _step(name: str) -> str:
    """Return a name as a step of a place, without a dot, so that places can be split."""
    return name.replace("~", "~0").replace(".", "~1")


def _name(step: str) -> str:
    return step.replace("~1", ".").replace("~0", "~")


def blacked(report: shape.Interaction, passages: list) -> dict[str, Any]:
    """Return a report in plain values, with these passages blacked out. It has no `attributes`."""
    plain = shape.plain(report)
    plain.pop("attributes", None)
    for place, text in said_in(report).items():
        black = "".join(
            BLACK if number is not None else piece for piece, number in pieces_of(text, place, passages)
        )
        _put(plain, place.split("."), black)
    return plain


def _put(plain: Any, way: list[str], text: str) -> None:
    for step in way[:-1]:
        plain = plain[int(step)] if isinstance(plain, list) else plain[_name(step)]
    if isinstance(plain, list):
        plain[int(way[-1])] = text
    else:
        plain[_name(way[-1])] = text


def pieces_of(text: str, place: str, passages: list) -> tuple[tuple[str, int | None], ...]:
    """Return the text in pieces, each with its passage's number or None. Overlapping passages are one piece."""
    pieces: list[tuple[str, int | None]] = []
    at = 0
    mine = [(start, end, number) for number, (where, start, end) in enumerate(passages) if where == place]
    for start, end, number in sorted(mine):
        start, end = max(start, at), min(end, len(text))
        if start >= end:
            continue
        if start > at:
            pieces.append((text[at:start], None))
        pieces.append((text[start:end], number))
        at = end
    if at < len(text):
        pieces.append((text[at:], None))
    return tuple(pieces)


def words_blacked(report: shape.Interaction, passages: list) -> set[str]:
    """Return the words that these passages black out."""
    said = said_in(report)
    return {
        said[place][start:end].strip()
        for place, start, end in passages
        if said.get(place, "")[start:end].strip()
    }


def row_of(hit: SubjectHit) -> Interaction | None:
    """Return the row of the interaction, or None once it has expired."""
    rows = Interaction.objects.select_related("batch")
    return rows.filter(at=hit.at, pk=hit.interaction, initiative_number=hit.initiative.number).first()


def open_hit(*, hit: SubjectHit, by: User) -> tuple[reading.Opened, list[Text]]:
    """Record the reading, and return the interaction in clear and its texts in pieces.

    Raises Refused, NoMaster, and Http404 once its row has expired.
    """
    may_search(hit.request, by).or_refuse()
    row = row_of(hit)
    if row is None:
        raise Http404("This interaction has expired.")
    opened = log_actions.open_interaction(initiative=hit.initiative, row=row, way="look", by=by)
    said = said_in(opened.report) if opened.report else {}
    texts = [Text(place, text, pieces_of(text, place, hit.passages)) for place, text in said.items()]
    return opened, texts


def judge(*, hit: SubjectHit, belongs: bool, by: User) -> SubjectHit:
    """Record whether an interaction belongs to the person. It can change until the answer."""
    with working("judge hit", hit.request, may_search, by) as request:
        row = _locked(hit, request)
        row.belongs, row.judged_by, row.judged_at = belongs, by, clock.now()
        if not belongs:
            row.passages = []
        row.save()
        entries.record(
            EntryKind.SUBJECT_HIT_JUDGED,
            initiative=row.initiative,
            request=request.pk,
            interaction=row.interaction,
            belongs=belongs,
        )
    return row


def _locked(hit: SubjectHit, request: SubjectRequest) -> SubjectHit:
    """Return the hit, read under the lock. Raises Conflict after an erasure or a copy."""
    if request.erasures.exists():
        raise Conflict("The interactions of the person are already erased.")
    if request.exports.filter(ended_at__isnull=True).exists():
        raise Conflict("A copy with the earlier judgements exists.", "First revoke the copy.")
    return SubjectHit.objects.select_related("initiative").get(pk=hit.pk)


def black_out(*, hit: SubjectHit, words: str, by: User) -> SubjectHit:
    """Black out words of third persons (one a line) in this interaction, as offsets.

    The sealed body does not change. Raises Refused, ValidationError if a line is not found, Conflict, NoMaster.
    """
    with working("black out", hit.request, may_search, by) as request:
        row = _locked(hit, request)
        report = _report(row)
        said = said_in(report)
        found: list[Passage] = []
        for line in filter(None, (one.strip() for one in words.splitlines())):
            pattern = re.compile(r"\s+".join(map(re.escape, line.split())), re.IGNORECASE)
            places = [
                (place, match.start(), match.end())
                for place, text in said.items()
                for match in pattern.finditer(text)
            ]
            if not places:
                raise ValidationError(
                    {"words": phrase("“{}” is not in this interaction. Copy the words exactly.", line)}
                )
            found += places
        if not found:
            raise ValidationError({"words": "Enter the words to black out."})
        _save(row, request, [*map(tuple, row.passages), *found])
    return row


def show_again(*, hit: SubjectHit, place: str, start: int, by: User) -> SubjectHit:
    """Show the passage that begins there again. Raises Refused, and Conflict if there is none."""
    with working("show again", hit.request, may_search, by) as request:
        row = _locked(hit, request)
        kept = [tuple(one) for one in row.passages if (one[0], one[1]) != (place, start)]
        if len(kept) == len(row.passages):
            raise Conflict("This passage is not blacked out. Open the interaction again.")
        _save(row, request, kept)
    return row


def _save(row: SubjectHit, request: SubjectRequest, passages: list[Passage]) -> None:
    row.passages = [list(one) for one in sorted(set(passages))]
    if len(row.passages) > MOST_PASSAGES:
        raise ValidationError(
            {"words": phrase("Black out no more than {} passages in one interaction.", MOST_PASSAGES)}
        )
    row.save()
    entries.record(
        EntryKind.SUBJECT_HIT_BLACKED,
        initiative=row.initiative,
        request=request.pk,
        interaction=row.interaction,
        passages=len(row.passages),
    )


def _report(hit: SubjectHit) -> shape.Interaction:
    row = row_of(hit)
    report = reading.opened(row).report if row else None
    if report is None:
        raise Conflict("The text of this interaction is no longer readable, so you cannot black out words.")
    return report
