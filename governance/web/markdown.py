"""Markdown of long texts as safe HTML."""

from functools import lru_cache

import nh3
from django.utils.safestring import mark_safe
from markdown_it import MarkdownIt


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


def markdown(text):
    """Return Markdown as safe HTML without raw HTML, pictures or headings. The text is saved as written."""
    text = str(text or "")
    render = _rendered if len(text) <= LONGEST_REMEMBERED else _rendered.__wrapped__
    return mark_safe(render(text))
