"""Pages on where data may be: the path of an initiative, vendors, policies, regions, and what would come of a
change.
"""

import re
from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from governance import clock
from initiatives.integration.residency import actions as residency_actions
from initiatives.integration.residency import term_effects
from initiatives.integration.residency.actions import (
    check_term,
    initiatives_in,
    initiatives_of_unit,
    initiatives_of_vendor,
)
from initiatives.integration.residency.findings import UNIT, VENDOR, WhatIf
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.models import Hold, Region, UnitPolicy, Vendor, VendorTerm
from tests.support import factories
from tests.support.database import snapshots
from tests.support.initiatives import tied_initiatives
from tests.support.initiatives.initiative_pages import at

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme(cast):
    return tied_initiatives.vendor(cast)


@pytest.fixture
@snapshots.kept
def link(cast, initiative, acme):
    link = tied_initiatives.link(cast, initiative, tied_initiatives.system(cast, regions=["DE"]))
    tied_initiatives.transfer(cast, link, "gateway", "eu-west", vendor=acme)
    tied_initiatives.transfer(cast, link, vendor=acme)
    return link


def text(answer) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def held() -> set[int]:
    rows = Hold.objects.open().filter(kind="residency", liftable_since__isnull=True)
    return set(rows.values_list("initiative", flat=True))


def liftable() -> set[int]:
    rows = Hold.objects.open().filter(kind="residency", liftable_since__isnull=False)
    return set(rows.values_list("initiative", flat=True))


TERM = {
    "kind": "region",
    "reference": "MSA 4.2",
    "words": "no processing outside EU",
    "allowed": "EU",
    "forbidden": "",
    "data_classes": "",
    "ends_on": "",
}


def test_a_initiative_shows_each_place_and_what_binds_it(as_, cast, initiative, acme, link):
    term = tied_initiatives.term(cast, acme)
    page = text(as_(cast.owner).get(reverse("integration-residency", args=[initiative.ref])))
    assert "vendor model us-east not allowed" in page
    assert "vendor model, us-east: forbidden by Acme Cloud MSA 4.2 (no processing outside EU)." in page
    assert "gateway eu-west Allowed by Acme Cloud MSA 4.2" in page
    assert "Held since" in page
    assert "The chair can lift this hold when the path of the data is fixed." in page
    assert "accept their roles again" not in page, "that is said of re-attestation alone"
    waivers = text(as_(cast.owner).get(reverse("waivers", args=[initiative.ref])))
    assert "residency" not in waivers.lower()
    residency_actions.withdraw_vendor_term(term=term, reason="Misread", by=cast.seat_security)
    page = as_(cast.chair).get(reverse("integration-residency", args=[initiative.ref]))
    assert reverse("row-act", args=["holds", Hold.objects.get().pk, "lift"]) in page.content.decode()


def test_a_hold_that_no_task_opened_yet_is_said_in_its_own_words(as_, cast, initiative, acme, link):
    start = clock.today() + timedelta(days=5)
    tied_initiatives.term(cast, acme, starts_on=start)
    with time_machine.travel(clock.midnight_before(start) + timedelta(hours=9), tick=False):
        page = text(as_(cast.owner).get(initiative.get_absolute_url()))
    assert not held()
    assert "Held: data leaves the allowed region." in page
    assert "The chair can lift this hold when the path of the data is fixed." in page
    assert "accept their roles again" not in page


def test_a_term_is_looked_at_before_it_is_filed(as_, cast, initiative, acme, link):
    client, address = as_(cast.seat_security), at("vendors/file-term", acme.pk)
    fields = TERM | {"starts_on": clock.today().isoformat()}
    looked = client.post(address, fields, confirm=False)
    assert "Consequences" in text(looked)
    assert initiative.title in text(looked)
    assert "vendor model, us-east: forbidden by Acme Cloud MSA 4.2" in text(looked)
    assert not VendorTerm.objects.exists()
    assert not held()
    wrong = client.post(address, fields | {"allowed": "mars-1"})
    assert "The region mars-1 is not known. First add the missing regions under Regions." in text(wrong)
    assert f'href="{reverse("regions")}"' in wrong.content.decode()
    filed = client.post(address, fields, follow=True)
    assert "Initiatives with data in a region that the term forbids get a hold." in text(filed)
    assert "Affected systems" in text(filed)
    assert initiative.title in text(filed)
    assert held() == {initiative.pk}
    term = VendorTerm.objects.get()
    address = at("vendor-terms/withdraw", term.pk)
    assert "Holds that the chair could then lift" in text(client.get(address))
    client.post(address, {"reason": "Misread"})
    assert liftable() == {initiative.pk}
    assert client.get(address).status_code == 404


def test_others_are_told_of_initiatives_they_may_not_see_as_a_number_alone(as_, cast, initiative, acme, link):
    secret = factories.make_initiative(cast, title="A secret plan")
    detail_actions.change_details(
        initiative=secret, problem="Nobody may know.", platform="", confidential=True, by=cast.owner
    )
    tied_initiatives.transfer(
        cast, tied_initiatives.link(cast, secret, tied_initiatives.system(cast, "Vault")), vendor=acme
    )
    tied_initiatives.term(cast, acme)
    page = text(as_(cast.outsider).get(acme.get_absolute_url()))
    assert initiative.title not in page
    assert "1 initiative that you cannot see" in page
    assert "A secret plan" not in page
    assert "A secret plan" in text(as_(cast.owner).get(acme.get_absolute_url()))


def test_a_policy_is_looked_at_set_and_changed(as_, cast, initiative, link):
    client = as_(cast.admin)
    fields = {**TERM, "allowed": "", "forbidden": "US", "starts_on": clock.today().isoformat()}
    fields["unit"] = cast.unit.pk
    looked = client.post(at("set-policy"), fields, confirm=False)
    assert "The initiative is held" in text(looked)
    client.post(at("set-policy"), fields)
    assert held() == {initiative.pk}
    policy = UnitPolicy.objects.get()
    changed = client.post(at("policies/change", policy.pk), fields | {"forbidden": "CN"})
    assert changed.status_code == 302
    assert liftable() == {initiative.pk}
    page = text(client.get(reverse("unit-policies")))
    assert "withdrawn" in page
    assert "Forbidden: CN." in page


def test_a_region_is_looked_up_and_added(as_, cast):
    client = as_(cast.admin)
    assert "is in IE, in EU, in EEA" in text(client.get(reverse("regions"), {"name": "eu-west-1"}))
    assert "fra-9 is not known" in text(client.get(reverse("regions"), {"name": "fra-9"}))
    client.post(at("add-region"), {"key": "fra-9", "words": "", "within": "DE"})
    assert Region.objects.filter(key="fra-9").exists()
    assert "is in DE, in EU" in text(client.get(reverse("regions"), {"name": "fra-9"}))


def test_what_a_vendors_move_would_do_is_only_looked_at(as_, cast, initiative, acme, link):
    tied_initiatives.term(cast, acme)
    client, address = as_(cast.lead), reverse("vendor-move", args=[acme.pk])
    looked = text(client.get(address, {"moved_from": "us-east", "moved_to": "eu-west"}))
    assert "Holds that the chair could then lift" in looked
    looked = text(client.get(address, {"moved_from": "eu-west", "moved_to": "CN"}))
    assert "Current holds that also have this reason" in looked
    assert "gateway, CN: forbidden by Acme Cloud MSA 4.2" in looked
    assert "vendor model, us-east: forbidden" in looked, "what holds it today is named beside what is new"
    looked = text(client.get(address, {"moved_from": "eu-west", "moved_to": "DE"}))
    assert "No hold would start and no hold could be lifted." in looked
    assert held() == {initiative.pk}


def test_a_move_from_or_to_a_place_that_does_not_exist_is_no_calm_answer(as_, cast, acme, link):
    client, address = as_(cast.lead), reverse("vendor-move", args=[acme.pk])
    looked = text(client.get(address, {"moved_from": "mars", "moved_to": "eu-west"}))
    assert "No system or service of Acme Cloud is recorded in mars." in looked
    assert "The vendor runs systems or services in: eu-west, us-east." in looked
    assert "No hold would start" not in looked
    looked = text(client.get(address, {"moved_from": " US-East ", "moved_to": "eu-wset"}))
    assert "The region eu-wset is not known. First add the missing regions under Regions." in looked
    assert "No hold would start" not in looked


def test_where_a_vendor_runs_something_in_a_confidential_initiative_is_not_given_away(as_, cast, acme):
    secret = factories.make_initiative(cast)
    detail_actions.change_details(
        initiative=secret, problem="Nobody may know.", platform="", confidential=True, by=cast.owner
    )
    tied_initiatives.transfer(
        cast, tied_initiatives.link(cast, secret, tied_initiatives.system(cast, "Vault")), vendor=acme
    )
    address = reverse("vendor-move", args=[acme.pk])
    assert "The vendor runs systems or services in: no known region." in text(as_(cast.outsider).get(address))
    assert "The vendor runs systems or services in: us-east." in text(as_(cast.owner).get(address))


# --- What is told before equals what then happens ------------------------------------------------------------------


def looked(keys, what_if) -> tuple[set[int], set[int]]:
    found = term_effects.look(keys, what_if)
    return set(found.held), set(found.freed)


def test_what_is_told_is_what_happens(cast, initiative, acme, link):
    other = factories.make_initiative(cast, title="Another", unit=cast.elsewhere)
    tied_initiatives.transfer(
        cast,
        tied_initiatives.link(cast, other, tied_initiatives.system(cast, "ERP")),
        region="fra-9",
        vendor=acme,
    )
    seat, today = cast.seat_security, clock.today()

    def filing(**fields):
        said = {"reference": "MSA 4.2", "starts_on": today, "allowed": [], "forbidden": []} | fields
        bound = check_term(
            VENDOR, acme.pk, said["reference"], today, None, said["allowed"], said["forbidden"], [], ""
        )
        act = lambda: residency_actions.file_vendor_term(vendor=acme, kind="region", by=seat, **said)  # noqa: E731
        return initiatives_of_vendor(acme), WhatIf(also=bound), act

    def policy():
        bound = check_term(UNIT, cast.unit.pk, "P 3", today, None, [], ["US"], [], "")
        act = lambda: residency_actions.set_unit_policy(  # noqa: E731
            unit=cast.unit, reference="P 3", starts_on=today, forbidden=["US"], by=seat
        )
        return initiatives_of_unit(cast.unit), WhatIf(also=bound), act

    def region():
        act = lambda: residency_actions.add_region(key="fra-9", within="DE", by=seat)  # noqa: E731
        return initiatives_in("fra-9"), WhatIf(added=("fra-9", "DE")), act

    def withdrawing():
        term = VendorTerm.objects.current().earliest("pk")
        act = lambda: residency_actions.withdraw_vendor_term(term=term, reason="Over", by=seat)  # noqa: E731
        return initiatives_of_vendor(acme), WhatIf(without=((VENDOR, term.pk),)), act

    told = []
    for plan in (
        lambda: filing(allowed=["EU"]),
        region,
        policy,
        withdrawing,
        lambda: filing(forbidden=["DE"]),
    ):
        keys, what_if, act = plan()
        before, before_liftable = held(), liftable()
        would_hold, would_free = looked(keys, what_if)
        act()
        assert held() - before == would_hold
        assert liftable() - before_liftable == would_free
        told.append((would_hold, would_free))
    assert told[0][0] == {initiative.pk, other.pk}
    assert told[1] == (set(), {other.pk})
    assert told[-1][0] == {other.pk}, "fra-9 lies in Germany, and Germany is forbidden"


def test_every_page_leads_back_to_systems_and_lights_them_up(as_, cast, acme):
    client = as_(cast.seat_security)
    pages = [
        *(at(name) for name in ("vendors", "add-vendor", "regions", "add-region", "unit-policies")),
        at("set-policy"),
        *(at(name, acme.pk) for name in ("vendor", "vendors/file-term", "vendor-move")),
    ]
    for page in pages:
        shown = client.get(page).content.decode()
        menu, _, rest = shown.partition("<main")
        assert 'aria-current="page">Systems' in menu, page
        assert f'<a href="{reverse("systems")}">Systems</a>' in rest, page
    assert (
        f'<a href="{acme.get_absolute_url()}">{acme}</a>'
        in client.get(at("vendors/file-term", acme.pk))
        .content.decode()
        .partition("<main")[2]
        .partition("</header>")[0]
    )


def test_a_vendor_that_is_listed_is_opened_where_its_terms_are_filed(as_, cast):
    client = as_(cast.seat_security)
    assert (
        f'href="{at("add-vendor")}">Add a vendor</a></div>' in client.get(reverse("vendors")).content.decode()
    )
    answer = client.post(at("add-vendor"), {"name": "Helios"})
    assert answer["Location"] == Vendor.objects.get(name="Helios").get_absolute_url()
