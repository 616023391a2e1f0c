"""Warnings about regions that are not in the table of regions."""

from urllib.parse import quote

from django.contrib import messages
from django.urls import reverse
from django.utils.html import format_html

from initiatives.integration.residency import findings
from initiatives.integration.residency.permissions import may_set_regions


def say_strange(request, listed) -> None:
    """Warn, beside what is saved, of regions that nobody knows: what they mean to the rule, and who can add them."""
    if not (names := findings.strange(listed)):
        return
    who = "You" if may_set_regions(request.user) else "Admins, the security seat and the risk seat"
    words = '{}. {} {} can add {} under <a href="{}?name={}">Regions</a>.'
    what = "it" if len(names) == 1 else "them"
    address = reverse("regions")
    messages.warning(
        request,
        format_html(
            words, findings.nobody_knows(names), findings.FIND_OUT, who, what, address, quote(names[0])
        ),
    )
