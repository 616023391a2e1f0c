"""The layers that published post-mortems assumed and found, by success and failure.

Each figure has the rows behind it. Source: S1-19, "The model gets the credit, the integration the blame; both wrong".
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from django.db.models import QuerySet

from adoption.models import Attribution, PostMortem
from adoption.models.postmortems import ASSUMED, FAILURE, FOUND, SUCCESS
from governance.vocabulary import WRITTEN_OBLIGATIONS, Layer
from initiatives.models import Initiative, Obligation

# By side and by whether it was said at first or found, the column of `LayerCauses` in which a post-mortem counts.
COLUMN_OF = {
    (FAILURE, ASSUMED): "assumed",
    (FAILURE, FOUND): "found",
    (SUCCESS, ASSUMED): "credited",
    (SUCCESS, FOUND): "carried",
}


@dataclass
class LayerCauses:
    """One layer with the published post-mortems of each column.

    They assumed it, found it, credited it, or found it to carry the success.
    """

    layer: str
    assumed: list[PostMortem] = field(default_factory=list)
    found: list[PostMortem] = field(default_factory=list)
    credited: list[PostMortem] = field(default_factory=list)
    carried: list[PostMortem] = field(default_factory=list)


@dataclass
class Causes:
    """The layers in the order of the stack, and the post-mortems with a wrong assumption.

    `mistaken` assumed layers without the main one that was found. `wrongly_credited` is the same for success. `said`
    has the layers in their kept order, by key of a post-mortem, side and statement.
    """

    layers: list[LayerCauses]
    read: list[PostMortem]
    mistaken: list[PostMortem]
    wrongly_credited: list[PostMortem]
    said: dict[tuple[int, str, str], list[str]]


def assumed_and_found(initiatives: QuerySet[Initiative]) -> Causes:
    """Return assumed and found layers of published post-mortems, in two queries.

    `initiatives`: those the reader may see. Each post-mortem comes with its initiative and its obligation. A
    post-mortem counts once in each layer and column, also if several voices assumed it.
    """
    kept = {
        row.pk: row
        for row in PostMortem.objects.filter(state=PostMortem.PUBLISHED, initiative__in=initiatives)
        .select_related("initiative", "obligation")
        .order_by("-published_at", "-pk")
    }
    rows = Attribution.objects.current().filter(post_mortem__in=kept)
    rows = rows.order_by("-post_mortem__published_at", "-post_mortem_id", "place", "pk")
    return _counted(kept, rows)


def _counted(kept: dict[int, PostMortem], rows: Iterable[Attribution]) -> Causes:
    by_layer = {layer: LayerCauses(layer) for layer in Layer}
    said: dict[tuple[int, str, str], list[str]] = {}
    for row in rows:
        post_mortem = kept[row.post_mortem_id]
        those = getattr(by_layer[row.layer], COLUMN_OF[row.side, row.said])
        if post_mortem not in those:
            those.append(post_mortem)
        those = said.setdefault((row.post_mortem_id, row.side, row.said), [])
        if row.layer not in those:
            those.append(row.layer)

    def elsewhere(side: str) -> list[PostMortem]:
        return [
            row
            for pk, row in kept.items()
            if (first := said.get((pk, side, ASSUMED)))
            and (found := said.get((pk, side, FOUND)))
            and found[0] not in first
        ]

    return Causes(list(by_layer.values()), list(kept.values()), elsewhere(FAILURE), elsewhere(SUCCESS), said)


def overdue(initiatives: QuerySet[Initiative], day: date) -> QuerySet[Obligation]:
    """Return unpublished post-mortems and retrospectives due before `day`, oldest first.

    One in review counts, because it is due until the adoption seat has confirmed it. Each comes with its initiative,
    its responsible and, if it is begun, its `post_mortem`.
    """
    return (
        Obligation.objects.overdue_on(day)
        .filter(kind__in=WRITTEN_OBLIGATIONS, initiative__in=initiatives)
        .select_related("initiative__unit", "responsible", "post_mortem")
        .order_by("due", "pk")
    )
