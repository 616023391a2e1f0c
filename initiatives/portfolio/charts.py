"""The pictures of the portfolio and of effort: where their bars and words lie."""

from governance.templatetags.plumbline import layer_word, stage_word
from initiatives.charts.primitives import BARS, LETTER, LINE, ROW, WIDTH, Canvas, Picture, count, length
from initiatives.efforts.effort_report import OfLayer
from initiatives.efforts.queries import WeekOfCase, amount
from initiatives.portfolio.portfolio_metrics import MOVES, Flow, LayerGaps, Stays, Week

UPRIGHT = 84  # the highest of the upright bars
WAITED = 30  # the highest of the bars of days waited
# How each layer is drawn where they stand on each other, from the bottom up: class and strength of its colour.
DRAWN = {
    "integration": ("bar", ""),
    "policy": ("middle", ""),
    "runtime": ("axis", ""),
    "observability": ("middle", "0.45"),
    "application": ("bar", "0.45"),
    "model": ("box", ""),
}


def flow(figures: Flow) -> Picture:
    """A row of bars for each kind of move that there was, one bar a month, all rows on one scale."""
    rows = [(MOVES[move], counts) for move, counts in figures.counts.items() if any(counts)]
    highest = max((max(counts) for _, counts in rows), default=0)
    room = WIDTH / len(figures.months)
    canvas = Canvas()
    for place, (name, counts) in enumerate(rows):
        base = canvas.column_row(place, f"{name}: {sum(counts)}")
        for month, value in enumerate(counts):
            tall = length(value, highest, BARS)
            if value:
                canvas.bar("bar", month * room + 4, base - tall, room - 8, tall)
                canvas.say(value, month * room + room / 2, base - tall - 3)
    bottom = len(rows) * ROW + 12
    for place, month in enumerate(figures.months if rows else ()):
        canvas.say(f"{month:%b}", place * room + room / 2, bottom)
    said = [f"{name.lower()} {sum(counts)}" for name, counts in rows]
    first, last = figures.months[0], figures.months[-1]
    says = f"Moves a month from {first:%B %Y} to {last:%B %Y}: {', '.join(said) or 'none'}."
    return canvas.picture("Flow between stages", says, bottom + 6)


def stays(figures: Stays) -> Picture:
    """For each stage a box from the lower to the upper quartile with a line at the median, in days."""
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
    says = f"Days in a stage, median and quartiles: {'; '.join(said) or 'no stay yet'}."
    return canvas.picture("Time in stage", says, len(figures.rows) * LINE + 4)


def ageing(weeks: tuple[Week, ...]) -> Picture:
    """Two bars a week: cases with proof that ages out, and claims that lose support by it."""
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
        if place % 3 == 0:
            label = f"{week.first:%-d %b}"
            half = len(label) * LETTER / 2
            middle = min(max(place * room + room / 2, half), WIDTH - half)
            canvas.say(label, middle, base + 14)
    most = max(weeks, key=lambda week: week.ageing) if highest else None
    says = f"Week by week, cases with proof that goes stale ({total}) and claims that lose support by it ({falling})."
    if most:
        says += f" Most in the week from {most.first:%-d %B}: {count(most.ageing, 'case')}."
    return canvas.picture("Proof that ages out in ninety days", says, base + 20)


def gaps(layers: tuple[LayerGaps, ...]) -> Picture:
    """A bar for each layer, in the order of the stack."""
    highest = max((row.gaps for row in layers), default=0)
    canvas = Canvas()
    for place, row in enumerate(layers if highest else ()):
        text = f"{layer_word(row.layer)}: {count(row.gaps, 'gap')}"
        text += f" in {count(row.cases, 'case')}" if row.gaps else ""
        canvas.bar_row(place, text, row.gaps, highest)
    said = ", ".join(f"{layer_word(row.layer)} {row.gaps}" for row in layers)
    says = f"What stands open between claims and proof: {said}."
    return canvas.picture("Gaps by layer", says, len(layers) * LINE + 4)


def effort(weeks: tuple[WeekOfCase, ...]) -> Picture:
    """Hours a week, the layers on each other; below, days waited, and a mark where something could be seen of it."""
    most_hours = max((week.all_hours for week in weeks), default=0)
    most_waited = max((week.all_waited for week in weeks), default=0)
    layers = [layer for layer in DRAWN if any(week.hours.get(layer) for week in weeks)]
    if not (most_hours or most_waited):
        return Picture("Effort week by week", "No effort was noted.", (), (), 0)
    canvas = Canvas()
    for place, layer in enumerate(layers):
        total = sum(week.hours.get(layer, 0) for week in weeks)
        left, top = (place % 2) * WIDTH / 2, place // 2 * 16
        canvas.bar(DRAWN[layer][0], left, top + 3, 10, 10, DRAWN[layer][1])
        canvas.name(f"{layer_word(layer)}: {amount(total)} h", top + 12, left + 15)
    base = (len(layers) + 1) // 2 * 16 + UPRIGHT + 18
    room = min(WIDTH / len(weeks), 40)
    canvas.axis(base)
    low = base + 40 + WAITED
    for place, week in enumerate(weeks):
        left, wide, height = place * room + 1, room - 2, float(base)
        for layer in layers:
            if hours := float(week.hours.get(layer, 0)):
                tall = length(hours, float(most_hours), UPRIGHT)
                height -= tall
                canvas.bar(DRAWN[layer][0], left, height, wide, tall, DRAWN[layer][1])
        if week.all_hours == most_hours and most_hours:
            canvas.say(amount(most_hours), left + wide / 2, height - 3)
            most_hours = -1  # said once
        if week.seen:
            canvas.bar("middle", left, base + 4, wide, 4)
        if waited := float(week.all_waited):
            tall = length(waited, float(most_waited), WAITED)
            canvas.bar("late", left, low - tall, wide, tall)
    canvas.axis(low)
    waited = sum(week.all_waited for week in weeks)
    canvas.say("Marked: weeks in which something could be seen", 0, base + 22, "start")
    canvas.name(f"Days waited: {amount(waited)}", base + 36)
    every = 1 if len(weeks) <= 4 else 5
    for place, week in enumerate(weeks):
        if place % every == 0 and place * room <= WIDTH - 36:
            canvas.say(f"{week.first:%-d %b}", place * room, low + 14, "start")
    hours = sum((week.all_hours for week in weeks), 0)
    unseen = sum(week.unseen for week in weeks)
    says = (
        f"{count(len(weeks), 'week')} to the one from {weeks[-1].first:%-d %B %Y}: {amount(hours)} hours, "
        f"{amount(waited)} days waited; in {count(unseen, 'week')} with work nothing could be seen of it."
    )
    return canvas.picture("Effort week by week", says, int(low + 20))


def months(layers: tuple[OfLayer, ...]) -> Picture:
    """Two bars for each layer that took anything, in the order of the stack: months of work, and days waited."""
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
    says = f"Upper bar: months of work; lower bar: days waited. {'; '.join(said)}."
    return canvas.picture("Where the months go", says, len(rows) * ROW)
