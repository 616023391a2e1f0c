"""The picture of the effort on one initiative: its bars and words."""

from governance.templatetags.plumbline import layer_word
from governance.web.charts.primitives import WIDTH, Canvas, Picture, count, length
from initiatives.portfolio.efforts.queries import WeekOfInitiative, amount

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


def effort(weeks: tuple[WeekOfInitiative, ...]) -> Picture:
    """Return the picture of hours a week by layer, days waited and visible results."""
    most_hours = max((week.all_hours for week in weeks), default=0)
    most_waited = max((week.all_waited for week in weeks), default=0)
    layers = [layer for layer in DRAWN if any(week.hours.get(layer) for week in weeks)]
    if not (most_hours or most_waited):
        return Picture("Effort by week", "No effort is recorded.", (), (), 0)
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
    canvas.say("Marked: weeks with a visible result", 0, base + 22, "start")
    canvas.name(f"Days waited: {amount(waited)}", base + 36)
    every = 1 if len(weeks) <= 4 else 5
    for place, week in enumerate(weeks):
        if place % every == 0 and place * room <= WIDTH - 36:
            canvas.say(f"{week.first:%-d %b}", place * room, low + 14, "start")
    hours = sum((week.all_hours for week in weeks), 0)
    unseen = sum(week.unseen for week in weeks)
    says = (
        f"{count(len(weeks), 'week')} until the week of {weeks[-1].first:%-d %B %Y}: "
        f"{amount(hours)} hours, {amount(waited)} days waited, {count(unseen, 'week')} with work "
        "but no visible result."
    )
    return canvas.picture("Effort by week", says, int(low + 20))
