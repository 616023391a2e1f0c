"""An installation with nothing but its first admin: every page opens or says why not, every task ends."""

import pytest
from celery import current_app
from django.conf import settings
from django.urls import NoReverseMatch, reverse

from governance import clock
from governance.models import TaskRun
from governance.organisation import actions as organisation_actions
from governance.permission_result import Refused
from initiatives.models import Initiative
from initiatives.portfolio.registration import actions as registration_actions
from tests.support import factories
from tests.support.web.access_table import TABLE

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin():
    return factories.make_person("root", is_admin=True)


def test_no_page_breaks_where_there_is_nothing(admin, as_):
    both = factories.make_person("reader", is_auditor=True), factories.make_person("somebody")
    broken, opened = [], 0
    for person in (admin, *both):
        client = as_(person)
        client.raise_request_exception = False
        for name in TABLE:
            try:
                address = reverse(name)
            except NoReverseMatch:
                continue  # of an initiative, and there is none
            status = client.get(address).status_code
            opened += status == 200
            if status >= 500:
                broken.append(f"{person.login}: {address} {status}")
    assert broken == []
    assert opened > 50


def test_a_initiative_waits_for_a_rulebook_and_says_so(admin, as_):
    client = as_(admin)
    unit = organisation_actions.add_unit(name="Sales", code="sales", by=admin)
    page = client.get("/initiatives/register/")
    assert page.status_code == 403
    assert "No rulebook is in force yet" in page.content.decode()
    assert 'href="/rulebook/versions/"' in page.content.decode()
    sent = {"title": "First", "unit": unit.pk, "problem": "Something.", "owner": admin.pk}
    assert client.post("/initiatives/register/", sent).status_code == 403
    with pytest.raises(Refused, match="No rulebook"):
        registration_actions.register(title="First", unit=unit, problem="Something.", owner=admin, by=admin)
    assert not Initiative.objects.exists()


def test_no_task_fails_where_there_is_nothing(admin):
    current_app.loader.import_default_modules()
    for task in sorted({entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}):
        with clock.simulated(clock.now()):
            current_app.tasks[task].apply(throw=True)
        assert not TaskRun.objects.exclude(reason="").exists()
