"""Links that keep the day of an as-of page. On today's pages they are unchanged."""

from urllib.parse import urlencode, urlsplit, urlunsplit

from django import template
from django.urls import Resolver404, resolve, reverse

from governance.transparency_log import as_of
from governance.web.pages.as_of_views import Day

register = template.Library()


@register.filter
def keep(url):
    """Return the address with the shown day. On another day, "" means that the page has no link."""
    moment = as_of.current()
    if moment is None or not url or url.startswith("#"):
        return url
    parts = urlsplit(str(url))
    try:
        shows = parts.path == "" or hasattr(resolve(parts.path).func, "on_any_day")
    except Resolver404:
        shows = False
    if not shows:
        return ""
    query = "&".join(filter(None, [parts.query, urlencode({"as_of": Day.of(moment).asked})]))
    return urlunsplit(parts._replace(query=query))


@register.simple_tag
def kept_url(name, *args, **query):
    """Return `{% url %}` with the day kept. Keywords become the query string."""
    tail = urlencode({key: value for key, value in query.items() if value})
    return keep(reverse(name, args=args) + (f"?{tail}" if tail else ""))
