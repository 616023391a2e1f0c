"""Every form, every part of an address, every filter and every importer under generated input.

Whatever is sent: no page breaks, what was refused left nothing behind, and nothing typed comes back unescaped. Few
examples in the suite; thousands with `--rounds 500`.
"""

import contextlib
import random
import re
from urllib.parse import quote, urlencode

import pytest
from django import forms
from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test import Client
from django.urls import NoReverseMatch, get_resolver, reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance import clock
from governance.history import acting
from governance.models import Entry
from initiatives import actions
from initiatives.actions.holds import owe
from initiatives.importing.code_pages import CodePageUnsure
from initiatives.importing.reading import read_table
from tests import factories, generated
from tests.generated import UNESCAPED, forms_of
from tests.test_access import TABLE, address, world  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db

FULL = 100  # rounds from which every page is looked at, not a part of them
CLOSED = ("sign-out", "healthz", "readyz", "evidence-content", "evidence-file")
ADMIN = [
    f"admin:governance_{model}_{page}"
    for model in ("user", "unit", "board", "membership")
    for page in ("add", "changelist")
]
# Forms that no page of the walk shows, and why.
NOT_WALKED = {
    "governance.styleguide.SampleForm": "the style guide's, shown in debug only",
    "governance.styleguide.ReasonForm": "likewise",
    "initiatives.forms.moves.ContinueForm": "shown when a trial is past its greatest age: its own tests send it",
    "governance.account_forms.FirstAdminForm": "shown before anybody is there: tests/governance/test_account.py",
    "initiatives.forms.evidence.CaptureForm": "holds no field",
}


class Back(Exception):
    """Ends an example: what it did is taken back."""


@contextlib.contextmanager
def taken_back():
    """Whatever happens inside is undone, after everything that COMMIT would check has been checked."""
    with contextlib.suppress(Back), transaction.atomic():
        yield
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        raise Back


def examples(rounds: int, of: int):
    """So many examples: `of` in the suite, thousands at full length."""
    return settings(
        max_examples=of if rounds < FULL else rounds * 6,
        deadline=None,
        database=None,
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
    ("role-decline", "", "second_admin"),
    ("role", "", "second_admin"),
]


def doors(world) -> list[tuple[str, str]]:  # noqa: F811
    """Every address with somebody who opens it, the pages of the admin on which something is typed among them."""
    found = [
        (address(name, world), row.opens[0])
        for name, row in TABLE.items()
        if row.opens and name not in CLOSED
    ]
    found += [(address(name, world) + query, who) for name, query, who in MORE]
    found += [(reverse(name), "admin") for name in ADMIN]
    for pattern in (
        get_resolver().reverse_dict,
        *(resolver.reverse_dict for _, resolver in get_resolver().namespace_dict.values()),
    ):
        for name in pattern:
            if (
                isinstance(name, str)
                and re.match(r"governance_(user|unit|membership)_", name)
                and name not in ADMIN
            ):
                model = apps.get_model("governance", name.split("_")[1])
                with contextlib.suppress(NoReverseMatch):
                    found.append((reverse(f"admin:{name}", args=[model.objects.latest("pk").pk]), "admin"))
    return found


def in_other_states(cast) -> list[tuple[str, str]]:
    """Pages whose form needs a case in another state, with somebody who opens each."""
    idea = factories.make_case(cast, title="Only an idea")
    prototype = factories.make_prototype(cast, title="A prototype")
    production = factories.make_production(cast, title="In production")
    batch = actions.upload_batch(
        content=b"Name,Phase,Owner\nCrater finder,Trial,Somebody\n",
        file_name="own.csv",
        source="acme",
        organisation="Acme",
        by=cast.admin,
    )
    with acting(system="test", reason="Other states"):
        debt = owe(
            production,
            "criterion",
            source="production.mvp_proof:test",
            text="Owed",
            due=clock.today(),
            debtor=cast.owner,
        )
    return [
        (reverse("case-withdraw", args=[idea.ref]), "owner"),
        (reverse("declaration", args=[prototype.ref]), "owner"),
        (reverse("case-reattest", args=[production.ref]), "chair"),
        (reverse("import", args=[batch.pk]), "admin"),
        (reverse("obligation-settle", args=[debt.pk]), "owner"),
    ]


@pytest.fixture
def pages(world, people, rounds, cast):  # noqa: F811
    """(address, person, its forms) for every page, or for a part of them in the suite; which part, chance says."""
    chosen = doors(world)
    if rounds >= FULL:
        chosen += in_other_states(cast)
    else:
        chosen = random.sample(chosen, 12)
    found = []
    for url, who in chosen:
        answer = people(who).get(url)
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            found.append((url, who, forms_of(url, answer.content.decode())))
    return found


def sound(answer, sent) -> None:
    """The answer is a page or a refusal, never a breakdown, and holds nothing of what was sent as markup."""
    assert answer.status_code < 500, sent
    if answer.headers.get("Content-Type", "").startswith("text/html") and not answer.streaming:
        assert not UNESCAPED.search(answer.content.decode()), sent
    for name, value in answer.headers.items():
        assert "\n" not in value, (name, sent)


def rows_changed() -> int:
    """How many changes of rows the record holds."""
    return Entry.objects.exclude(table="").count()


def test_forms_take_what_fits_and_refuse_the_rest(pages, people, rounds):
    known = [(url, who, form) for url, who, found in pages for form in found if form.method == "post"]
    assert known

    @examples(rounds, of=16)
    @given(st.data())
    def send(data):
        _, who, form = data.draw(st.sampled_from(known))
        values = data.draw(generated.values_for(form))
        for name in form.files:
            if data.draw(st.booleans()):
                file = SimpleUploadedFile("x", data.draw(generated.contents))
                file._name = data.draw(generated.names).replace("\r", "").replace("\n", "") or "x"
                values[name] = [file]
        with taken_back():
            before = rows_changed()
            answer = people(who).post(form.action, values)
            sound(answer, (form.action, who, values))
            if answer.status_code != 302 and not answer.headers.get("HX-Trigger"):
                assert rows_changed() == before, ("half saved", form.action, who, values)

    send()


def test_filters_ignore_what_they_do_not_know(pages, people, rounds):
    asked = set(generated.names_asked_for())
    for _, _, found in pages:
        asked |= {name for form in found if form.method == "get" for name in form.fields}
    asked = sorted(asked)

    @examples(rounds, of=10)
    @given(st.data())
    def ask(data):
        url, who, _ = data.draw(st.sampled_from(pages))
        pairs = data.draw(
            st.lists(st.tuples(st.sampled_from(asked), generated.words), min_size=1, max_size=4)
        )
        query = urlencode(pairs)
        if data.draw(st.booleans()):
            query += "&" + quote(data.draw(st.binary(max_size=8)), safe="=&")
        with taken_back():
            before = rows_changed()
            answer = people(who).get(f"{url.partition('?')[0]}?{query}")
            sound(answer, (url, who, pairs))
            assert rows_changed() == before, ("changed by looking", url, who, pairs)

    ask()


def test_addresses_lead_somewhere_or_nowhere(people, cast, rounds):
    patterns, ref = [], factories.make_case(cast).ref
    for name in TABLE:
        pattern, wanted = next(iter(get_resolver().reverse_dict.getlist(name)))[0][0]
        if wanted:
            patterns.append((name, pattern, wanted))

    @examples(rounds, of=14)
    @given(st.data())
    def walk(data):
        _, pattern, wanted = data.draw(st.sampled_from(patterns))
        who = data.draw(st.sampled_from(["owner", "chair", "admin", "auditor", "outsider"]))
        given_parts = {}
        for part in wanted:
            kept = part == "ref" and data.draw(st.booleans())
            given_parts[part] = ref if kept else quote(data.draw(generated.parts), safe="")
        url = "/" + pattern % given_parts
        with taken_back():
            sound(people(who).get(url), (url, who))
            sound(people(who).post(url, {}), (url, who))

    walk()


def test_the_importer_reads_a_table_or_says_what_is_wrong(rounds):
    @examples(rounds, of=60)
    @given(generated.contents, st.sampled_from(["", "utf-8", "cp1252", "utf-16", "junk"]))
    def read(content, encoding):
        try:
            table = read_table(content, encoding=encoding)
        except (ValidationError, CodePageUnsure):
            return
        assert table.columns

    read()


def all_forms(of=forms.BaseForm) -> set[type]:
    """Every form class of ours."""
    found = set()
    for one in of.__subclasses__():
        found |= {one} if one.__module__.split(".")[0] in ("governance", "initiatives", "adoption") else set()
        found |= all_forms(one)
    return found


@pytest.fixture
def at_full_length(rounds):
    """Skips where only a part of the pages is looked at, before anything is built."""
    if rounds < FULL:
        pytest.skip("every page is opened at full length only")


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
