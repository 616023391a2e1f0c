"""Messages to receivers: thin bodies, and the headers of Standard Webhooks 1.0.0.

A message names an event and the page that has it. It has no name of a person and no text that a person
wrote, but the title of an initiative that is not confidential. Reading the rest is an access by a person or a key, as
any other. Bodies are made anew at each attempt, so a title that became confidential is not sent later.
"""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from governance.contributions import EventSubject, contributed
from governance.events.event_types import OBLIGATION_DUE
from governance.models import EventDelivery, EventReceiver

SECRET_BYTES = 32
SECRET, PUBLIC = "whsec_", "whpk_"  # the prefixes that the specification gives them


def subjects(refs: set[str]) -> dict[str, EventSubject]:
    """Return what may be said about the initiatives with these references, by reference."""
    found: dict[str, EventSubject] = {}
    for describe in contributed.event_subjects:
        found |= describe(refs - {""})
    return found


def body_of(row: EventDelivery, kind: str, subject: EventSubject | None) -> bytes:
    """Return the body of a delivery for a receiver of this kind. `subject` is None for an event without initiative."""
    link = f"{settings.ADDRESS}{subject.link if subject else '/'}"
    title = subject.title if subject else ""
    if kind == EventReceiver.Kind.TEAMS:
        return _json(_teams(_headline(row), _about(row, title), link))
    if kind == EventReceiver.Kind.SLACK:
        return _json(_slack(_headline(row), _about(row, title), link))
    data: dict[str, Any] = {
        "ref": row.initiative_ref or None,
        "entry": row.entry_id,
        "act": row.act,
        "link": link,
    }
    if row.due_on is not None:
        data["due_on"] = row.due_on.isoformat()
    if title:
        data["title"] = title
    return _json({"type": row.event_type, "timestamp": _moment(row.happened_at), "data": data})


def headers_of(
    row: EventDelivery, receiver: EventReceiver, key: bytes, body: bytes, at: datetime
) -> dict[str, str]:
    """Return the headers of a message that is sent at this moment. One to a chat is not signed."""
    if receiver.is_chat:
        return {"Content-Type": "application/json"}
    moment = str(int(at.timestamp()))
    return {
        "Content-Type": "application/json",
        "webhook-id": row.message_id,
        "webhook-timestamp": moment,
        "webhook-signature": signature(receiver.kind, key, row.message_id, moment, body),
    }


def signature(kind: str, key: bytes, message_id: str, moment: str, body: bytes) -> str:
    """Return the signature of a message: HMAC-SHA256 as `v1`, or Ed25519 as `v1a`."""
    signed = b".".join((message_id.encode(), moment.encode(), body))
    if kind == EventReceiver.Kind.ED25519:
        return f"v1a,{_base64(Ed25519PrivateKey.from_private_bytes(key).sign(signed))}"
    return f"v1,{_base64(hmac.new(key, signed, hashlib.sha256).digest())}"


def secret_words(key: bytes) -> str:
    """Return a shared secret as receivers enter it."""
    return f"{SECRET}{_base64(key)}"


def public_words(key: bytes) -> str:
    """Return the public key of a private one, as receivers enter it."""
    return f"{PUBLIC}{_base64(Ed25519PrivateKey.from_private_bytes(key).public_key().public_bytes_raw())}"


def _headline(row: EventDelivery) -> str:
    """Return what happened: the words of the entry's kind, as in the audit log."""
    if row.event_type == OBLIGATION_DUE:
        late = row.act.endswith("overdue")
        day = f" on {row.due_on:%-d %B %Y}" if row.due_on else ""
        return f"Obligation overdue, was due{day}" if late else f"Obligation due{day}"
    return f"{row.act[:1].upper()}{row.act[1:]}"


def _about(row: EventDelivery, title: str) -> str:
    return f"{row.initiative_ref} {title}".strip() or "Plumbline"


def _teams(headline: str, about: str, link: str) -> dict[str, Any]:
    """Return an Adaptive Card. A run of text is not Markdown, so a title cannot be a link."""
    runs = [
        {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, "weight": weight}]}
        for text, weight in ((headline, "Bolder"), (about, "Default"))
    ]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": runs,
        "actions": [{"type": "Action.OpenUrl", "title": "Open in Plumbline", "url": link}],
    }
    kind = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": kind, "contentUrl": None, "content": card}]}


def _slack(headline: str, about: str, link: str) -> dict[str, Any]:
    """Return blocks of Slack. Texts are plain, and only the link to this installation is in its markup."""
    plain = {"type": "plain_text", "emoji": False}
    fallback = f"{headline}: {about}".replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return {
        "text": fallback,
        "blocks": [
            {"type": "header", "text": plain | {"text": headline}},
            {"type": "section", "text": plain | {"text": about}},
            {"type": "section", "text": {"type": "mrkdwn", "text": f"<{link}|Open in Plumbline>"}},
        ],
    }


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()
