"""The pictures of Flow: their bars and words, and the list behind each figure.

`to` gives the address of the list that these filters narrow: to(approved_stage="mvp").
"""

from collections.abc import Callable

from governance.templatetags.plumbline import layer_word, stage_word
from governance.web.charts.primitives import BARS, LETTER, LINE, ROW, WIDTH, Canvas, Picture, count, length
from initiatives.portfolio.efforts.queries import amount
from initiatives.portfolio.initiative_list.figure_filters import SPENT, moved_key
from initiatives.portfolio.insights.effort_report import OfLayer
from initiatives.portfolio.insights.flow import MOVES, Flow, LayerGaps, Spend, Stays, Week

To = Callable[..., str]
UPRIGHT = 84  # the highest of the upright bars


def flow(figures: Flow, to: To) -> Picture:
    """Return a row of monthly bars for each kind of move, all rows on one scale."""
    rows = [(move, MOVES[move], counts) for move, counts in figures.counts.items() if any(counts)]
    highest = max((max(counts) for _, _, counts in rows), default=0)
    room = WIDTH / len(figures.months)
    canvas = Canvas()
    for place, (move, name, counts) in enumerate(rows):
        base = canvas.column_row(place, f"{name}: {sum(counts)}")
        for month, value in enumerate(counts):
            tall = length(value, highest, BARS)
            if value:
                canvas.bar("bar", month * room + 4, base - tall, room - 8, tall)
                canvas.say(value, month * room + room / 2, base - tall - 3)
                first = figures.months[month]
                url = to(figure=moved_key(move, first))
                canvas.lead(url, f"{name}, {first:%B %Y}: {value}", month * room, base - 32, room, 34)
    bottom = len(rows) * ROW + 12
    for place, month in enumerate(figures.months if rows else ()):
        canvas.say(f"{month:%b}", place * room + room / 2, bottom)
    said = [f"{name.lower()} {sum(counts)}" for _, name, counts in rows]
    first, last = figures.months[0], figures.months[-1]
    says = f"Stage changes by month from {first:%B %Y} to {last:%B %Y}: {', '.join(said) or 'none'}."
    return canvas.picture("Flow between stages", says, bottom + 6)


def stays(figures: Stays, to: To) -> Picture:
    """Return for each stage a box of the quartiles of days, with a line at the median."""
    highest = max((row.upper for row in figures.rows), default=0) or 1
    canvas, said = Canvas(), []
    for place, row in enumerate(figures.rows):
        top = place * LINE
        name = f"{stage_word(row.stage)}, {'moved on' if row.ended else 'still there'}"
        name = name[:1].upper() + name[1:]
        spread = "" if row.few else f" ({row.lower:.0f} to {row.upper:.0f})"
        canvas.name(f"{name}: {row.median:.0f}{spread}, n {row.count}", top + 13)
        canvas.axis(top + 25)
        left, right = WIDTH * row.lower / highest, WIDTH * row.upper / highest
        if not row.few:
            canvas.bar("box", left, top + 19, max(1.5, right - left), 12)
        canvas.bar("middle", min(WIDTH - 3, WIDTH * row.median / highest), top + 17, 3, 16)
        said.append(f"{name} {row.median:.0f}{spread}, n {row.count}")
        if not row.ended:
            canvas.lead(to(approved_stage=row.stage), said[-1], 0, top, WIDTH, LINE)
    says = f"Days in a stage, median and quartiles: {', '.join(said) or 'none yet'}."
    return canvas.picture("Time in stage", says, len(figures.rows) * LINE + 4)


def ageing(weeks: tuple[Week, ...], to: To) -> Picture:
    """Return two bars a week: expiring evidence, and stages that lose support by it."""
    highest = max((max(week.ageing, week.falling) for week in weeks), default=0)
    total, falling = sum(week.ageing for week in weeks), sum(week.falling for week in weeks)
    base, room = UPRIGHT + 16, WIDTH / max(1, len(weeks))
    canvas = Canvas()
    if highest:
        canvas.axis(base)
    for place, week in enumerate(weeks if highest else ()):
        left, wide = place * room + 1.5, (room - 3) / 2
        for kind, value, x in (("bar", week.ageing, left), ("late", week.falling, left + wide)):
            tall = length(value, highest, UPRIGHT)
            if value:
                canvas.bar(kind, x, base - tall, wide - 1, tall)
                canvas.say(value, x + wide / 2, base - tall - 3)
        if week.ageing:
            words = (
                f"Week from {week.first:%-d %B}: {count(week.ageing, 'initiative')} with expiring evidence"
            )
            canvas.lead(to(figure=f"expires.{week.first}"), words, place * room, 0, room, base)
        if place % 3 == 0:
            label = f"{week.first:%-d %b}"
            half = len(label) * LETTER / 2
            middle = min(max(place * room + room / 2, half), WIDTH - half)
            canvas.say(label, middle, base + 14)
    most = max(weeks, key=lambda week: week.ageing) if highest else None
    says = f"Initiatives with evidence that expires, by week ({total}), "
    says += f"and approved stages that lose support ({falling})."
    if most:
        says += f" Most in the week from {most.first:%-d %B}: {count(most.ageing, 'initiative')}."
    return canvas.picture("Expiring evidence, next 90 days", says, base + 20)


def gaps(layers: tuple[LayerGaps, ...], to: To) -> Picture:
    """Return a bar for each layer, in the order of the stack."""
    highest = max((row.gaps for row in layers), default=0)
    canvas = Canvas()
    for place, row in enumerate(layers if highest else ()):
        text = f"{layer_word(row.layer)}: {row.gaps} open"
        text += f" in {count(row.initiatives, 'initiative')}" if row.gaps else ""
        canvas.bar_row(place, text, row.gaps, highest)
        if row.gaps:
            canvas.lead(to(layer=row.layer), text, 0, place * LINE, WIDTH, LINE)
    said = ", ".join(f"{layer_word(row.layer)} {row.gaps}" for row in layers)
    says = f"Requirements open for the approved stage: {said}."
    return canvas.picture("Open requirements by layer", says, len(layers) * LINE + 4)


def spend(rows: tuple[Spend, ...], to: To) -> Picture:
    """Return two bars for each stage with spending: all, and the unsupported part.

    The currency is that of most initiatives. The table has the other currencies.
    """
    drawn = [row for row in rows if row.currency == rows[0].currency]
    highest = max((float(row.money) for row in drawn), default=0)
    canvas, said = Canvas(), []
    for place, row in enumerate(drawn):
        top = place * ROW
        name = stage_word(row.stage)
        text = (
            f"{name[:1].upper()}{name[1:]}: {row.currency} {row.money:,.0f}, {row.short:,.0f} not supported"
        )
        canvas.name(text, top + 13)
        canvas.axis(top + 44)
        canvas.bar("bar", 0, top + 19, length(float(row.money), highest, WIDTH), 12)
        if row.short:
            canvas.bar("late", 0, top + 34, length(float(row.short), highest, WIDTH), 6)
        canvas.lead(to(approved_stage=row.stage, figure=SPENT), text, 0, top, WIDTH, ROW - 4)
        said.append(text)
    says = (
        "Money spent by approved stage, and the part without supporting evidence: "
        f"{', '.join(said) or 'none'}."
    )
    return canvas.picture("Spend against stage", says, len(drawn) * ROW)


def months(layers: tuple[OfLayer, ...]) -> Picture:
    """Return two bars for each layer with effort: months of work, and days waited."""
    rows = [row for row in layers if row.hours or row.waited]
    most, longest = max((row.hours for row in rows), default=0), max((row.waited for row in rows), default=0)
    canvas, said = Canvas(), []
    for place, row in enumerate(rows):
        top = place * ROW
        text = f"{layer_word(row.layer)}: {row.months:.1f} months, {amount(row.waited)} days waited"
        canvas.name(text, top + 13)
        canvas.axis(top + 44)
        if row.hours:
            canvas.bar("bar", 0, top + 19, length(float(row.hours), float(most), WIDTH), 12)
        if row.waited:
            canvas.bar("late", 0, top + 34, length(float(row.waited), float(longest), WIDTH), 6)
        said.append(text)
    says = f"The upper bar shows months of work, the lower bar days waited. {', '.join(said)}."
    return canvas.picture("Effort by layer", says, len(rows) * ROW)
