"""Small drawings of figures and ages, each with its words or a table behind it.

Geometry is worked out here because a strict Content-Security-Policy leaves no room for inline style.
"""

from datetime import timedelta

from django import template
from django.utils.translation import gettext, ngettext

from governance import clock
from governance.templatetags.plumbline import as_day, day

register = template.Library()

# Below this many days an age bar warns: the longest of the rulebook's warn_days_before as shipped.
SOON_DAYS = 30


@register.inclusion_tag("_components/age_bar.html")
def age_bar(observed_on, current_until):
    """Draw the remaining life of an item of evidence.

    `current_until` is the last day on which it is current, None when only a trigger ends it.
    """
    observed_on, current_until = as_day(observed_on), as_day(current_until)
    if current_until is None:
        return {
            "left": 100,
            "tone": "",
            "words": gettext("current until something that the evidence depends on changes"),
        }
    remaining = (current_until - clock.today()).days
    if remaining < 0:
        return {
            "left": 0,
            "tone": "gone",
            "words": gettext("expired since %(day)s") % {"day": day(current_until + timedelta(days=1))},
        }
    life = max(1, (current_until - observed_on).days)
    if remaining == 0:
        return {"left": 2, "tone": "soon", "words": gettext("current until the end of today")}
    words = ngettext(
        "current for %(days)s more day (%(day)s)", "current for %(days)s more days (%(day)s)", remaining
    ) % {"days": remaining, "day": day(current_until)}
    left = max(2, min(100, round(100 * remaining / life)))
    return {"left": left, "tone": "soon" if remaining <= SOON_DAYS else "", "words": words}


def _every(count, most=6):
    """Return the smallest n so that every n-th of `count` labels gives at most `most`."""
    return max(1, -(-count // most))


@register.inclusion_tag("_components/chart_bars.html")
def chart_bars(title, rows, heading="What", unit="number"):
    """Upright bars with a table behind them. `rows`: (label, value) or (label, value, late)."""
    rows = [tuple(row) for row in rows]
    width, base, top = 320, 96, 16
    letter = 6.4  # about the width of a letter at the size of the labels
    highest = max([row[1] for row in rows], default=0) or 1
    room = width / max(1, len(rows))
    bar_width, step = min(48, room * 0.66), _every(len(rows))
    bars = []
    for place, row in enumerate(rows):
        height = (base - top) * row[1] / highest
        bars.append(
            {
                "label": row[0],
                "value": row[1],
                "late": bool(row[2]) if len(row) > 2 else False,
                "x": f"{place * room + (room - bar_width) / 2:.1f}",
                "middle": f"{place * room + room / 2:.1f}",
                "label_x": f"{_within(place * room + room / 2, len(str(row[0])) * letter / 2, width):.1f}",
                "y": f"{base - height:.1f}",
                "value_y": f"{base - height - 4:.1f}",
                "width": f"{bar_width:.1f}",
                "height": f"{height:.1f}",
                "shown": place % step == 0,
            }
        )
    return {
        "title": title,
        "says": f"{title}: {', '.join(f'{label} {value}' for label, value, *_ in rows)}",
        "heading": heading,
        "unit": unit,
        "bars": bars,
        "base": base,
        "label_y": base + 14,
        "width": width,
        "height": base + 20,
    }


def _within(middle, half, width):
    """The middle of a label moved just so far that neither end of it is cut off."""
    return min(max(middle, half), width - half)


@register.inclusion_tag("_components/chart_measurements.html")
def chart_measurements(title, rows, baseline=None, target=None, unit="value"):
    """Measurements as a line, beside their baseline and target where there are some. `rows`: (label, value)."""
    rows = [(label, value) for label, value in rows]
    width, bottom, top = 320, 96, 16
    values = [float(v) for v in [*(v for _, v in rows), baseline, target] if v is not None]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    span = (high - low) or 1.0

    def height_of(value):
        return bottom - (bottom - top) * (float(value) - low) / span

    step, last = _every(len(rows), 4), len(rows) - 1
    dots = []
    for place, (label, value) in enumerate(rows):
        x = 8 + (width - 16) * (place / last if last else 0.5)
        anchor = "start" if place == 0 and last else "end" if place == last and last else "middle"
        shown = place == last or (place % step == 0 and last - place >= step)
        dots.append(
            {
                "label": label,
                "value": value,
                "x": f"{x:.1f}",
                "y": f"{height_of(value):.1f}",
                "anchor": anchor,
                "shown": shown,
            }
        )
    lines = [
        {
            "word": word,
            "kind": kind,
            "value": value,
            "y": f"{height_of(value):.1f}",
            "text_y": f"{height_of(value) - 4:.1f}",
        }
        for word, kind, value in (
            (gettext("baseline"), "base", baseline),
            (gettext("target"), "goal", target),
        )
        if value is not None
    ]
    points = ", ".join(f"{label} {value}" for label, value in rows)
    levels = [f"{line['word']} {line['value']}" for line in lines]
    return {
        "title": title,
        "says": f"{title}: {'; '.join([points, *levels])}",
        "unit": unit,
        "dots": dots,
        "lines": lines,
        "path": " ".join(f"{dot['x']},{dot['y']}" for dot in dots),
        "label_y": bottom + 16,
        "width": width,
        "height": bottom + 22,
    }
