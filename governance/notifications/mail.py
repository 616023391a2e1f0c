"""Making a mail: plain text with an HTML twin, and headers that mail systems understand.

`templates/emails/` holds a pair for each kind, `<kind>.txt` and `<kind>.html`, on `_base.txt` and `_base.html`. A mail
names the one thing to do first, then why, by when, where, and whom to ask. Its HTML carries its looks on the elements
themselves, because many mail programs drop style sheets; it sets no colours of paper or ink, so that a dark mailbox
stays dark; it loads nothing from anywhere, so nobody learns that it was opened. Hidden characters are spelled out.
"""

from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from governance.models import User
from governance.vocabulary.readable_text import shown


def compose(
    kind: str, *, to: User, subject: str, key: str, context: dict, leave: str = ""
) -> EmailMultiAlternatives:
    """A mail of this kind to a person, not sent yet.

    `key` names the mail for ever: a second try bears the same Message-ID, by which mail systems tell it is the same.
    `leave` is the address (a path) where a regular mail is unsubscribed from, without signing in (RFC 8058).
    """
    context = {"person": to, "address": settings.ADDRESS, **context}
    heads = {
        "Message-ID": f"<{key}@{urlsplit(settings.ADDRESS).hostname}>",
        "Auto-Submitted": "auto-generated",  # RFC 3834: nobody's absence note need answer it
    }
    if leave:
        context["leave"] = f"{settings.ADDRESS}{leave}"
        heads["List-Unsubscribe"] = f"<{context['leave']}>"
        heads["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail = EmailMultiAlternatives(
        subject=shown(" ".join(subject.split())),
        body=shown(render_to_string(f"emails/{kind}.txt", context)),
        to=[to.email],  # the address alone: a printed name beside it can only confuse mail systems
        headers=heads,
    )
    mail.attach_alternative(shown(render_to_string(f"emails/{kind}.html", context)), "text/html")
    return mail
