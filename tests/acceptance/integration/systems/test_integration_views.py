"""The tab "Integration" of an initiative: its links, what the register says, the way of the data, and the forms on
links.
"""

from datetime import timedelta

import pytest

from governance import clock
from initiatives.integration.links.actions import Place
from initiatives.integration.residency import actions as residency_actions
from initiatives.integration.residency.findings import FIND_OUT
from initiatives.integration.resilience import process_actions
from initiatives.integration.systems import actions as system_actions
from initiatives.integration.systems import views as system_views
from initiatives.models import Link
from tests.support import factories
from tests.support.initiatives.initiative_pages import at, text_of
from tests.support.web import query_counts

pytestmark = pytest.mark.django_db


@pytest.fixture
def mvp(cast):
    return factories.make_mvp(cast)


TYPED = {"pattern": "feed", "direction": "reads", "access": "api", "data_classes": "notes"}


def test_a_system_is_looked_for_and_the_initiative_is_tied_to_it(cast, as_, mvp, crm):
    client = as_(cast.lead)
    assert "Unknown: no system is recorded that the initiative reads from" in text_of(
        client.get(at("integration", mvp.ref))
    )
    found = client.get(at("link-add", mvp.ref), {"q": "cr"})
    assert [row.name for row, *_ in found.context["found"]] == ["CRM"]
    assert "No system has this name" in text_of(client.get(at("link-add", mvp.ref), {"q": "zzz"}))
    form = text_of(client.get(at("link-add", mvp.ref), {"system": crm.pk}))
    assert "Sam Brook is asked to agree to the link" in form
    transfers = "Gateway, eu-west\n\nLanguage model"
    answer = client.post(at("link-add", mvp.ref), TYPED | {"system": crm.pk, "transfers": transfers})
    assert answer["Location"] == at("integration", mvp.ref)
    link = mvp.links.get()
    assert [(transfer.name, transfer.region) for transfer in link.transfers.all()] == [
        ("Gateway", "eu-west"),
        ("Language model", ""),
    ]
    assert link.transfers.last().deployment == mvp.deployments.get(version__name="Language model")
    tab = text_of(client.get(at("integration", mvp.ref)))
    assert "through Gateway (eu-west), Language model" in tab
    assert "Sam Brook has not agreed to the link to CRM." in tab


def test_places_whose_region_nobody_knows_are_kept_and_said(cast, as_, mvp, crm):
    client = as_(cast.lead)
    transfers = "Gateway;  mars-1 ;\n;; ,,\nsome  nonsense;;; ,, ,"
    page = text_of(
        client.post(at("link-add", mvp.ref), TYPED | {"system": crm.pk, "transfers": transfers}, follow=True)
    )
    link = mvp.links.get()
    assert list(link.transfers.values_list("name", "region")) == [
        ("Gateway", "mars-1"),
        ("some nonsense", ""),
    ]
    said = f"The region mars-1 is not known. {FIND_OUT}"
    assert said in page
    page = client.post(at("links/change", link.pk), TYPED | {"transfers": "Gateway, fra-9"}, follow=True)
    assert said.replace("mars-1", "fra-9") in text_of(page)
    assert "Gateway (fra-9 (region not known))" in text_of(client.get(at("integration", mvp.ref)))
    page = text_of(client.post(at("links/change", link.pk), TYPED | {"transfers": "A;B,,,D"}))
    assert "has too many parts" in page


def test_nobody_is_said_to_be_asked_where_nobody_owns_the_system(cast, as_, mvp):
    client, page = as_(cast.lead), at("link-add", mvp.ref)
    for name, owner, said in (
        ("Owned", cast.owner, "is connected to Owned. Marta Lindqvist is asked to agree."),
        (
            "Wild",
            None,
            "is connected to Wild, which has no owner. Someone must be found who agrees to the link.",
        ),
    ):
        system = factories.make_system(cast, name, owner=owner)
        assert said in text_of(client.post(page, TYPED | {"system": system.pk}, follow=True))


def test_what_is_wrong_is_said_and_ties_nothing(cast, as_, mvp, crm):
    client, page = as_(cast.lead), at("link-add", mvp.ref)
    for system in ("0", "junk", "99999999999999999999"):
        assert client.get(page, {"system": system}).status_code == 404
    for typed, said in (
        ({"transfers": "Model, eu-west, Nobody Inc"}, "Nobody Inc is not in the list of vendors"),
        ({"transfers": "Model, eu-west, , more"}, "has too many parts"),
        ({"pattern": ""}, "This field is required"),
        ({"timeout_seconds": "0"}, "greater than or equal to 1"),
    ):
        assert said in text_of(client.post(page, TYPED | {"system": crm.pk} | typed))
    assert not mvp.links.exists()


def test_a_link_is_changed_and_ended_on_its_pages(cast, as_, mvp, crm):
    link = factories.make_link(cast, mvp, crm, transfers=[Place("Gateway", "eu-west")], agreed=True)
    client = as_(cast.lead)
    assert "Gateway, eu-west" in text_of(client.get(at("links/change", link.pk)))
    client.post(at("links/change", link.pk), TYPED | {"transfers": "Gateway, us-east", "retry": "Twice"})
    assert Link.objects.get(pk=link.pk).retry == "Twice"
    tab = text_of(client.get(at("integration", mvp.ref)))
    assert "link changed, new answer needed" in tab
    assert "Gateway (us-east)" in tab
    client.post(at("links/close", link.pk), {"reason": "Not needed"})
    assert "Unknown: no system is recorded that the initiative reads from" in text_of(
        client.get(at("integration", mvp.ref))
    )
    assert client.post(at("links/close", link.pk), {"reason": "Again"}).status_code == 409


def test_a_prototypes_form_refuses_data_of_production(cast, as_, crm):
    initiative = factories.make_prototype(cast)
    page = as_(cast.owner).post(at("link-add", initiative.ref), TYPED | {"system": crm.pk, "live": "on"})
    assert "A prototype must not use production data" in text_of(page)
    idea = factories.make_initiative(cast)
    page = as_(cast.owner).post(at("link-add", idea.ref), TYPED | {"system": crm.pk, "live": "on"})
    assert "A proposed idea must not use production data" in text_of(page)
    assert not initiative.links.exists()


def test_conditions_sources_and_risks_stand_beside_each_link(cast, as_, mvp):
    base = factories.make_system(cast, "Base", kind="knowledge_collection")
    wiki = factories.make_system(cast, "Wiki-C", kind="wiki", editable=False, collection=base)
    tickets = factories.make_system(cast, "Tickets")
    for team in ("A", "B", "C"):
        system_actions.add_customisation(system=tickets, team=team, what="Statuses", by=cast.lead)
    factories.make_link(cast, mvp, base)
    factories.make_link(cast, mvp, tickets)
    page = as_(cast.owner).get(at("integration", mvp.ref))
    found = {one.row.system.name: one for one in page.context["tied"]}
    assert [(row.name, tone) for row, _, tone in found["Base"].sources] == [("Wiki-C", "bad")]
    assert [bool(found[name].risks) for name in ("Base", "Tickets")] == [False, True]
    assert "Wiki-C is frozen: no one can edit it." in text_of(page)
    assert "Accept for a limited time" not in text_of(page)
    seat, accepting = as_(cast.seat_architecture), at("initiative-act", mvp.ref, "accept-source")
    assert f"{accepting}?system={wiki.pk}" in text_of(seat.get(at("integration", mvp.ref)))
    until = clock.today() + timedelta(days=30)
    seat.post(accepting, {"system": wiki.pk, "consequence": "Old answers.", "until": until})
    page = as_(cast.owner).get(at("integration", mvp.ref))
    assert "Old answers." in text_of(page)
    question = page.context["rulebook"].requirements["int.sources_condition"].question
    (one,) = [one for one in page.context["against"] if one["question"] == question]
    assert [row.words for row in one["now"]] == []
    assert "Wiki-C is frozen: no one can edit it." in [row.words for row in one["later"]]


def test_the_data_flow_is_drawn_and_told(cast, as_, mvp, crm):
    client = as_(cast.owner)
    assert "drawn" not in client.get(at("integration", mvp.ref)).context
    factories.make_link(cast, mvp, crm, transfers=[Place("Gateway"), Place("Model", "us-east")])
    wiki = factories.make_system(cast, "Wiki-C", kind="wiki", editable=False)
    factories.make_link(cast, mvp, wiki, direction="writes", pattern="audit")
    page = client.get(at("integration", mvp.ref))
    ways = page.context["flow"].ways
    assert [[stop.name for stop in way.stops] for way in ways] == [
        ["CRM", "Gateway", "Model", mvp.ref],
        [mvp.ref, "Wiki-C"],
    ]
    assert [stop.bad for stop in ways[0].stops[1:]] == [True, False, False]
    found = mvp.requirement_findings.current().filter(system=crm, since__lte=clock.now()).count()
    assert ways[0].stops[0].note == f"{found} finding{'' if found == 1 else 's'}"
    assert found
    assert ways[1].stops[1].bad
    text = text_of(page)
    assert "region not known" in text
    assert "Frozen: no one can edit it" in text
    residency_actions.set_unit_policy(
        unit=mvp.unit, starts_on=clock.today(), reference="Policy 3", forbidden=["US"], by=cast.seat_security
    )
    way = client.get(at("integration", mvp.ref)).context["flow"].ways[0]
    assert [stop.bad for stop in way.stops[1:]] == [True, True, False]
    assert way.stops[2].note == f"forbidden by {mvp.unit} Policy 3 (forbidden: US)"
    for picture in client.get(at("integration", mvp.ref)).context["drawn"]:
        said = " ".join(words.text for words in picture.words)
        assert "! forbidden by" in said


def test_the_drawing_costs_no_query_more_for_more_links(cast, as_, mvp, crm):
    client, page = as_(cast.owner), at("integration", mvp.ref)

    factories.make_link(cast, mvp, crm, transfers=[Place("Gateway", "eu-west")])
    few = query_counts.asked(client, page)
    for number in range(5):
        system = factories.make_system(cast, f"System {number}")
        factories.make_link(cast, mvp, system, transfers=[Place("Gateway"), Place("Model", "us-east")])
    assert client.get(page).context["drawn"]
    assert query_counts.asked(client, page) <= few <= 26


def test_who_acts_on_the_output_is_whom_the_scope_names_and_who_does_the_steps(cast, as_, mvp, crm):
    factories.make_link(cast, mvp, crm)
    client = as_(cast.owner)
    scope = next(one.words for one in client.get(at("integration", mvp.ref)).context["facts"].scopes)
    process_actions.record_process(
        initiative=mvp,
        name="Preparing a call",
        status="documented",
        holder=None,
        holder_words="",
        as_is=[{"who": "Clerk", "what": "reads the notes"}],
        to_be=[{"who": "Account manager", "what": "checks the summary"}],
        by=cast.owner,
    )
    actors = client.get(at("integration", mvp.ref)).context["flow"].actors
    assert [(one.name, one.note) for one in actors] == [
        (scope, ""),
        ("Account manager", "checks the summary"),
    ]


def test_the_pages_of_the_other_nouns_are_offered(cast, as_, mvp):
    client = as_(cast.owner)
    page = text_of(client.get(at("integration", mvp.ref)))
    for name in system_views.PAGES:
        assert at(name, mvp.ref) in page
        answer = client.get(at(name, mvp.ref))
        assert answer.status_code == 200, name
        if name in ("integration-residency", "integration-profiles"):
            assert answer.context["title"] == system_views.PAGES[name], "called as the link to it"


def test_the_register_is_kept_as_evidence_from_its_page(cast, as_, mvp, crm):
    factories.make_link(cast, mvp, crm)
    client = as_(cast.lead)
    assert at("initiative-act", mvp.ref, "keep-register") in text_of(client.get(at("integration", mvp.ref)))
    assert client.post(at("initiative-act", mvp.ref, "keep-register"), {}).status_code == 200
    assert not mvp.evidence.filter(kind="system_record", title__startswith="The register of").exists()
    client.post(at("initiative-act", mvp.ref, "keep-register"), {"covers": ["int.inventory"]})
    item = mvp.evidence.get(kind="system_record", title__startswith="The register of")
    assert [row.requirement for row in item.coverage.all()] == ["int.inventory"]
    assert as_(cast.chair).get(at("initiative-act", mvp.ref, "keep-register")).status_code == 403


def shown_as(page) -> list[tuple[str, str]]:
    """The section and the page of it that are marked as the current ones."""
    return [
        (section["words"], one["words"])
        for section in page.context["sections"]
        for one in section["pages"]
        if one["current"]
    ]


def test_pages_below_integration_are_found_in_its_section(cast, as_, mvp, crm):
    factories.make_link(cast, mvp, crm)
    client = as_(cast.lead)
    pages = [at(name, mvp.ref) for name in (*system_views.PAGES, "use-term", "define", "link-add")]
    for name in [*pages, at("initiative-act", mvp.ref, "add-profile")]:
        page = client.get(name)
        assert shown_as(page) == [("System", "Integration")], name
    assert shown_as(client.get(at("initiative-activity", mvp.ref))) == [("Activity", "Activity")]


def test_an_empty_glossary_leads_to_the_initiatives_that_fill_it(cast, as_):
    page = text_of(as_(cast.lead).get(at("glossary")))
    assert f'href="{at("portfolio", mine="on")}">Choose one of your initiatives' in page
