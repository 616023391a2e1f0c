"""One box: what it finds, for whom, and what it never tells."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from adoption.demo import artefacts, initiative_acts
from governance.database.row_history import acting
from initiatives.integration.components.actions import record_component
from initiatives.integration.definitions import actions as definition_actions
from initiatives.integration.systems import accounts
from initiatives.integration.systems import actions as system_actions
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.portfolio.search.search import FEW, Search
from tests.support import factories
from tests.support.initiatives import tied_initiatives
from tests.support.web import query_counts

pytestmark = pytest.mark.django_db


def found(text: str, person) -> dict[str, list[str]]:
    """By group, the titles that the words find for this person."""
    return {group.key: [hit.title for hit in group.hits] for group in Search(text, person).all()}


@pytest.fixture
def initiatives(cast):
    """Three initiatives with titles that are hard to type."""
    return [
        factories.make_initiative(cast, title=title)
        for title in (
            "Résumé-Prüfung für Łódź",
            "Customer e-mail triage (v2.0)",
            "Straße/Ørsted anomaly's finder",
        )
    ]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("resume", 0), ("RÉSUMÉ", 0), ("prufung lodz", 0), ("lodz resu", 0), ("re\u0301sume\u0301", 0),
        ("e-mail", 1), ("mail cust", 1), ("triage v2", 1), ("v2.0", 1), ("customer & (email | mail):* !", None),
        ("strasse", 2), ("orsted", 2), ("finder anom", 2), ("anomaly's", 2), ("'", None), ("\\ : * <-> 'x", None),
        ("ustomer", None), ("customer finder", None),
    ],
)  # fmt: skip
def test_words_begun_in_any_order_with_or_without_accents(cast, initiatives, text, place):
    titles = found(text, cast.owner).get("initiatives", [])
    assert titles == ([] if place is None else [initiatives[place].title])


@pytest.mark.parametrize(
    "written", ["{ref}", "ai-{n}", "AI {n}", "ai00{n}", "#{n}", "{n}", "000{n}", "AI-{n} triage"]
)
def test_references_however_they_are_written(cast, initiatives, written):
    initiative = initiatives[1]
    text = written.format(ref=initiative.ref, n=initiative.number)
    assert found(text, cast.owner)["initiatives"][0] == initiative.title
    assert "initiatives" not in found(f"AI-{initiative.number} finder", cast.owner), (
        "another word is asked for beside it"
    )


def test_people_vendors_platforms_and_evidence(cast):
    initiative = factories.make_prototype(cast)
    record_component(
        initiative=initiative,
        layer="model",
        name="Grand Modèle 4",
        version="1",
        vendor="Zürich Labs",
        by=cast.owner,
    )
    with acting(system="test"):
        initiative = initiative_acts.fresh(initiative)
        initiative.platform = "Harbour Cloud"
        initiative.save()
    item = initiative.evidence.filter(kind="document").first()
    assert found("zurich grand", cast.owner) == {"parts": ["Grand Modèle 4, Zürich Labs"]}
    assert found("harbour", cast.owner) == {"parts": ["Harbour Cloud"]}
    assert item.title in found(" ".join(reversed(item.title.split())), cast.owner)["evidence"]
    assert item.title in found(f"{initiative.ref} {item.title}", cast.owner)["evidence"]
    assert "evidence" not in found(f"AI-0999 {item.title}", cast.owner)
    (person,) = Search("lindqv", cast.chair).of("people").hits
    assert person.title == "Marta Lindqvist"
    assert person.beside == cast.unit.name
    assert [(hit.ref, hit.beside) for hit in person.initiatives] == [(initiative.ref, "Business owner")]
    (chair,) = Search("novak elena", cast.owner).of("people").hits
    assert chair.beside == "Chair, Retail board"


def test_systems_vendors_terms_and_accounts_of_the_register(cast):
    helios = factories.make_system(
        cast, "Helios", kind="wiki", location="Building 7", vendor=tied_initiatives.vendor(cast)
    )
    gone = factories.make_system(cast, "Helios, the old one")
    system_actions.retire_system(system=gone, reason="Replaced", by=cast.lead)
    account = factories.make_account(cast, helios, "svc-helios")
    maker = tied_initiatives.vendor(cast, "Helios")
    initiative = factories.make_mvp(cast)
    factories.make_term(cast, "dunning", "Asking Helios for what is owed.")
    definition_actions.use_term(initiative=initiative, name="dunning", by=cast.lead)
    for person, accounts_seen in (
        (cast.lead, ["svc-helios"]),
        (cast.outsider, ["svc-helios"]),
        (cast.owner, []),
    ):
        assert found("helios", person) == {
            "systems": ["Helios", "Helios, the old one", *accounts_seen],
            "terms": ["dunning"],
            "parts": ["Helios"],
        }
    system, old, of_account = Search("helio", cast.lead).of("systems").hits
    assert (system.link, system.beside, system.tags) == (helios.get_absolute_url(), "Wiki, Building 7", ())
    assert old.tags == ("retired",)
    assert of_account.link == f"{helios.get_absolute_url()}#accounts"
    assert of_account.beside == "Service account in Helios"
    assert found("building 7", cast.owner) == {"systems": ["Helios"]}
    assert [hit.link for hit in Search("helios", cast.owner).of("parts").hits] == [maker.get_absolute_url()]
    accounts.close_account(account=account, reason="Not used", by=cast.lead)
    assert Search("svc helios", cast.lead).of("systems").hits[0].tags == ("closed",)
    assert [hit.title for hit in Search("helios", cast.owner).of("systems", 1).hits] == ["Helios"]


def test_a_former_title_still_leads_to_the_initiative(cast):
    initiative = factories.make_initiative(cast, title="Letter sorter")
    detail_actions.rename(
        initiative=initiative, title="Correspondence desk", reason="It sorts mails too.", by=cast.owner
    )
    (hit,) = Search("sorter lett", cast.owner).of("initiatives").hits
    assert (hit.title, hit.ref) == ("Correspondence desk", initiative.ref)
    assert "Former title: “Letter sorter”" in hit.beside
    (hit,) = Search("correspondence", cast.owner).of("initiatives").hits
    assert "Former title" not in hit.beside


def test_what_one_may_not_see_is_as_if_it_were_not_there(cast, as_):
    initiative = factories.make_initiative(cast, title="Zeppelin pricing")
    record_component(
        initiative=initiative, layer="model", name="Zeppelin", version="1", vendor="Zeppelin", by=cast.owner
    )
    evidence_actions.add_evidence(
        initiative=initiative,
        kind="document",
        title="Zeppelin notes",
        observed_on=initiative.registered_at.date(),
        covers=["proto.scope"],
        file=artefacts.pdf("Zeppelin notes"),
        by=cast.owner,
    )
    detail_actions.rename(
        initiative=initiative, title="Airship pricing", reason="Nobody says so.", by=cast.owner
    )
    detail_actions.change_details(
        initiative=initiative,
        problem=initiative.problem,
        platform="Zeppelin",
        confidential=True,
        by=cast.owner,
    )
    assert set(found("zeppelin", cast.owner)) == {"initiatives", "parts", "evidence"}
    for person in (cast.outsider, cast.support, cast.sponsor):
        assert found("zeppelin", person) == found("airship", person) == found(initiative.ref, person) == {}
        client = as_(person)
        client.get("/search/")  # counts what waits in the inbox, for a minute
        with CaptureQueriesContext(connection) as there:
            hidden = client.get("/search/", {"q": "zeppelin"}).content.decode()
        with CaptureQueriesContext(connection) as absent:
            nothing = client.get("/search/", {"q": "dirigible"}).content.decode()
        token = re.compile(r"[A-Za-z0-9]{64}|[0-9a-f]{32}")
        assert token.sub("", hidden.replace("zeppelin", "")) == token.sub(
            "", nothing.replace("dirigible", "")
        )
        # What is asked, whatever it is asked about: words and keys are left out.
        shapes = [
            [re.sub(r"'[^']*'|(?<=IN \()[^)]*", "", query["sql"]) for query in queries]
            for queries in (there, absent)
        ]
        assert shapes[0] == shapes[1], "the same questions, so the time they take tells nothing"
        owner = Search("lindqvist", person).of("people").hits[0]
        assert owner.initiatives == (), "nor does the owner's name lead there"


def test_stubs_of_other_units_are_found_by_everybody_and_say_no_more(cast, as_):
    initiative = factories.make_mvp(cast, title="Zeppelin pricing")
    detail_actions.rename(
        initiative=initiative, title="Airship pricing", reason="Nobody says so.", by=cast.owner
    )
    theirs = factories.make_initiative(
        cast, title="Airship hangars", unit=cast.elsewhere, owner=cast.outsider, by=cast.outsider
    )
    for asked in ("airship", "pricing airsh", initiative.ref, str(initiative.number)):
        (hit,) = [
            hit for hit in Search(asked, cast.outsider).of("initiatives").hits if hit.ref == initiative.ref
        ]
        assert hit.link == f"/initiatives/{initiative.ref}/stub/"
        assert hit.beside == "MVP, Account management. You cannot open it. Ask Marta Lindqvist."
    assert found("airship", cast.outsider)["initiatives"] == ["Airship hangars", "Airship pricing"], (
        "their own first"
    )
    assert found("zeppelin", cast.outsider) == {}, "a former title is for who may open the initiative"
    stranger = as_(cast.outsider)
    page = stranger.get(f"/initiatives/{initiative.ref}/stub/").content.decode()
    for said in ("Airship pricing", initiative.ref, "Account management", "MVP", "Marta Lindqvist"):
        assert said in page
    main = page.partition("<main")[2]
    for hidden in (
        "Zeppelin",
        initiative.problem,
        f'href="/initiatives/{initiative.ref}/"',
        "Ravi Menon",
        "risk",
    ):
        assert hidden not in main
    assert (
        f'href="/initiatives/{initiative.ref}/"'
        in as_(cast.owner).get(f"/initiatives/{initiative.ref}/stub/").content.decode()
    )
    assert stranger.get(f"/initiatives/{initiative.ref}/").status_code == 404
    detail_actions.change_details(
        initiative=initiative, problem=initiative.problem, platform="", confidential=True, by=cast.owner
    )
    detail_actions.withdraw(initiative=theirs, reason="Twice", by=cast.outsider)
    token = re.compile(r"[A-Za-z0-9]{64}|[0-9a-f]{32}")
    gone = token.sub("", stranger.get("/initiatives/AI-9999/stub/").content.decode())
    assert as_(cast.sponsor).get(f"/initiatives/{theirs.ref}/stub/").status_code == 404
    assert token.sub("", stranger.get(f"/initiatives/{initiative.ref}/stub/").content.decode()) == gone
    assert found("airship", cast.sponsor) == {}


def test_the_page_in_groups_page_by_page_and_without_a_word(cast, as_):
    for number in range(28):
        factories.make_initiative(cast, title=f"Batch run {number}")
    client = as_(cast.owner)
    page = client.get("/search/?q=batch").content.decode()
    assert page.count('class="ref"') == FEW
    assert "More initiatives" in page
    assert "Page 2 of 2" in client.get("/search/?q=batch&in=initiatives&page=2").content.decode()
    assert "What can you search for?" in client.get("/search/").content.decode()
    assert "Type at least two letters" in client.get("/search/?q=%20x%20").content.decode()
    assert "No results" in client.get("/search/?q=nowhere").content.decode()
    assert "No results here" in client.get("/search/?q=batch&in=people").content.decode()
    help_topics = client.get("/search/?q=proof+ages").content.decode()
    assert "/help/#ageing" in help_topics
    for words, part in (
        ("glossary", "terms"),
        ("effort", "effort"),
        ("tie system", "systems"),
        ("vendor", "regions"),
    ):
        assert f"/help/#{part}" in client.get("/search/", {"q": words}).content.decode()
    assert "&lt;b&gt;x1" in client.get("/search/?q=<b>x1&in=junk&page=-3").content.decode()


def test_a_search_asks_the_same_however_much_there_is(cast, as_):
    client = as_(cast.seat_risk)
    factories.make_prototype(cast)
    factories.make_system(cast, "Customer ledger")
    tied_initiatives.vendor(cast, "Customer Cloud")

    def asked() -> list[int]:
        words = ("customer", "lindqvist", "AI-0001", "nothing at all")
        return [query_counts.asked(client, "/search/", {"q": word}) for word in words]

    before = asked()
    for number in range(8):
        factories.make_initiative(cast, title=f"Customer wish {number}")
        factories.make_system(cast, f"Customer list {number}")
        tied_initiatives.vendor(cast, f"Customer Works {number}")
    after = asked()
    assert all(now <= then for now, then in zip(after, before, strict=True)), (before, after)
    # One of them for the stubs of initiatives that the person may not open, one for accounts, which may be hidden.
    assert max(before) <= 20, before
    assert before[-1] <= 18, "what the register has not is not asked for twice, but for accounts"


def test_every_part_of_the_help_page_is_listed_and_there(as_, cast, client):
    for page in (client.get("/help/"), as_(cast.owner).get("/help/")):
        body = page.content.decode()
        folds = re.findall(r'<h2>([^<]+)</h2>\s*</summary>\s*<div class="stack narrow" id="([a-z]+)">', body)
        sections = [(anchor, title) for title, anchor in folds]
        listed = re.findall(r'<li><a href="#([a-z]+)">([^<]+)</a></li>', body)
        assert sections == listed
        assert len(sections) > 9
    assert "The chair must lift a hold about regions" in body
    for link in set(re.findall(r'href="(/[^"#]*)"', body.partition("<main")[2])):
        assert as_(cast.owner).get(link).status_code == 200, link
