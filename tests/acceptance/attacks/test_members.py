"""What a member without any right on an initiative tried and did not get; numbers as in the table of
docs/threats.md.
"""

from datetime import timedelta

import pytest
from django.urls import reverse

from governance import clock
from governance.models import Entry
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.models import Initiative
from tests.support import factories
from tests.support.initiatives.initiative_pages import at

pytestmark = pytest.mark.django_db

TITLE = "Zanzibar reconciliation helper"


@pytest.fixture
def hidden(cast) -> Initiative:
    """A confidential initiative with a title found nowhere else."""
    initiative = factories.make_initiative(cast, title=TITLE)
    detail_actions.change_details(
        initiative=initiative, problem=initiative.problem, platform="", confidential=True, by=cast.owner
    )
    return initiative


@pytest.fixture
def stranger(cast, as_):
    """Somebody with an account and nothing else."""
    return as_(cast.outsider)


def test_18_a_hidden_initiative_is_not_there_however_its_reference_is_written(hidden, stranger):
    number = hidden.ref.removeprefix("AI-")
    arabic = "".join(chr(0x660 + int(figure)) for figure in number)
    wide = "".join(chr(0xFF10 + int(figure)) for figure in number)
    for written in (
        hidden.ref,
        hidden.ref.lower(),
        f"AI-{arabic}",
        f"AI-{wide}",
        f"AI-0{number}",
        f"AI-{int(number)}",
        f"{hidden.ref}%0a",
        f"{hidden.ref}%00",
        f"{hidden.ref} ",
        str(hidden.pk),
        f"AI-{number}.",
    ):
        for path in (
            f"/initiatives/{written}/",
            f"/initiatives/{written}/activity/",
            f"/initiatives/{written}/rename/",
        ):
            answer = stranger.get(path, follow=True)
            assert answer.status_code in (400, 404), path
            assert TITLE not in answer.content.decode()


def test_19_an_earlier_day_opens_no_closed_door(hidden, stranger):
    for day in (clock.today(), clock.today() - timedelta(days=1), "2020-01-01", "9999-12-31", "x"):
        for path in (
            at("initiative", hidden.ref),
            at("initiative-activity", hidden.ref),
            at("people", hidden.ref),
        ):
            assert stranger.get(path, {"as_of": day, "on": day}).status_code == 404


def test_20_what_others_hold_in_the_audit_log_is_not_handed_out(hidden, stranger):
    entries = list(Entry.objects.acts().filter(initiative_ref=hidden.ref))
    assert entries
    for entry in entries:
        for name in ("audit-log-receipt", "audit-log-receipt-file", "audit-entry"):
            assert stranger.get(reverse(name, args=[entry.pk])).status_code in (403, 404), name


@pytest.mark.parametrize(
    "name", ["search", "portfolio", "systems", "vendors", "lessons-all", "glossary", "inbox", "reviews"]
)
def test_21_no_list_names_a_hidden_initiative(hidden, stranger, name):
    for asked in ({}, {"q": "Zanzibar"}, {"q": hidden.ref}, {"q": "reconciliation"}):
        page = stranger.get(reverse(name), asked).content.decode()
        assert TITLE not in page
        assert f"/initiatives/{hidden.ref}" not in page


def test_21_no_export_names_a_hidden_initiative(hidden, stranger):
    answer = stranger.get(reverse("portfolio-export"))
    assert TITLE not in b"".join(answer.streaming_content).decode()


def test_22_registering_takes_no_field_that_is_not_asked(cast, stranger):
    fields = {"title": "A plain idea", "unit": cast.unit.pk, "problem": "Slow.", "owner": cast.outsider.pk}
    forged = {
        "stage": "production",
        "tier": "minimal",
        "number": 1,
        "registered_by": cast.owner.pk,
        "supported": "mvp",
    }
    answer = stranger.post(reverse("register"), fields | forged)
    initiative = Initiative.objects.filter(title="A plain idea").first()
    assert initiative is not None, answer.content.decode()[:2000]
    assert (initiative.stage, initiative.registered_by_id) == ("proposed", cast.outsider.pk)
    assert initiative.number != 1
    assert initiative.tier != "minimal"


@pytest.mark.parametrize(
    "title",
    [
        "<script>alert(1)</script>",
        "{{ 7*7 }}{% debug %}",
        "\u202eevil",
        '" onmouseover="alert(1)',
        "[x](javascript:alert(1))",
        "x" * 300,
    ],
)
def test_23_a_title_acts_nowhere(cast, as_, title):
    client = as_(cast.owner)
    fields = {"title": title, "unit": cast.unit.pk, "problem": title, "owner": cast.owner.pk}
    client.post(reverse("register"), fields)
    for initiative in Initiative.objects.filter(registered_by=cast.owner):
        page = client.get(at("initiative", initiative.ref)).content.decode()
        assert "<script>alert" not in page
        assert 'onmouseover="alert' not in page
        assert 'href="javascript:' not in page
        assert ">49" not in page


@pytest.mark.parametrize("name", ["portfolio", "search", "lessons-all", "systems", "rulebook", "help"])
def test_24_nothing_that_is_asked_runs(stranger, name):
    script = '"><script>alert(1)</script>'
    for key in ("q", "approved_stage", "unit", "page", "sort", "year"):
        page = stranger.get(reverse(name), {key: script}, follow=True).content.decode()
        assert "<script>alert(1)" not in page


@pytest.mark.parametrize("who", ["owner", "outsider"])
def test_31_the_admin_site_is_for_admins(cast, as_, who):
    client = as_(getattr(cast, who))
    for path in ("/admin/", "/admin/governance/user/", "/admin/initiatives/initiative/"):
        assert client.get(path).status_code == 302
        assert client.post(path, {"action": "delete_selected"}).status_code == 302
