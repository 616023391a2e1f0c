"""Words and components for the pages: what a template may ask beyond Django's own tags.

Nothing here decides anything. Days are asked of the one clock.
"""

from datetime import datetime
from functools import lru_cache
from typing import Any

import nh3
from django import template
from django.template.defaultfilters import capfirst
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import get_language, gettext, gettext_lazy, ngettext
from markdown_it import MarkdownIt

from governance import clock, permission_result
from governance.rulebook.judgements import JUDGEMENTS
from governance.templatetags import days
from governance.vocabulary import STAGE_RANK, Layer, Seat, Stage, terms

register = template.Library()

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
    """The local day of a date or an aware moment; None stays None."""
    if isinstance(when, datetime):
        return clock.local_day(when) if timezone.is_aware(when) else when.date()
    return when or None


def _today():
    return clock.today()


def plural(count, word):
    """ "1 day", "2 days"."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


# Days


@register.filter
def day(when):
    """A date as "2 December 2026", without the year when it is the current one; "" for None."""
    when = as_day(when)
    if when is None:
        return ""
    year = "" if when.year == _today().year else f" {when.year}"
    return f"{when.day} {when:%B}{year}"


@register.filter
def in_days(when):
    """A date seen from today: "in 12 days (2 December)", "today (...)", "3 days ago (...)"; "" for None."""
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
    """A short stamp for timelines: "Today 10:50", "9 Nov 10:50", "9 Nov 2025"; dates carry no hour."""
    if not when:
        return ""
    on = as_day(when)
    if on.year != _today().year:
        return f"{on.day} {on:%b} {on.year}"
    words = gettext("Today") if on == _today() else f"{on.day} {on:%b}"
    if not isinstance(when, datetime):
        return words
    local = timezone.localtime(when, timezone.get_default_timezone()) if timezone.is_aware(when) else when
    return f"{words} {local:%H:%M}"


# Words


@register.filter
def person(who):
    """The full name of a person; a text stays as it is, what ran by itself is Plumbline, nobody is "nobody"."""
    if not who:
        return gettext("nobody")
    if isinstance(who, str):
        return "Plumbline" if who.startswith("system: ") else who
    name = who.get_full_name() if hasattr(who, "get_full_name") else ""
    return name or str(who)


@register.filter
def stage_word(stage):
    """The word for a stage; no stage at all (nothing is supported) reads "nothing yet"."""
    if stage == Stage.PROPOSED:
        return Stage.PROPOSED.label.lower()  # inside a sentence; the others are names
    return Stage.word(stage) or "nothing yet"


@register.filter
def seat_word(seat):
    """The word for a seat of a board; a seat that only an own rulebook knows is spelt out of its key."""
    return Seat.word(seat)


@register.filter
def ended(text):
    """The text as a sentence: with a full stop, unless it ends by itself."""
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
    """The word for a layer; findings that belong to none stand under "Everything else"."""
    return Layer.word(layer) or "Everything else"


@register.filter
def judgement_word(judgement):
    """The word for one of the five judgements; what speaks to none stands under "Everything else"."""
    return JUDGEMENTS.get(judgement, "Everything else")


@register.filter
def count_words(count):
    """A number up to ten as a word ("six", "no" for 0), above that in digits: for headings."""
    count = int(count or 0)
    return NUMBER_WORDS[count] if 0 <= count < len(NUMBER_WORDS) else str(count)


@register.filter
def message_tone(level):
    """The tone of a notification for the level of one of Django's messages."""
    return MESSAGE_TONES.get(level, "")


@register.filter
def state_tone(state):
    """The tone of a tag that says a state."""
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
    """The member of a list at a position: for lists that run beside each other."""
    return sequence[position]


# Long texts


def _without_headings(parser):
    """Turn headings of a text into bold paragraphs, so that a page keeps its own outline."""
    parser.add_render_rule("heading_open", lambda *_: "<p><strong>")
    parser.add_render_rule("heading_close", lambda *_: "</strong></p>\n")
    return parser


_MARKDOWN = _without_headings(MarkdownIt("js-default"))
_TAGS = {
    *("p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}


LONGEST_REMEMBERED = 2000  # characters; a thousand of the longest texts would be a hundred megabytes and more


@lru_cache(maxsize=1024)
def _rendered(text):
    html = _MARKDOWN.render(text)
    attributes = {"a": {"href", "title"}}
    return nh3.clean(html, tags=_TAGS, attributes=attributes, url_schemes={"http", "https", "mailto"})


@register.filter
def markdown(text):
    """A text in Markdown as safe HTML: no raw HTML, pictures or headings; cleaned when shown, not when saved."""
    text = str(text or "")
    render = _rendered if len(text) <= LONGEST_REMEMBERED else _rendered.__wrapped__
    return mark_safe(render(text))


# The plumb


@register.filter
def lean(approved_stage, supported):
    """How far the plumb leans: stages between the approved and the supported one, at most 2; "none" where there is no
    approved stage.
    """
    height = STAGE_RANK.get(approved_stage)
    if not height:
        return "none"
    return max(0, min(2, height - STAGE_RANK.get(supported, 0)))


@lru_cache(maxsize=512)
def _drawn(component, language, **inputs):
    """A component that says the same for the same inputs: a list of fifty initiatives shows it fifty times."""
    return mark_safe(render_to_string(f"_components/{component}.html", inputs).strip())


@register.simple_tag
def plumb(lean=0, label=""):
    """Draw the plumb: lean 0, 1, 2 or "none", and what that means in words."""
    return _drawn("plumb", get_language(), lean=lean, label=label)


@register.simple_tag
def trio(governance, integration, adoption):
    """The three scale tests, each True, False or None where it is not asked yet."""
    return _drawn("trio", get_language(), governance=governance, integration=integration, adoption=adoption)


# Pieces that lists repeat


class Alike(template.Node):
    """A piece of a page that is drawn once for the same values, and sees nothing but these values."""

    def __init__(self, given, nodelist):
        self.given, self.nodelist, self.drawn = given, nodelist, {}

    def render(self, context):
        """The piece, as it was drawn when these values were first seen."""
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
    """`{% alike a=row.a b=row.b %}...{% endalike %}`: what is between says the same wherever a and b are the same.

    The values must be hashable, and nothing between may depend on the day or on who looks.
    """
    tag, *bits = token.split_contents()
    given = template.base.token_kwargs(bits, parser)
    if bits or not given:
        raise template.TemplateSyntaxError(
            f"{tag} takes the values that the piece is made of: name=value ..."
        )
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
    """One line of the navigation; current by the context's `nav`, or the name of the view shown, or `among` others."""
    try:
        url = reverse(name)
    except NoReverseMatch:
        url = None
    current = _place_shown(context) in (name, *among.split())
    return {"url": url, "text": text, "count": count, "unit": unit, "current": current}


@register.inclusion_tag("_components/places_beside.html", takes_context=True)
def places_beside(context):
    """The places that share an entry of the main navigation with the one shown; nothing where it has its own."""
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
    """A word of the pages, or `words` for it, with its meaning on hover; it leads to its place in the glossary."""
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
    """Attributes of an element, those without a value left out; True is an attribute without one."""
    return format_html_join(
        "", "{}", (_attribute(name.replace("_", "-"), value) for name, value in given.items() if value)
    )


@register.simple_tag
def widget_attributes(attrs):
    """The attributes of a form's widget as Django writes them, save maxlength: by it a browser cuts what is pasted
    and says nothing."""
    given = {name: value for name, value in attrs.items() if value is not False and name != "maxlength"}
    return format_html_join("", "{}", (_attribute(name, value) for name, value in given.items()))


@register.simple_tag
def tag(word, tone="", role=""):
    """A word in a rounded box: a state or a kind. `tone` is "" or one of ok, warn, bad, lead."""
    attributes = _attributes(**{"class": f"tag {tone}".strip(), "role": role})
    return format_html("<span{}>{}</span>", attributes, word)


@register.simple_block_tag
def tagged(content, tone=""):
    """A tag (see `tag`) whose words are put together on the page."""
    return tag(mark_safe(content.strip()), tone)


@register.simple_tag
def stage_tags(stage):
    """The tag of a stage, and beside that of a prototype what it is not."""
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
    """A box that is to be noticed. `tone` is "" or one of ok, warn, bad; `title` stands above, a way on behind.

    `role` (alert or status) has it read out when it appears, with `focus` the page opens at it, `label` makes
    it a region of that name, and `saved` lets the browser forget the drafts of what was typed.
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
    """What an act brings with it, said before it is done. Nothing where there are no sentences."""
    return {"sentences": sentences, "tone": "bad" if danger else "warn"}


@register.inclusion_tag("_components/form_footer.html")
def form_footer(verb, back_url, tone="go", draft=False):
    """The last row of a form: the button that does it ("go", or "no" for what hurts) and the way out.

    `draft` leaves room for the word that what was typed is kept in this browser.
    """
    return {"verb": verb, "back_url": back_url, "tone": tone, "draft": draft}


@register.simple_block_tag
def form_actions(content, back_url, draft=False, way_out=""):
    """`form_footer` for a form with several buttons: they stand in the block, the way out follows them."""
    buttons = mark_safe(content.strip())
    inputs = {"buttons": buttons, "back_url": back_url, "draft": draft, "way_out": way_out}
    return mark_safe(render_to_string("_components/form_footer.html", inputs))


@register.simple_block_tag
def nothing(content, title, link="", link_text=""):
    """What a page says where a list is empty: a title, a sentence, and a way on where there is one."""
    inputs = {"title": title, "sentence": mark_safe(content.strip()), "link": link, "link_text": link_text}
    return mark_safe(render_to_string("_components/empty.html", inputs))
