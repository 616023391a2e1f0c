"""Words and components for the pages: tags and filters beyond Django's own.

The tags only present. Days come from the one clock.
"""

from datetime import datetime
from functools import lru_cache
from typing import Any

from django import template
from django.forms.models import ModelChoiceIteratorValue
from django.template.defaultfilters import capfirst
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils import dateformat, timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import get_language, gettext, gettext_lazy, ngettext

from governance import clock, permission_result
from governance.database import row_history
from governance.rulebook.judgements import JUDGEMENTS
from governance.templatetags import days
from governance.vocabulary import STAGE_RANK, Layer, Seat, Stage, Tested, terms
from governance.vocabulary.phrases import Phrase
from governance.web import form_fields
from governance.web.markdown import markdown

register = template.Library()
register.filter("control_id", form_fields.control_id)

NUMBER_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
MESSAGE_TONES = {"success": "ok", "warning": "warn", "error": "bad"}
# Of states whose word means the same wherever it stands; what is not here has no colour.
STATE_TONES = {
    **dict.fromkeys(("approved", "approved_with_conditions", "closed"), "ok"),
    **dict.fromkeys(("measured", "pass", "satisfied"), "ok"),
    **dict.fromkeys(("exception", "partial", "draft", "in_review", "waiting"), "warn"),
    **dict.fromkeys(("fail", "failed", "refused"), "bad"),
    "held": "lead",
}
# Of one piece that lists repeat, how many versions are kept drawn; a kilobyte each at the most.
PIECES_KEPT = 500


def as_day(when):
    """Return the local day of a date or an aware moment, or None."""
    if isinstance(when, datetime):
        return clock.local_day(when) if timezone.is_aware(when) else when.date()
    return when or None


def _today():
    return clock.today()


def plural(count, word):
    """ "1 day", "2 days"."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


# Days


@register.simple_tag
def request_id() -> str:
    """Return the id of the running request, or ""."""
    return row_history.running_request()


@register.filter
def day(when):
    """Return a date as "2 December 2026", or "" for None. The current year is left out."""
    when = as_day(when)
    if when is None:
        return ""
    return dateformat.format(when, gettext("j F") if when.year == _today().year else gettext("j F Y"))


@register.filter
def lapse(seconds):
    """Return seconds in the largest whole unit, such as "45 seconds", or "" for None."""
    if seconds is None:
        return ""
    seconds = int(seconds)
    if seconds < 60:
        return ngettext("%(count)s second", "%(count)s seconds", seconds) % {"count": seconds}
    if (minutes := seconds // 60) < 60:
        return ngettext("%(count)s minute", "%(count)s minutes", minutes) % {"count": minutes}
    if (hours := minutes // 60) < 48:
        return ngettext("%(count)s hour", "%(count)s hours", hours) % {"count": hours}
    return ngettext("%(count)s day", "%(count)s days", hours // 24) % {"count": hours // 24}


@register.filter
def in_days(when):
    """Return a date relative to today, "in 12 days (2 December)", or "" for None."""
    when = as_day(when)
    if when is None:
        return ""
    distance = (when - _today()).days
    if distance == 0:
        words = gettext("today")
    elif distance > 0:
        words = ngettext("in %(days)s day", "in %(days)s days", distance) % {"days": distance}
    else:
        words = ngettext("%(days)s day ago", "%(days)s days ago", -distance) % {"days": -distance}
    return f"{words} ({day(when)})"


@register.filter
def moment(when):
    """Return a short stamp for timelines, such as "Today 10:50" or "9 Nov 2025". Dates carry no hour."""
    if not when:
        return ""
    on = as_day(when)
    if on.year != _today().year:
        return dateformat.format(on, gettext("j M Y"))
    words = gettext("Today") if on == _today() else dateformat.format(on, gettext("j M"))
    if not isinstance(when, datetime):
        return words
    local = timezone.localtime(when, timezone.get_default_timezone()) if timezone.is_aware(when) else when
    if timezone.is_aware(when) and clock.comes_twice(local):
        which = gettext("before the clocks change"), gettext("after the clocks change")
        return f"{words} {local:%H:%M} ({which[local.fold]})"
    return f"{words} {local:%H:%M}"


# Words


@register.filter
def person(who):
    """Return a person's full name. A text stays, the system is Plumbline, no one is "nobody"."""
    if not who:
        return gettext("nobody")
    if isinstance(who, str):
        return "Plumbline" if who.startswith("system: ") else who
    name = who.get_full_name() if hasattr(who, "get_full_name") else ""
    return name or str(who)


@register.filter
def translated(word):
    """Return a word of Plumbline in the language of the page. Text that a person typed never goes through here."""
    if isinstance(word, Phrase):
        return word.in_language()
    return gettext(str(word)) if word else ""


@register.filter
def in_text(word):
    """Return a word of Plumbline as used inside a sentence: in lower case in English, but not in German."""
    words = translated(word)
    return words.lower() if get_language() == "en" else words


@register.filter
def option_label(widget):
    """Return the label of an option. Names of rows stay as they were typed; words of Plumbline are translated."""
    typed = isinstance(widget["value"], ModelChoiceIteratorValue) or str(widget["value"]).isdigit()
    return widget["label"] if typed else translated(widget["label"])


@register.filter
def stage_word(stage):
    """Return the word for a stage. Without a stage (nothing is supported) the words are "nothing yet"."""
    if stage == Stage.PROPOSED:
        return gettext("proposed idea")  # inside a sentence; the others are names
    return gettext(Stage.word(stage) or "nothing yet")


@register.filter
def seat_word(seat):
    """Return the word for a seat of a board. A seat only in an own rulebook is spelt from its key."""
    return gettext(Seat.word(seat))


@register.filter
def tested_word(tested):
    """Return the words for what a test, a drill or research is about."""
    return gettext(Tested.word(tested))


@register.filter
def ended(text):
    """Return the text as a sentence, with a full stop unless it ends by itself."""
    return permission_result.ended(str(text))


@register.filter
def listed(text):
    """Words of the rulebook that name keys ("curated | bounded_real"), as a person would list them."""
    return str(text).replace(" | ", " or ").replace("_", " ")


@register.filter
def by_remedy(reasons):
    """Reasons grouped by who must act, in the order in which they first appear: [(remedy, reasons)]."""
    groups: dict[str, list[Any]] = {}
    for reason in reasons or ():
        groups.setdefault(reason.remedy, []).append(reason)
    return list(groups.items())


@register.filter
def layer_word(layer):
    """Return the word for a layer. Findings without a layer have the word "Everything else"."""
    return gettext(Layer.word(layer) or "Everything else")


@register.filter
def judgement_word(judgement):
    """Return the word for a judgement. Other keys have the words "Everything else"."""
    return gettext(JUDGEMENTS.get(judgement, "Everything else"))


@register.filter
def count_words(count):
    """Return a number up to ten as a word ("six", "no" for 0), else in digits."""
    count = int(count or 0)
    spelt = get_language() == "en" and 0 <= count < len(
        NUMBER_WORDS
    )  # in German the word depends on its noun
    return NUMBER_WORDS[count] if spelt else str(count)


@register.filter
def message_tone(level):
    """Return the tone of a notification for the level of one of Django's messages."""
    return MESSAGE_TONES.get(level, "")


@register.filter
def state_tone(state):
    """Return the tone of a tag for a state."""
    return STATE_TONES.get(state, "")


# Lists


@register.filter
def grouped(findings, by="layer"):
    """Pairs (words, findings) by "layer", in the order of the stack, or by "judgement", in the order of the source.

    Unknown groups come last, empty ones are left out.
    """
    by = by or "layer"
    known = list(Layer if by == "layer" else JUDGEMENTS)
    groups: dict[str, list[Any]] = {}
    for finding in findings or ():
        group = finding.get(by) if isinstance(finding, dict) else getattr(finding, by, None)
        groups.setdefault(group or "", []).append(finding)
    order = sorted(groups, key=lambda group: known.index(group) if group in known else len(known))
    return [(layer_word(group) if by == "layer" else judgement_word(group), groups[group]) for group in order]


@register.filter
def at(sequence, position):
    """Return the member of a list at a position: for lists that run beside each other."""
    return sequence[position]


register.filter(markdown)


# The plumb


@register.filter
def lean(approved_stage, supported):
    """Return the stages from the supported to the approved stage, at most 2.

    Returns "none" without an approved stage.
    """
    height = STAGE_RANK.get(approved_stage)
    if not height:
        return "none"
    return max(0, min(2, height - STAGE_RANK.get(supported, 0)))


@lru_cache(maxsize=512)
def _drawn(component, language, **inputs):
    """Return a component from its inputs, cached because a list shows it fifty times."""
    return mark_safe(render_to_string(f"_components/{component}.html", inputs).strip())


@register.simple_tag
def plumb(lean=0, label=""):
    """Draw the plumb: lean 0, 1, 2 or "none", and what that means in words."""
    return _drawn("plumb", get_language(), lean=lean, label=label)


@register.simple_tag
def trio(governance, integration, adoption):
    """Return the three scale tests as ScaleTestOutcome, or None for an unasked one."""
    return _drawn("trio", get_language(), governance=governance, integration=integration, adoption=adoption)


# Pieces that lists repeat


class Alike(template.Node):
    """A piece of a page that is drawn once for the same values, and sees nothing but these values."""

    def __init__(self, given, nodelist):
        self.given, self.nodelist, self.drawn = given, nodelist, {}

    def render(self, context):
        """Return the piece, as it was drawn when these values were first seen."""
        values = [value.resolve(context) for value in self.given.values()]
        key = (get_language(), *values, *map(type, values))  # 1 and True are equal, and read differently
        drawn = self.drawn.get(key)
        if drawn is None:
            if len(self.drawn) >= PIECES_KEPT:
                self.drawn.clear()
            drawn = self.nodelist.render(context.new(dict(zip(self.given, values, strict=True))))
            self.drawn[key] = drawn
        return drawn


@register.tag
def alike(parser, token):
    """Cache the content of `{% alike a=row.a b=row.b %}...{% endalike %}` by values.

    The values must be hashable. The content must not depend on the day or on the viewer.
    """
    tag, *bits = token.split_contents()
    given = template.base.token_kwargs(bits, parser)
    if bits or not given:
        raise template.TemplateSyntaxError(f"{tag} needs one or more arguments of the form name=value.")
    nodelist = parser.parse(("endalike",))
    parser.delete_first_token()
    return Alike(given, nodelist)


# Frame

# Entries of the main navigation that several places share: who finds them there, and the places, by name and words.
SHARED_PLACES = {
    gettext_lazy("Rules and lessons"): (
        lambda user: user.is_authenticated,
        (
            ("rulebook", gettext_lazy("Rulebook")),
            ("lessons-all", gettext_lazy("Lessons")),
            ("help", gettext_lazy("Help")),
            ("words", gettext_lazy("Glossary")),
        ),
    ),
    gettext_lazy("Administration"): (
        lambda user: user.is_authenticated and user.is_admin,
        (
            ("units", gettext_lazy("Organisation")),
            ("imports", gettext_lazy("Imports")),
            ("retention", gettext_lazy("Retention")),
            ("status", gettext_lazy("Status")),
            ("admin:index", gettext_lazy("Tables")),
        ),
    ),
}


@register.inclusion_tag("_components/nav_link.html", takes_context=True)
def nav_link(context, name, text, count=None, unit="", among=""):
    """Show a line of the navigation. The context's `nav`, the view's name or `among` make it current."""
    try:
        url = reverse(name)
    except NoReverseMatch:
        url = None
    current = _place_shown(context) in (name, *among.split())
    return {"url": url, "text": text, "count": count, "unit": unit, "current": current}


@register.inclusion_tag("_components/places_beside.html", takes_context=True)
def places_beside(context):
    """Return the places under the current entry of the main navigation, if several."""
    shown, user = _place_shown(context), context.get("user")
    for words, (may, places) in SHARED_PLACES.items():
        if shown in dict(places) and may(user):
            return {
                "words": words,
                "places": places,
                "request": context.get("request"),
                "nav": context.get("nav"),
            }
    return {}


def _place_shown(context) -> str | None:
    """The place that the page belongs to: its context's `nav`, or the name of its view."""
    match = getattr(context.get("request"), "resolver_match", None)
    return context.get("nav") or getattr(match, "view_name", None)


@register.simple_tag
def term(name, words=""):
    """Show a word of the pages, or `words` for it. The word has its meaning and a link to the glossary."""
    url = days.keep(f"{reverse('words')}#{terms.anchor(name)}")
    if not url:
        return words or name
    said = '<dfn class="term"><a href="{}" title="{}">{}</a></dfn>'
    return format_html(said, url, f"{capfirst(terms.TERMS[name])}.", words or name)


@register.simple_block_tag
def scroll(content, label):
    """Room for a wide table that scrolls by itself, reachable by keyboard and named for screen readers."""
    room = '<div class="scroll" role="region" aria-label="{}" tabindex="0">{}</div>'
    return format_html(room, label, content)


def _attribute(name, value):
    return (format_html(" {}", name) if value is True else format_html(' {}="{}"', name, str(value)),)


def _attributes(**given):
    """Return attributes of an element without those that have no value. True is an attribute without a value."""
    return format_html_join(
        "", "{}", (_attribute(name.replace("_", "-"), value) for name, value in given.items() if value)
    )


@register.simple_tag
def widget_attributes(attrs):
    """Return a widget's attributes as Django writes them, except maxlength.

    A browser silently cuts pasted text to maxlength.
    """
    given = {name: value for name, value in attrs.items() if value is not False and name != "maxlength"}
    return format_html_join("", "{}", (_attribute(name, value) for name, value in given.items()))


@register.filter
def of_row(url, key):
    """Return the address of a row from one that was made for row 0, so that a column makes one address."""
    return url.replace("/0/", f"/{key}/", 1)


@register.simple_tag
def tag(word, tone="", role=""):
    """Return a word in a rounded box: a state or a kind. `tone` is "" or one of ok, warn, bad, lead."""
    return format_html('<span class="{}"{}>{}</span>', f"tag {tone}".strip(), _attributes(role=role), word)


@register.simple_block_tag
def tagged(content, tone=""):
    """Return a tag (see `tag`) whose words are put together on the page."""
    return tag(mark_safe(content.strip()), tone)


@register.simple_tag
def stage_tags(stage):
    """Show the tag of a stage. A prototype has a second tag with what it is not."""
    shown = tag(stage_word(stage), "lead")
    return (
        shown
        if stage != "prototype"
        else format_html("{} {}", shown, tag(gettext("not production-ready"), "warn"))
    )


@register.simple_block_tag
def note(
    content,
    tone="",
    title="",
    link="",
    link_text="",
    role="",
    focus=False,
    label="",
    element_id="",
    saved=False,
):
    """Show a box for a message. `tone` is "", ok, warn or bad, `title` is the heading, `link` the next step.

    A screen reader announces a `role` (alert or status) when the box appears. With `focus` the page opens at the box.
    With `label` the box is a region of that name. With `saved` the browser forgets drafts of typed text.
    """
    attributes = _attributes(
        **{"class": f"note {tone}".strip(), "id": element_id, "role": role, "aria-label": label},
        tabindex="-1" if focus else "",
        data_focus=focus,
        data_saved=saved,
    )
    to = days.keep(link) if link else ""
    return format_html(
        "<{element}{attributes}>{title}{content}{way}</{element}>",
        element="section" if label else "div",
        attributes=attributes,
        title=format_html("<strong>{}</strong>", title) if title else "",
        content=mark_safe(content.strip()),
        way=format_html(' <a href="{}">{}</a>', to, link_text or gettext("Open")) if to else "",
    )


@register.inclusion_tag("_components/what_happens.html")
def what_happens(sentences, danger=False):
    """Show the consequences of an act before it. Without sentences the tag shows an empty text."""
    return {"sentences": sentences, "tone": "bad" if danger else "warn"}


@register.inclusion_tag("_components/form_footer.html", takes_context=True)
def form_footer(context, verb, back_url, tone="go", draft=False):
    """Show a form's last row: its button ("go", or "no" for harm) and the way out.

    `draft` leaves room for the note that this browser keeps typed text.
    """
    inputs = {"verb": verb, "back_url": back_url, "tone": tone, "draft": draft}
    return inputs | _consequences(context)


def _consequences(context) -> dict:
    """Return the consequences of a form's act, if its page asks for confirmation."""
    request = getattr(context, "request", None)
    found = getattr(request, "consequences", None)
    if request is None or found is None:
        return {}
    found.shown += 1
    return {"consequences": found, "files": bool(request.FILES) or "chosen_again" in request.POST}


@register.simple_block_tag(takes_context=True)
def form_actions(context, content, back_url, draft=False, way_out=""):
    """`form_footer` for a form with several buttons: they stand in the block, the way out follows them."""
    buttons = mark_safe(content.strip())
    inputs = {"buttons": buttons, "back_url": back_url, "draft": draft, "way_out": way_out}
    return mark_safe(render_to_string("_components/form_footer.html", inputs | _consequences(context)))


@register.simple_block_tag
def nothing(content, title, link="", link_text=""):
    """Show an empty list: a title, a sentence, and an optional link to the next step."""
    inputs = {"title": title, "sentence": mark_safe(content.strip()), "link": link, "link_text": link_text}
    return mark_safe(render_to_string("_components/empty.html", inputs))
