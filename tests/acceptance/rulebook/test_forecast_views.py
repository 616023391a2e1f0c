"""The pages of what a rulebook would do: asked, worked out, read, filtered, taken as a file, and said to be old."""

import csv
import io

import pyotp
import pytest

from governance import clock
from governance.identity.factors import codes
from governance.models import Entry, Notification, Rulebook
from governance.organisation import actions as organisation_actions
from governance.permission_result import Conflict, Refused
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.models import Forecast, Obligation, Review
from initiatives.portfolio.rulebook_changes import (
    draft_actions,
    forecast_actions,
    publication,
)
from tests.support import factories
from tests.support.database import snapshots
from tests.support.initiatives.initiative_pages import SIGNED
from tests.support.initiatives.open_reviews import signed_off
from tests.support.rules.rulebook_editing import read, with_values
from tests.support.web import query_counts

pytestmark = pytest.mark.django_db
# An MVP has an attestation for it, and no drill.
STRICTER = {("requirement", "mvp.users", "evidence"): ["drill_record"]}


@pytest.fixture
@snapshots.kept
def company(cast):
    """An MVP whose title a spreadsheet would run, and a review with sign-offs."""
    factories.make_mvp(cast, title="=Bounded")
    signed_off(cast)
    return cast


def draft_of(cast, values=STRICTER, version="1.0"):
    draft = draft_actions.copy_rulebook(base=Rulebook.objects.current(), version=version, by=cast.admin)
    return edited(draft, values, by=cast.admin)


def edited(draft, values, *, by):
    source = with_values(read(draft.source), values).source
    return draft_actions.replace_draft(draft=draft, source=source, based_on=draft.number, by=by)


def worked_out(of, cast, **asked) -> Forecast:
    return forecast_actions.work_out(forecast_actions.ask_forecast(of=of, by=cast.admin, **asked).pk)


def test_from_asking_to_publishing_with_a_day_of_grace(company, as_):
    """The walk: ask, wait, read, take the file, propose, publish; what was due and told has the day granted."""
    admin, draft = as_(company.admin), draft_of(company)
    until = clock.today().replace(year=clock.today().year + 1)
    page = admin.post(f"/rulebook-drafts/{draft.pk}/effects/", {"day": clock.today(), "grace_until": until})
    assert page.status_code == 302
    waits = admin.get(page.url).content.decode()
    assert "Waiting" in waits
    forecast = forecast_actions.work_out(Forecast.objects.get().pk)
    assert forecast_actions.work_out(forecast.pk) is None  # done is done
    assert (forecast.totals["lose"], forecast.totals["obligations_opened"]) == (
        2,
        1,
    )  # one was ready for more than its approved stage
    text = admin.get(page.url).content.decode()
    for words in (
        "=Bounded",
        "Missing:",
        "Missing for later stages:",
        "mvp.users",
        "Marta Lindqvist",
        "MVP: not supported by current evidence",
    ):
        assert words in text
    assert "The result may be out of date" not in text
    assert "would have to be given again" in admin.get(f"{page.url}?what=review").content.decode()
    assert "No initiative matches" in admin.get(f"{page.url}?change=gain").content.decode()
    assert "=Bounded" in admin.get(f"{page.url}?key=mvp.users&q=bounded").content.decode()

    rows = list(csv.reader(io.StringIO(b"".join(admin.get(f"{page.url}?format=csv")).decode("utf-8-sig"))))
    assert all(not cell.startswith("=") for row in rows for cell in row)
    assert any(row[2] == "'=Bounded" and row[7] == "mvp.users" and row[10] == "missing" for row in rows)
    assert any(row[0] == "Open review" and "stale" in row[10] for row in rows)

    rulebook = draft_actions.load_draft(draft=draft, based_on=draft.number, by=company.admin)
    organisation_actions.propose_publication(rulebook=rulebook, by=company.admin)
    chair = as_(company.chair)
    shown = chair.get(f"/rulebook/{rulebook.version}/publish/").content.decode()
    assert forecast.outcome in shown
    assert f'value="{until.isoformat()}"' in shown
    sent = {
        "takes_effect": "at_once",
        "grace_until": until,
        "seen": forecast.pk,
        "outcome": "0" * 64,
    } | SIGNED
    assert chair.post(f"/rulebook/{rulebook.version}/publish/", sent).status_code == 409
    sent["outcome"] = forecast.outcome
    assert chair.post(f"/rulebook/{rulebook.version}/publish/", sent).status_code == 302
    obligation = Obligation.objects.get(kind="step_back")
    assert (obligation.due, obligation.responsible) == (until, company.owner)
    assert "under rulebook 1.0" in obligation.text
    told = Notification.objects.get(kind="rulebook published")
    assert told.person == company.owner
    assert told.due_on == until
    said = Entry.objects.acts().filter(kind="rulebook published").latest("pk").facts["facts"]
    assert (said["forecast"], said["grace_until"]) == (forecast.outcome, until.isoformat())
    assert "is now in force" in admin.get(page.url).content.decode()


def test_it_says_who_could_not_sign(company, as_):
    asks = {("signatures", "sign_off", "high"): "passkey", ("signatures", "sign_off", "limited"): "passkey"}
    asks |= {
        ("signatures", "decision", "high"): "password and code",
        ("signatures", "role", "high"): "passkey",
    }
    secret = pyotp.random_base32()
    codes.add(person=company.chair, secret=secret, code=pyotp.TOTP(secret).at(clock.now()))
    forecast = worked_out(draft_of(company, asks), company)
    page = as_(company.admin).get(f"/rulebook-effects/{forecast.pk}/").content.decode()
    sign_offs, decisions = page.split('id="signers"')[1].split("</ul>")[0].split("<li>")[1:]
    assert "Sign-off at limited and high risk needs at least: passkey." in sign_offs
    assert company.seat_risk.full_name in sign_offs
    assert company.chair.full_name in sign_offs
    assert "at least: password and one-time code" in decisions
    assert company.chair.full_name not in decisions
    plain = worked_out(draft_of(company, STRICTER, "2026.3"), company)
    assert 'id="signers"' not in as_(company.admin).get(f"/rulebook-effects/{plain.pk}/").content.decode()


def test_it_says_what_came_since(company, as_):
    draft = draft_of(company)
    forecast = worked_out(draft, company)
    initiative = Review.objects.get(outcome="open").initiative
    hold_deeds.hold(initiative=initiative, reason="Wait.", by=company.seat_security)
    text = as_(company.admin).get(forecast.get_absolute_url()).content.decode()
    assert "1 act on 1 initiative happened after the forecast" in text
    edited(draft, {("freshness", "grace_days"): 3}, by=company.admin)
    assert (
        "The draft was edited after the forecast"
        in as_(company.admin).get(forecast.get_absolute_url()).content.decode()
    )
    again = as_(company.admin).post(forecast.get_absolute_url())
    assert Forecast.objects.get(pk=again.url.strip("/").split("/")[-1]).digest != forecast.digest


def test_who_may(company, as_):
    forecast = worked_out(draft_of(company), company)
    for person, status in (
        (company.chair, 200),
        (company.deputy_chair, 200),
        (company.seat_risk, 403),
        (company.owner, 403),
        (company.auditor, 403),
    ):
        assert as_(person).get(forecast.get_absolute_url()).status_code == status
        assert as_(person).get(f"{forecast.get_absolute_url()}?format=csv").status_code == status
    with pytest.raises(Refused):
        forecast_actions.ask_forecast(of=Rulebook.objects.current(), by=company.owner)
    with pytest.raises(Refused):
        draft_actions.copy_rulebook(base=Rulebook.objects.current(), version="9", by=company.chair)


def test_publishing_names_only_what_was_foretold_of_this_text(company):
    draft = draft_of(company)
    other = worked_out(draft, company)
    draft = edited(draft, {("freshness", "grace_days"): 3}, by=company.admin)
    rulebook = draft_actions.load_draft(draft=draft, based_on=draft.number, by=company.admin)
    organisation_actions.propose_publication(rulebook=rulebook, by=company.admin)
    with pytest.raises(Conflict):
        publication.publish_rulebook(rulebook=rulebook, forecast=other, by=company.chair)


def test_the_page_costs_the_same_for_many_initiatives(company, as_):
    draft = draft_of(company)
    forecast, admin = worked_out(draft, company), as_(company.admin)
    few = query_counts.asked(admin, forecast.get_absolute_url())
    for number in range(3):
        factories.make_mvp(company, title=f"Another {number}")
    more = worked_out(draft, company)
    assert more.totals["lose"] == 5
    assert query_counts.asked(admin, more.get_absolute_url()) <= few <= 20


def test_a_day_to_come(company):
    """Worked out for a day on which evidence has aged: under both rulebooks, each as it is then."""
    rulebook = Rulebook.objects.current().parsed
    late = clock.today().fromordinal(clock.today().toordinal() + 300)
    forecast = worked_out(draft_of(company), company, day=late)
    assert forecast.ahead
    row = forecast.rows.filter(what="initiative", initiative__title="=Bounded").first()
    days = {key: rulebook.requirements[key].fresh_days for key, _ in row.unmet} if row else {}
    # What ages out by itself before that day is not the work of the draft.
    assert all(not 0 < fresh < 300 or key == "mvp.users" for key, fresh in days.items())
