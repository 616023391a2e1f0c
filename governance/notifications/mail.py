"""The making of an email: plain text, an HTML twin, and headers for mail systems.

`templates/emails/` holds a pair for each kind, `<kind>.txt` and `<kind>.html`, on `_base.txt` and `_base.html`. An
email names the one thing to do first, then the reason, the day, the place and who can help. Its HTML carries its
styles on the elements, because many mail programs drop style sheets. It sets no colours of paper or ink, so that a
dark mailbox stays dark. It loads nothing, so no one learns that it was opened. Hidden characters are spelled out.
"""

from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation

from governance.models import User
from governance.notifications import preferences
from governance.vocabulary.readable_text import shown


def compose(
    kind: str, *, to: User, subject: str, key: str, context: dict, leave: str = ""
) -> EmailMultiAlternatives:
    """Return an unsent email of this kind to a person.

    `key` names the email for ever, so a second try has the same Message-ID and mail systems recognise it. `leave` is
    the address (a path) at which a regular email is unsubscribed from, without signing in (RFC 8058).
    """
    context = {"person": to, "address": settings.ADDRESS, **context}
    heads = {
        "Message-ID": f"<{key}@{urlsplit(settings.ADDRESS).hostname}>",
        "Auto-Submitted": "auto-generated",  # RFC 3834: no absence note needs to answer it
    }
    if leave:
        context["leave"] = f"{settings.ADDRESS}{leave}"
        heads["List-Unsubscribe"] = f"<{context['leave']}>"
        heads["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    with translation.override(preferences.language_of(to.pk) or settings.LANGUAGE_CODE):
        text, page = (render_to_string(f"emails/{kind}.{form}", context) for form in ("txt", "html"))
    mail = EmailMultiAlternatives(
        subject=shown(" ".join(subject.split())),
        body=shown(text),
        to=[to.email],  # the address alone: a printed name beside it can only confuse mail systems
        headers=heads,
    )
    mail.attach_alternative(shown(page), "text/html")
    return mail
