"""The switch on its pages: pressed, seen on every page of the initiative, released, and made into a drill."""

from datetime import timedelta

import pytest

from governance import clock
from governance.models import Rulebook
from initiatives.contracts.enforcement import kill_switch
from initiatives.models import Evidence
from tests.app.initiatives.contracts.enforcement.test_authzen import FIXTURE
from tests.support import factories
from tests.support.database import snapshots
from tests.support.initiatives.initiative_pages import SIGNED, acts, at, text_of
from tests.support.servers.asking_systems import System, logged, write

pytestmark = pytest.mark.django_db


@pytest.fixture
@snapshots.kept
def initiative(cast):
    """A prototype with a contract."""
    return factories.make_contract(cast, factories.make_prototype(cast), FIXTURE)


@pytest.fixture
@snapshots.kept
def system(cast, initiative) -> System:
    """A system of the initiative."""
    return System(factories.make_key(cast, initiative)[1].text)


def test_pressed_and_released_with_the_next_request(cast, as_, initiative, system):
    off, on = (
        at("initiative-act", initiative.ref, "switch-off"),
        at("initiative-act", initiative.ref, "switch-on"),
    )
    client = as_(cast.owner)
    assert off in text_of(client.get(at("initiative", initiative.ref)))
    assert "already switched on" in text_of(client.get(on))
    assert system.ask("read")["decision"] is True
    with acts() as kinds:
        assert "required" in text_of(client.post(off, {"reason": " "}))
        client.post(off, {"reason": "It answered customers in the wrong tone."} | SIGNED)
    assert kinds == ["switched off"]
    told = system.ask("read")
    assert told["decision"] is False
    assert told["context"]["code"] == "switched_off"
    assert "in the wrong tone" in told["context"]["reason"]
    assert client.post(off, {"reason": "Again."} | SIGNED).status_code == 409
    with acts() as kinds:
        answer = as_(cast.chair).post(on, {"reason": "Fixed."} | SIGNED)
    assert kinds == ["switched on"]
    assert answer.url == initiative.get_absolute_url()
    assert system.ask("read")["decision"] is True
    refused = client.post(on, {"reason": "Again."} | SIGNED)
    assert refused.status_code == 403
    assert "already switched on" in text_of(refused)


def test_every_page_of_the_initiative_says_that_it_is_off_and_how_to_go_back(cast, as_, initiative):
    kill_switch.switch_off(initiative=initiative, reason="It named a customer.", by=cast.chair)
    for name in (
        "initiative",
        "requirements",
        "evidence",
        "contract",
        "api-access",
        "told",
        "people",
        "deployments",
        "notes",
    ):
        for person, back in (
            (cast.owner, True),
            (cast.chair, True),
            (cast.lead, False),
            (cast.auditor, False),
        ):
            page = text_of(as_(person).get(at(name, initiative.ref)))
            assert "The systems have been switched off since" in page, name
            assert f"{cast.chair} switched the systems off: It named a customer." in page
            assert (at("initiative-act", initiative.ref, "switch-on") in page) is back, (name, person)
            assert ("The owner or the chair can switch them on again." in page) is not back
    kill_switch.switch_on(initiative=initiative, reason="Masked.", by=cast.owner)
    assert "switched off since" not in text_of(as_(cast.owner).get(at("initiative", initiative.ref)))


def test_only_who_may_stop_presses_it(cast, as_, initiative):
    url = at("initiative-act", initiative.ref, "switch-off")
    for person in (cast.lead, cast.support, cast.seat_risk, cast.auditor, cast.admin):
        client = as_(person)
        assert url not in text_of(client.get(at("initiative", initiative.ref)))
        assert url not in text_of(client.get(at("api-access", initiative.ref)))
        assert client.post(url, {"reason": "No."}).status_code == 403
    assert as_(cast.outsider).post(url, {"reason": "No."}).status_code == 404
    assert not initiative.kill_switches.exists()
    idea = factories.make_initiative(cast, title="Idea")
    assert "initiative-switch" not in text_of(as_(cast.owner).get(at("initiative", idea.ref)))
    assert at("initiative-act", idea.ref, "switch-off") not in text_of(
        as_(cast.owner).get(at("initiative", idea.ref))
    )


def test_it_lies_on_the_owners_inbox_while_it_is_off(cast, as_, initiative):
    words = f"The systems of {initiative.title} are switched off"
    assert words not in text_of(as_(cast.owner).get("/"))
    kill_switch.switch_off(initiative=initiative, reason="It named a customer.", by=cast.chair)
    inbox = text_of(as_(cast.owner).get("/"))
    assert words in inbox
    assert at("initiative-act", initiative.ref, "switch-on") in inbox
    assert words not in text_of(as_(cast.steward).get("/"))
    kill_switch.switch_on(initiative=initiative, reason="Masked.", by=cast.chair)
    assert words not in text_of(as_(cast.owner).get("/"))


def test_a_use_becomes_a_drill_record_with_what_it_may_show(cast, as_, initiative, system):
    client = as_(cast.owner)
    now = clock.now()
    with clock.simulated(now - timedelta(minutes=10)):
        system.ask("read")
    with clock.simulated(now - timedelta(minutes=8)):
        pressed = kill_switch.switch_off(initiative=initiative, reason="A drill.", by=cast.owner)
        system.ask("read")
    logged()
    drill = at("row-act", "switch", pressed.pk, "record-drill")
    assert client.get(drill).status_code == 403  # not before it is on again
    answer = client.post(at("initiative-act", initiative.ref, "switch-on"), {"reason": "Over."} | SIGNED)
    assert answer.url == drill
    page = text_of(client.get(drill))
    asked = Rulebook.objects.current().parsed.requirements
    offered = {key for key in asked if f'value="{key}"' in page}
    assert offered == {key for key, one in asked.items() if "drill_record" in one.evidence}
    assert "No request was allowed while the systems were off." in page
    assert drill in text_of(client.get(at("api-access", initiative.ref)))
    assert "required" in text_of(client.post(drill, {}))
    assert "valid choice" in text_of(client.post(drill, {"covers": ["mvp.users"]}))
    covered = sorted(offered)[0]
    with acts() as kinds:
        answer = client.post(drill, {"covers": [covered]})
    assert kinds == ["evidence added"]
    evidence = Evidence.objects.get(kind="drill_record")
    assert answer.url == at("evidence-item", initiative.ref, evidence.pk)
    assert evidence.result == "pass"
    assert [row.requirement for row in evidence.coverage.all()] == [covered]
    assert client.get(drill).status_code == 403
    assert drill not in text_of(client.get(at("api-access", initiative.ref)))


@pytest.mark.parametrize(
    "answer", [{"outcome": "allow", "code": "allowed"}, {"outcome": "deny", "code": "outside"}]
)
def test_a_drill_in_which_the_switch_denied_no_system_does_not_pass(cast, initiative, system, answer):
    now = clock.now()
    with clock.simulated(now - timedelta(minutes=8)):
        pressed = kill_switch.switch_off(initiative=initiative, reason="A drill.", by=cast.owner)
    key = initiative.contract.keys.get()
    write(initiative, 1, at=pressed.pressed_at + timedelta(seconds=0.5), key=key, **answer)
    by_hand = {"outcome": "deny", "code": "switched_off"}
    write(initiative, 1, at=pressed.pressed_at + timedelta(minutes=1), **by_hand)
    kill_switch.switch_on(initiative=initiative, reason="Over.", by=cast.owner)
    item = kill_switch.record_drill(pressed=pressed, covers=["prod.q10_outage"], by=cast.owner)
    assert item.result == "partial"


def test_a_drill_in_which_something_was_still_allowed_does_not_pass(cast, as_, initiative, system):
    client, now = as_(cast.owner), clock.now()
    with clock.simulated(now - timedelta(minutes=8)):
        pressed = kill_switch.switch_off(initiative=initiative, reason="A drill.", by=cast.owner)
    write(initiative, 1, at=now - timedelta(minutes=7))
    client.post(at("initiative-act", initiative.ref, "switch-on"), {"reason": "Over."} | SIGNED)
    page = text_of(client.get(at("row-act", "switch", pressed.pk, "record-drill")))
    assert "60.00 s after the press" in page
    asked = Rulebook.objects.current().parsed.requirements
    covered = next(key for key, one in asked.items() if "drill_record" in one.evidence)
    client.post(at("row-act", "switch", pressed.pk, "record-drill"), {"covers": [covered]})
    assert Evidence.objects.get(kind="drill_record").result == "partial"
