"""Every form, every part of an address, every filter and every importer under generated input.

Whatever is sent: no page breaks, what was refused left nothing behind, and nothing typed comes back unescaped. Few
examples in the suite; thousands with `--rounds 500`.
"""

import contextlib
import json
import random
import re
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from django import forms
from django.apps import apps
from django.conf import settings as of_django
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, models, transaction
from django.test import Client
from django.urls import NoReverseMatch, get_resolver, reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance import clock
from governance.audit_log import row_capture
from governance.database.row_history import acting
from governance.models import User, rulebook
from governance.offline.verify import Rejected, check_receipt, parse_note
from governance.organisation import people_import
from governance.rulebook import RulebookErrors, parse
from governance.sign_in import first_admin
from governance.tables.encodings import CodePageUnsure
from governance.tables.reader import read_table
from governance.transparency_log.timestamping import NotStamped, token_of
from initiatives.lifecycle.holds.actions import open_obligation
from initiatives.portfolio.imports.inventories import actions as inventory_actions
from tests.acceptance.pages.test_access import address, address_name, world  # noqa: F401 - a fixture
from tests.support import factories
from tests.support.attacks.unguarded_writes import unguarded
from tests.support.input import generated_input
from tests.support.input.generated_input import UNESCAPED, forms_of, looked_up
from tests.support.web.access_table import CAST, TABLE

pytestmark = pytest.mark.django_db

FULL = 100  # rounds from which every page is looked at, not a part of them
CLOSED = ("sign-out", "healthz", "readyz", "evidence-content", "evidence-file", "logout")
# Forms that no page of the walk shows, and why.
NOT_WALKED = {
    "initiatives.lifecycle.stages.forms.ContinueForm": "shown when a trial is past its greatest age: "
    "its own tests send it",
    "initiatives.portfolio.efforts.forms.EffortMappingForm": "shown once a table was sent: its own tests send it",
}


class Back(Exception):
    """Ends an example: what it did is taken back."""


# What a request that is refused, or only looks, may leave behind outside of the audit log's rows.
LEFT_BEHIND = {
    "governance_entry": "the refusal itself",
    "governance_entrybody": "likewise",
    "governance_session": "when somebody was there last",
    "governance_signinattempt": "how often somebody tried",
    "governance_keyattempt": "how often an address came with a wrong key",
    "initiatives_initiativevisit": "what somebody has seen",
    "initiatives_reviewvisit": "likewise",
    "initiatives_answerdraft": "what was typed is not lost",
    "initiatives_approvalopening": "when somebody opened what they are asked to approve",
}
# Where the answer itself is what was made: an address that is a key, a key, a pack whose taking is recorded, the links
# of a survey.
SHOWN_AT_ONCE = re.compile(
    r"/settings/calendar/|/initiatives/[^/]+/do/make-key/|/rows/(keys/\d+/rotate|directories/\d+/renew)/|/meetings/\d+/pack/|/surveys/\d+/(open|links)/"
    r"|/reports/[^/]+/\d+/ask/"
)


def kept() -> tuple:
    """All that must be the same after a request that changed nothing: changes of rows, rows beside them, files."""
    captured = {model._meta.db_table for model in row_capture.captured_models()}
    beside = {model._meta.db_table for model in apps.get_models()} - captured - set(LEFT_BEHIND)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM governance_entry WHERE \"table\" <> ''), "
            + ", ".join(
                f"(SELECT '{table} ' || count(*) || coalesce(sum(hashtext(t::text)), 0) FROM {table} t)"
                for table in sorted(beside)
            )
        )
        return *cursor.fetchone(), *sorted(files())


def files() -> set[Path]:
    """Every file that lies among the uploads, but for tables that wait between two pages of their import."""
    waiting = of_django.MEDIA_ROOT / "efforts"
    return {
        path
        for path in of_django.MEDIA_ROOT.rglob("*")
        if path.is_file() and not path.is_relative_to(waiting)
    }


@contextlib.contextmanager
def taken_back():
    """Whatever happens inside is undone, after everything that COMMIT would check has been checked."""
    there = files()
    try:
        with contextlib.suppress(Back), transaction.atomic():
            yield
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            raise Back
    finally:
        for path in files() - there:
            path.unlink()


def examples(rounds: int, of: int):
    """So many examples: `of` in the suite, thousands at full length."""
    return settings(
        max_examples=of if rounds < FULL else rounds * 6,
        deadline=None,
        database=None,
        derandomize=rounds < FULL,  # the suite draws the same each time; the drills draw anew
        suppress_health_check=list(HealthCheck),
    )


@pytest.fixture
def people(cast):
    """A client for each of the cast, signed in; errors of the server become pages, as they do for people."""
    clients = {}

    def as_(who: str) -> Client:
        if who not in clients:
            clients[who] = Client(raise_request_exception=False)
            if who != "nobody":
                clients[who].force_login(getattr(cast, who))
        return clients[who]

    return as_


# Pages that show their form only when asked for in a way, or to somebody in particular.
MORE = [
    ("sign-in", "", "nobody"),
    ("evidence-add", "?kind=document", "owner"),
    ("review-decide", "?outcome=approved_with_conditions", "chair"),
    ("review-decide", "?outcome=refused", "chair"),
    ("roles/decline", "", "second_admin"),
    ("roles/accept", "", "second_admin"),
]


def doors(world) -> list[tuple[str, str]]:  # noqa: F811
    """Every address with somebody who opens it, the pages of the admin on which something is typed among them."""
    found = [
        (address(name, world), row.opens[0])
        for name, row in TABLE.items()
        if row.opens and name not in CLOSED
    ]
    found += [(address(name, world) + query, who) for name, query, who in MORE]
    for name in get_resolver().namespace_dict["admin"][1].reverse_dict:
        if isinstance(name, str) and name not in CLOSED:
            found += [(url, "admin") for url in addresses_in_admin(name)]
    return found


def addresses_in_admin(name: str):
    """Where a page of the admin is found: one of no row, or of the newest."""
    with contextlib.suppress(NoReverseMatch):
        yield reverse(f"admin:{name}")
        return
    with contextlib.suppress(
        AttributeError, LookupError, NoReverseMatch
    ):  # names that Django made for no model of ours
        newest = apps.get_model(*name.split("_")[:2]).objects.order_by("pk").last()
        yield reverse(f"admin:{name}", args=[newest.pk if newest else 1])


def in_other_states(cast) -> list[tuple[str, str]]:
    """Pages whose form needs an initiative in another state, with somebody who opens each."""
    idea = factories.make_initiative(cast, title="Only an idea")
    prototype = factories.make_prototype(cast, title="A prototype")
    production = factories.make_production(cast, title="In production")
    batch = inventory_actions.upload_batch(
        content=b"Name,Phase,Owner\nCrater finder,Trial,Somebody\n",
        file_name="own.csv",
        source="acme",
        organisation="Acme",
        by=cast.admin,
    )
    with unguarded("initiatives_condition"), acting(system="test", reason="Other states"):
        obligation = open_obligation(
            production,
            "criterion",
            source="production.mvp_goals:test",
            text="Due",
            due=clock.today(),
            responsible=cast.owner,
        )
    return [
        (first_admin.link().removeprefix(of_django.ADDRESS), "nobody"),
        (reverse("initiative-act", args=[idea.ref, "withdraw"]), "owner"),
        (reverse("declaration", args=[prototype.ref]), "owner"),
        (reverse("initiative-act", args=[production.ref, "confirm-production"]), "chair"),
        (reverse("import", args=[batch.pk]), "admin"),
        (reverse("row-act", args=["obligations", obligation.pk, "complete"]), "owner"),
    ]


@pytest.fixture
def pages(world, people, rounds, cast, monkeypatch):  # noqa: F811
    """(address, person, its forms, names it looks up) for every page, or for a part of them in the suite; which part,
    chance says.
    """
    chosen = doors(world)
    if rounds >= FULL:
        chosen += in_other_states(cast)
        monkeypatch.setattr(first_admin, "missing", lambda: True)  # so that its form is shown
    else:
        chosen = random.sample(chosen, 12)
    return [read_page(people, url, who) for url, who in chosen]


def read_page(people, url: str, who: str) -> tuple[str, str, list, set[str]]:
    """(address, person, its forms, names it looks up) of one page, which somebody opens."""
    with looked_up() as names:
        answer = people(who).get(url)
    sound(answer, url)
    shown = answer.headers.get("Content-Type", "").startswith("text/html")
    there = forms_of(url, answer.content.decode()) if shown else []
    names |= {name for form in there if form.method == "get" for name in form.fields}
    return url, who, there, names | {"as_of", "page", "next"}


def sound(answer, sent) -> None:
    """The answer is a page or a refusal, never a breakdown, and holds nothing of what was sent as markup."""
    assert answer.status_code < 500, sent
    if answer.headers.get("Content-Type", "").startswith("text/html") and not answer.streaming:
        assert not UNESCAPED.search(answer.content.decode()), sent
    elif answer.streaming:
        assert b"".join(answer.streaming_content) is not None
    for name, value in answer.headers.items():
        assert "\n" not in value, (name, sent)


HEADERS = [
    *("HX-Request", "HX-Target", "HX-Current-URL", "Accept", "Accept-Language", "Accept-Encoding", "Cookie"),
    *("If-None-Match", "If-Modified-Since", "Range", "Referer", "Origin", "User-Agent", "X-Forwarded-For"),
    *("X-Request-Id", "Host"),
]
TYPES = [
    *("application/json", "multipart/form-data", "multipart/form-data; boundary=x", "text/plain", "junk"),
    *("application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=junk"),
]
odd_headers = st.dictionaries(
    st.sampled_from(HEADERS),
    generated_input.words.map(lambda text: text.encode()[:200].decode("latin-1")),
    max_size=3,
)


class Requests:
    """Requests of three kinds, drawn one by one, each judged and taken back."""

    def __init__(self, world, pages, people):  # noqa: F811
        self.world, self.pages, self.people = world, pages, people
        self.forms = [(who, form) for _, who, found, _ in pages for form in found]
        self.patterns = []
        for name in TABLE:
            pattern, wanted = next(iter(get_resolver().reverse_dict.getlist(address_name(name))))[0][0]
            self.patterns.append((name, pattern, wanted))

    def form(self, data) -> None:
        """A form that a page shows, filled in by somebody who sees it."""
        who, form = data.draw(st.sampled_from(self.forms))
        values = data.draw(generated_input.values_for(form))
        for name in form.files:
            if data.draw(st.booleans()):
                file = SimpleUploadedFile("x", data.draw(generated_input.contents))
                file._name = data.draw(generated_input.names).replace("\r", "").replace("\n", "") or "x"
                values[name] = [file]
        self.send(self.people(who), form.method, form.action, values, who)

    def filter(self, data) -> None:
        """A page, asked with names that it looks up."""
        url, who, _, names = data.draw(st.sampled_from(self.pages))
        pairs = data.draw(
            st.lists(st.tuples(st.sampled_from(sorted(names)), generated_input.words), min_size=1, max_size=4)
        )
        query = urlencode(pairs)
        if data.draw(st.booleans()):
            query += "&" + quote(data.draw(st.binary(max_size=8)), safe="=&")
        self.send(self.people(who), "get", f"{url.partition('?')[0]}?{query}", {}, (who, pairs))

    def address(self, data) -> None:
        """Any address, with parts that lead somewhere or not, in any method, with any fields, body and headers."""
        name, pattern, wanted = data.draw(st.sampled_from(self.patterns))
        who = data.draw(st.sampled_from((*TABLE[name].opens, *CAST, "nobody")))
        right = address(name, self.world)
        odd = {part: quote(data.draw(generated_input.parts), safe="") for part in wanted}
        url = "/" + pattern % odd if wanted and data.draw(st.booleans()) else right
        client = self.people(who)
        method = data.draw(st.sampled_from(["get", "post", "post", "post", "body", "head", "options", "put"]))
        headers, sent = data.draw(odd_headers), {}
        if method == "post":
            with taken_back(), looked_up() as names:
                sound(client.post(url), (url, who))
            sent = data.draw(generated_input.values_of(names))
        if method == "body":
            sent = {"content": data.draw(generated_input.contents), "type": data.draw(st.sampled_from(TYPES))}
        self.send(client, method, url, sent, (who, headers), headers=headers)

    def send(self, client, method, url, values, said, **options) -> None:
        """Send it; what comes back is sound, and so is where it leads to; a refusal leaves nothing behind."""
        said = (method, url, values, said)
        with taken_back():
            before = kept()
            if method == "body":
                answer = client.generic("POST", url, values["content"], values["type"], **options)
            else:
                answer = (
                    getattr(client, method)(url, values, **options)
                    if values
                    else getattr(client, method)(url, **options)
                )
            sound(answer, said)
            if answer.status_code == 302:
                if answer.headers["Location"].startswith("/"):
                    sound(client.get(answer.headers["Location"]), said)
            elif method != "get" and (answer.headers.get("HX-Trigger") or SHOWN_AT_ONCE.fullmatch(url)):
                pass
            else:
                assert kept() == before, ("changed something", said)


def test_whatever_is_sent_is_answered_and_a_refusal_leaves_nothing(world, pages, people, rounds):  # noqa: F811
    requests = Requests(world, pages, people)

    def send(kind, of: int) -> None:
        examples(rounds, of)(given(st.data())(lambda data: kind(data)))()

    send(requests.form, of=16)
    send(requests.filter, of=10)
    send(requests.address, of=14)


def as_text(content: bytes) -> str:
    """The content as somebody would paste it."""
    return content.decode("utf-8", "replace")


# Whatever reads what came from outside: how it is called, and how it says what is wrong.
READERS = {
    "an inventory": (
        lambda content, page: read_table(content, encoding=page).columns,
        (ValidationError, CodePageUnsure),
    ),
    "people": (
        lambda content, page: people_import.read(read_table(content, encoding=page), by=User()),
        (ValidationError, CodePageUnsure),
    ),
    "a rulebook": (lambda content, _: parse(as_text(content)), RulebookErrors),
    "a receipt": (lambda content, _: check_receipt(content), Rejected),
    "a checkpoint": (lambda content, _: parse_note(as_text(content)), Rejected),
    "a time stamp": (lambda content, _: token_of(content), NotStamped),
}


def test_importers_read_what_came_or_say_what_is_wrong(rounds):
    @examples(rounds, of=60)
    @given(
        generated_input.contents,
        st.sampled_from(["", "utf-8", "cp1252", "utf-16", "junk"]),
        st.sampled_from(sorted(READERS)),
    )
    def read(content, code_page, kind):
        reader, wrong = READERS[kind]
        with contextlib.suppress(wrong):
            assert reader(content, code_page)

    read()


def all_forms() -> set[type]:
    """Every form class of ours."""
    assert get_resolver().url_patterns  # which loads every view, and with it every form
    found, below = set(), [forms.BaseForm]
    while below:
        below += (one := below.pop()).__subclasses__()
        found |= {one} if one.__module__.split(".")[0] in ("governance", "initiatives", "adoption") else set()
    return found


@pytest.fixture
def at_full_length(rounds, monkeypatch):
    """Skips where only a part of the pages is looked at, before anything is built."""
    if rounds < FULL:
        pytest.skip("every page is opened at full length only")
    monkeypatch.setattr(first_admin, "missing", lambda: True)


# Columns of text that nobody's words stand in.
NO_WORDS = {
    *("governance_unit.path", "governance_user.password", "governance_session.session_data"),
    *("governance_rulebook.source", "governance_taskrun.name", "initiatives_evidence.content_type"),
    *("governance_checkpoint.note", "governance_checkpoint.origin", "governance_notification.link"),
    *(
        "governance_identityprovider.scopes",
        "initiatives_rulebookdraft.source",
        "initiatives_forecast.source",
    ),
}


def marked(value):
    """The same value with something that would act in front of every sentence in it."""
    if isinstance(value, dict):
        return {key: marked(one) for key, one in value.items()}
    if isinstance(value, list):
        return [marked(one) for one in value]
    return generated_input.MARK + value if isinstance(value, str) and " " in value else value


def mark_every_text() -> int:
    """Put something that would act in front of every text in the database, history and audit log too; in how many
    columns.

    As the owner of the tables and past every guard: what stands there is none of a page's business.
    """
    done = 0
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")  # no trigger
        for model in apps.get_models():
            table = model._meta.db_table
            for field in model._meta.concrete_fields:
                name = f"{table.replace('_historical', '_')}.{field.column}"
                if isinstance(field, models.JSONField):
                    cursor.execute(f'SELECT id, "{field.column}" FROM {table}')
                    rows = [
                        (json.dumps(marked(json.loads(value))), key)
                        for key, value in cursor.fetchall()
                        if value
                    ]
                    cursor.executemany(f'UPDATE {table} SET "{field.column}" = %s WHERE id = %s', rows)
                elif isinstance(field, models.TextField) or (field.max_length or 0) >= 120:
                    if (
                        field.choices
                        or name in NO_WORDS
                        or isinstance(field, models.BinaryField | models.FileField)
                    ):
                        continue
                    cursor.execute(
                        f'UPDATE {table} SET "{field.column}" = left(%s || "{field.column}", %s)'
                        f" WHERE \"{field.column}\" <> ''",
                        [generated_input.MARK, field.max_length or 10**6],
                    )
                    done += 1
        cursor.execute("SELECT entry_id, body FROM governance_entrybody WHERE body IS NOT NULL")
        bodies = [
            (json.dumps(marked(json.loads(bytes(body)))).encode(), key) for key, body in cursor.fetchall()
        ]
        cursor.executemany("UPDATE governance_entrybody SET body = %s WHERE entry_id = %s", bodies)
        cursor.execute("SET LOCAL session_replication_role = origin")
    return done


def test_nothing_that_was_ever_written_acts_in_a_page(at_full_length, world, people, cast):  # noqa: F811
    pages = doors(world) + in_other_states(cast)
    assert mark_every_text() > 100
    rulebook._published.cache_clear()
    wrong, shown = [], 0
    for url, who in pages:
        answer = people(who).get(url)
        try:
            sound(answer, (url, who))
        except AssertionError:
            wrong.append(f"{who} at {url}: {answer.status_code}")
        if answer.status_code == 200 and not answer.streaming:
            shown += b"onerror=plumbline" in answer.content
    assert not wrong, "\n".join(wrong)
    assert shown > len(pages) / 3, "the marks are shown, escaped"


def test_every_form_is_shown_by_a_page_that_is_walked(at_full_length, world, people, cast, monkeypatch):  # noqa: F811
    """The walk reads forms off pages, so a form that no page shows would be missed."""
    made, build = set(), forms.BaseForm.__init__

    def remember(self, *args, **options):
        made.update(type(self).__mro__)
        build(self, *args, **options)

    monkeypatch.setattr(forms.BaseForm, "__init__", remember)
    for url, who in doors(world) + in_other_states(cast):
        people(who).get(url)
    missed = {f"{form.__module__}.{form.__name__}" for form in all_forms() - made} - set(NOT_WALKED)
    assert not missed, "\n".join(sorted(missed))
