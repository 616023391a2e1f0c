"""Sessions, each with its person, its start, its browser and its last use.

The module is Django's session engine (SESSION_ENGINE) with added columns, so that a person's sessions can be listed
and ended without opening every session there is.
"""

import json
from base64 import b64decode, b64encode
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from governance import clock
from governance.audit_log import entries
from governance.database.row_history import acting
from governance.identity import ways_in
from governance.identity.providers import secret_box
from governance.identity.providers.denials import Denied
from governance.models import Entry, Session, User
from governance.notifications import preferences
from governance.permission_result import no
from governance.sign_in import account_notifications, throttling
from governance.vocabulary.entry_kinds import EntryKind

BOX = "session"
SINCE, SEEN, DEVICE = "since", "seen", "device"
PROVIDER, SUBJECT, PROVIDER_SESSION = "provider", "provider subject", "provider session"
ID_TOKEN = "id token"  # of the sign-in at the provider, by which it knows again whom to sign out
LEAVING = timedelta(minutes=10)  # for how long somebody who signed out here is offered to sign out there too
LANGUAGE = "language"
ENDS = "ends"  # when the provider says that the session ends, in ISO 8601
AHEAD = timedelta(minutes=5)  # by which the clocks of two hosts may differ
# A page is only looked at far more often than anybody wants to know when: not every look is a write.
SEEN_EVERY = timedelta(minutes=5)

# In this order: most browsers also name the ones they descend from.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("python", "a Python program"),
)
SYSTEMS = (
    ("iPhone", "an iPhone"),
    ("iPad", "an iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "a Mac"),
    ("Macintosh", "a Mac"),
    ("Linux", "Linux"),
)


class SessionStore(DatabaseStore):
    """Django's sessions in the database, with person, device and times in columns.

    The content of a session is encrypted: an ID token, the token of a password link, the secret of an app being
    enrolled. Readers of the database or of a backup cannot read it.
    """

    @classmethod
    def get_model_class(cls):
        """Return the model of the rows."""
        return Session

    def encode(self, session_dict: dict) -> str:
        """Return the content of a session as it is stored."""
        return b64encode(secret_box.closed(json.dumps(session_dict), BOX)).decode()

    def decode(self, session_data: bytes | str) -> dict:
        """Return the content of a stored session, empty if it or the secret key changed."""
        try:
            return json.loads(secret_box.opened(b64decode(session_data, validate=True), BOX))
        except (Denied, ValueError):
            return {}

    def create_model_instance(self, data):
        """Return the row of these data, with columns for what pages ask of a session."""
        row = super().create_model_instance(data)
        key = data.get(SESSION_KEY)
        row.person_id = User._meta.pk.to_python(key) if key else None
        row.started_at, row.seen_at = _moment(data.get(SINCE)), _moment(data.get(SEEN))
        row.device = data.get(DEVICE, "")
        row.provider_id = data.get(PROVIDER)
        row.provider_subject, row.provider_session = data.get(SUBJECT, ""), data.get(PROVIDER_SESSION, "")
        return row


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def still(at: str | None, lasts: timedelta) -> bool:
    """Return True if a moment that a session keeps is less than `lasts` ago.

    A moment in the future was written by a clock that was ahead, and counts for nothing.
    """
    return at is not None and -AHEAD <= clock.now() - datetime.fromisoformat(at) < lasts


def was_left(request) -> bool:
    """Return True if this session needs a new sign-in: it was idle too long, or is from the future."""
    idle = timedelta(minutes=settings.SESSION_IDLE_MINUTES) or timedelta.max
    spans = ((SINCE, timedelta.max), (SEEN, idle))
    return any(key in request.session and not still(request.session[key], span) for key, span in spans)


def tell_of_new_browser(request, person: User) -> None:
    """Notify the person of a sign-in with a browser that is new for half a year.

    This runs in the act of signing in, before its entry. The first sign-in ever sends no notification.
    """
    before = Entry.objects.filter(actor_id=person.pk, kind=EntryKind.SIGNED_IN)
    if throttling.known_as(request, person.login) or not before.exists():
        return
    account_notifications.tell(
        person,
        f"browser:{person.pk}",
        subject="You signed in with a new browser",
        text=f"{device_words(request.META.get('HTTP_USER_AGENT', ''))}, from {throttling.address_of(request)}, at "
        f"{clock.moment_in_words(clock.now())}. If that was not you, sign that browser out under Your account, "
        "change your password, and tell an admin.",
    )


def seen(request) -> None:
    """Note in the session that its person is active, at most every few minutes."""
    now, last = clock.now(), _moment(request.session.get(SEEN))
    if last is not None and last <= now < last + SEEN_EVERY:
        return
    if SINCE not in request.session:
        request.session[SINCE] = now.isoformat()
        keep_language(request, preferences.language_of(request.session.get(SESSION_KEY)))
        # From signing in, whatever is saved in it later: a session that is used all day ends all the same.
        latest = now + timedelta(seconds=settings.SESSION_COOKIE_AGE)
        request.session.set_expiry(min(filter(None, (latest, _moment(request.session.get(ENDS))))))
    request.session[SEEN] = now.isoformat()
    request.session[DEVICE] = device_words(request.META.get("HTTP_USER_AGENT", ""))


def keep_language(request, chosen: str) -> None:
    """Keep the language that the person chose in their session, where each request finds it without a query."""
    request.session[LANGUAGE] = chosen


def language(request) -> str:
    """Return the language that the person of this request chose; empty if they chose none."""
    return request.session.get(LANGUAGE, "")


def device_words(agent: str) -> str:
    """Return a browser's description in fixed words, such as "Firefox on Windows"."""
    browser = next((words for mark, words in BROWSERS if mark in agent), "")
    system = next((words for mark, words in SYSTEMS if mark in agent), "")
    if not browser:
        return f"a browser on {system}" if system else "an unknown browser"
    return f"{browser} on {system}" if system else browser


def of(person: User) -> list[Session]:
    """Return the person's present sessions, last seen first."""
    rows = Session.objects.filter(person=person, expire_date__gt=clock.now())
    return list(rows.order_by("-seen_at", "-expire_date"))


def sign_out(
    *, person: User, mark: str | None = None, but: str | None = None, also: bool = False, by: User
) -> int:
    """End the session of the person with this mark, or all but `but`. Return the number ended.

    Without a mark, `also` ends what programs read by. People end their sessions, and admins those of everyone. Raises
    Refused.
    """
    own = by.pk == person.pk
    act = EntryKind.SIGNED_OUT_ELSEWHERE if own else EntryKind.SIGNED_OUT_BY_AN_ADMIN
    with acting(by=by, reason="Signed out"):
        if not own and not (by.is_active and by.is_admin):
            no("Only admins can sign someone else out.", "Ask an admin.").or_refuse()
        rows = Session.objects.filter(person=person).exclude(session_key=but or "")
        if mark is None:
            count = rows.count()
            ways_in.take(person, act, by=by, reason="Signed out everywhere", keep=but, also=also)
        else:
            row = next((row for row in rows if row.mark == mark), None)
            count = row.delete()[0] if row else 0
        if count:
            entries.record(
                act,
                person=person.full_name,
                person_id=person.pk,
                sessions=count,
            )
    return count


def open_to_all(view):
    """Mark a view as open without signing in. The middleware checks the mark."""
    view.open_to_all = True
    return view
