"""Evidence is renewed on a page where just its kind can be given, by one person.

A change in governance/rulebook or initiatives/lifecycle/evidence asks for it.
"""

from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup

from governance import clock
from governance.models import Rulebook
from governance.rulebook import shipped_text
from governance.vocabulary import EvidenceKind
from initiatives.lifecycle.evidence.renewal import renewal_of
from tests.support import factories

pytestmark = pytest.mark.django_db

# By the name of the page, or of the page step, what of it shows that the kind can be given there.
GIVEN_BY = {
    "requirement": "textarea[name=text]",
    "record-drill": "input[name=covers]",
    "keep-register": "input[name=covers]",
    "generate-index": "form[method=post]",
    "measure": "input[name=ends_on]",
    "measure-declare": "form[method=post]",
    "people": "main",
    "contract": "main",
    "evidence-add": "input[name=covers]",
}


def found_on(client, address: str, kind: str, key: str) -> str:
    """Why the page behind the address does not let just this kind be given for the requirement; "" if it does."""
    response = client.get(address)
    if response.status_code != 200:
        return f"{response.status_code}"
    page = BeautifulSoup(response.content, "html.parser")
    match = response.resolver_match
    name = match.kwargs.get("verb", match.url_name)
    if name not in GIVEN_BY:
        return f"nobody gives evidence on {name}"
    shown = page.select(GIVEN_BY[name])
    if not shown:
        return f"no {GIVEN_BY[name]}"
    if GIVEN_BY[name] == "input[name=covers]" and key not in {box["value"] for box in shown}:
        return "the requirement is not offered"
    if name == "evidence-add":
        (chosen,) = page.select("input[name=kind]")
        taken = Rulebook.objects.current().parsed.requirements[key].evidence
        return "" if chosen["value"] in taken else f"{chosen['value']} does not count"
    return ""


def test_each_kind_of_each_requirement_is_renewed_where_it_can_be_given(cast, as_):
    initiative = factories.make_production(cast)
    factories.make_rulebook(cast.admin, cast.chair, shipped_text())
    rulebook, client = Rulebook.objects.current().parsed, as_(cast.owner)
    wrong = []
    for key, asked in rulebook.requirements.items():
        for kind in (None, *asked.evidence):
            item = kind and SimpleNamespace(
                kind=kind, id=0, generated=False, details={}, observed_on=clock.today()
            )
            renewal = renewal_of(initiative, rulebook, key, item)
            if why := found_on(client, renewal.address, kind or asked.evidence[0], key):
                wrong.append(f"{key}, {kind}: {renewal.words}, {renewal.address}: {why}")
    assert not wrong, "\n".join(wrong)


def test_what_measures_show_is_renewed_by_a_measurement_of_one_person(cast, as_):
    initiative = factories.make_production(cast)
    rulebook = Rulebook.objects.current().parsed
    item = SimpleNamespace(
        kind=EvidenceKind.TELEMETRY, id=0, generated=False, details={}, observed_on=clock.today()
    )
    renewal = renewal_of(initiative, rulebook, "adopt.usage", item)
    assert renewal.words == "Add a measurement"
    people = {"owner": cast.owner.pk, "technical_lead": cast.chair.pk, "support_owner": cast.admin.pk}
    assert renewal.whose(people) == cast.owner.pk
    assert renewal.whose(people | {"owner": cast.seat_risk.pk}) == cast.seat_risk.pk, "who declared it left"
