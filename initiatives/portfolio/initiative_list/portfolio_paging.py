"""The portfolio page by page. A page reads only its initiatives.

The keys of a page come first, in the chosen order and from the nearer end. The fields of a row are read for these keys
alone. In the default order, an index holds the initiatives with a known supported stage. Those being recomputed follow
them.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from django.db.models import Count, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from governance.database.batch_read import Batch, Given, Rows
from governance.database.request_memo import counts
from governance.models import Rulebook
from initiatives.models import Initiative, SupportedStage, SupportedStagePeriod
from initiatives.portfolio.initiative_list import filters

_SHOWN = filters.with_people(
    filters.with_supported_stage(
        Initiative.objects.all(), Rulebook(published_at=Given("published")), Given("moment")
    )
)
NEVER = datetime.max.replace(tzinfo=UTC)
_ROWS = Batch(initiatives=Rows(_SHOWN, "pk"))


class Listing:
    """The chosen initiatives in order, for a paginator. `short` counts unsupported ones.

    `seen` is what the person may see. Without a filter, it is counted without the supported stages.
    """

    def __init__(self, chosen: filters.PortfolioFilter, seen: QuerySet, rulebook: Rulebook | None, moment):
        self.initiatives, self.rulebook, self.moment = chosen.qs, rulebook, moment
        # Without a rulebook nothing is known.
        self.published = rulebook.published_at if rulebook else NEVER
        self.known_first = chosen.order == "supported"
        self.counted = (self.initiatives if chosen.narrowed else seen.live()).order_by()
        if chosen.narrowed:
            of_them = self.counted.aggregate(
                all=Count("pk"), short=Count("pk", filter=Q(unsupported_stages__gt=0))
            )
            self.total, self.short = of_them["all"], of_them["short"]
        else:
            self.total, self.short = counts(self.counted, self._short(seen).order_by())

    def __len__(self) -> int:
        return self.total

    def __getitem__(self, part: slice) -> list[Initiative]:
        """Return these initiatives as rows show them."""
        return self.rows(self._keys(*part.indices(self.total)[:2]))

    def by_stage(self) -> dict[str, int]:
        """Return the number of initiatives in each stage that has any."""
        told = self.counted.values("stage").annotate(n=Count("pk"))
        return dict(told.values_list("stage", "n"))

    def heads(self, stages: Iterable[str], most: int) -> dict[str, list[Initiative]]:
        """Return the first initiatives of each of these stages, without empty stages."""
        place = Window(RowNumber(), partition_by="stage", order_by=self.initiatives.query.order_by)
        first = self.initiatives.filter(stage__in=stages).alias(place=place).filter(place__lte=most)
        found: dict[str, list[Initiative]] = {}
        for initiative in self.rows(first.order_by("place").values_list("pk", flat=True)):
            found.setdefault(initiative.stage, []).append(initiative)
        return found

    def rows(self, keys: Iterable[int]) -> list[Initiative]:
        """Return the initiatives with these keys, in this order, as rows show them."""
        keys = list(keys)
        rows = _ROWS.ask(keys, published=self.published, moment=self.moment)["initiatives"]
        found = {initiative.pk: initiative for initiative in rows}
        return [found[key] for key in keys if key in found]

    def _short(self, seen: QuerySet) -> QuerySet:
        """Return the current spans below the approved stage. A withdrawn idea has none."""
        spans = SupportedStagePeriod.objects.covering(self.moment).filter(unsupported_stages__gt=0)
        outdated = SupportedStage.objects.filter(computed_at__lt=self.published)
        spans = spans.exclude(initiative__in=outdated.values("initiative"))
        return spans.filter(initiative__in=seen.order_by().values("pk")) if seen.query.where else spans

    def _known(self, initiatives: QuerySet) -> QuerySet:
        return filters.known(initiatives, self.rulebook)

    def _unknown(self, initiatives: QuerySet) -> QuerySet:
        return initiatives.filter(supported="recomputing").order_by("pk")

    def _keys(self, start: int, stop: int) -> list[int]:
        if not self.known_first:
            return _between(self.initiatives, start, stop, self.total)
        known, unknown = self._known(self.initiatives), self._unknown(self.initiatives)
        if start + stop <= self.total:
            keys = _between(known, start, stop, self.total)
            if len(keys) == stop - start:
                return keys
        (others,) = counts(unknown.order_by())
        first = self.total - others
        keys = _between(known, start, min(stop, first), first)
        return keys + _between(unknown, max(0, start - first), stop - first, others)


def _between(initiatives: QuerySet, start: int, stop: int, total: int) -> list[int]:
    """Return the keys from `start` to `stop`, read from the nearer end of `total`."""
    if start >= stop:
        return []
    keys = initiatives.values_list("pk", flat=True)
    if start + stop <= total:
        return list(keys[start:stop])
    return list(keys.reverse()[total - stop : total - start])[::-1]
