"""Every remedy that a page offers leads to a page on which it can be done: no link that only leads in a circle."""

from urllib.parse import urljoin

import pytest
from bs4 import BeautifulSoup
from django.urls import reverse

from adoption.demo import initiative_acts
from governance.gates import requirements
from governance.vocabulary import Role
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.models import Initiative
from tests.support import factories
from tests.support.initiatives.initiative_pages import at

pytestmark = pytest.mark.django_db

LOOKS = ("See ", "Processes and sign-on", "Versions and scope")


def main_of(response) -> BeautifulSoup:
    assert response.status_code == 200, response
    return BeautifulSoup(response.content, "html.parser").find("main")


def fields_of(soup) -> set[str]:
    """The names of all fields of forms that are sent, with the verb of the evidence form as it is prefixed."""
    found = soup.select("form[method=post] [name]")
    return {field["name"] for field in found} - {"csrfmiddlewaretoken"}


def does(words: str, soup) -> bool:
    """Whether the page holds the form for a remedy in these words."""
    fields = fields_of(soup)
    if words.startswith("Declare what the MVP"):
        return any(name.endswith("-text") for name in fields)
    if words.startswith("Add"):
        return bool({"evidence-kind", "true_as_of"} & fields)
    if words.startswith(("Answer the requirement", "Create what is missing", "Fix the fault")):
        return "kind" in fields
    if words.startswith("Ask the support owner") or "to accept the role in person" in words:
        return bool({"words", *Role} & fields)
    return bool(soup.select("form[method=post], form[method=get]"))


def remedies_on(client, initiative) -> list[tuple[str, str, str]]:
    """(requirement, words, address) of each remedy that whoever looks is told to do themselves, the next step first."""
    page = client.get(initiative.get_absolute_url())
    rows = [row for name in ("holding", "reaching") for row in page.context[name]]
    found = [(row["text"], row["link_text"], row["link"]) for row in rows if row["who"] == "You"]
    step = page.context["next"]
    return [*([(step["title"], step["link_text"], step["link"])] if step else []), *found]


def of_question(client, initiative, address: str) -> list[tuple[str, str]]:
    """(words, address) of what a requirement's page lists against it, each with its own page."""
    page = client.get(address)
    told = [row for part in page.context.get("against") or [] for row in part.context["against"]]
    return [(words, url) for _, found in told for url, words in found if not words.startswith(LOOKS)]


def idea(cast):
    return factories.make_initiative(cast)


def prototype(cast):
    return factories.make_prototype(cast)


def prototype_with_roles(cast):
    initiative = factories.make_prototype(cast)
    initiative_acts.staff(initiative, cast.team)
    return initiative


def mvp(cast):
    return factories.make_mvp(cast)


def mvp_in_trouble(cast):
    initiative = factories.make_mvp(cast)
    crm = factories.make_system(cast, "CRM", owner=cast.lead)
    factories.make_link(cast, initiative, crm)
    factories.make_process(cast, initiative, status="in_head", holder=cast.lead)
    factories.make_drill(cast, initiative, result="fail")
    item = initiative.evidence.filter(withdrawn_at__isnull=True, kind="document").first()
    evidence_actions.withdraw_evidence(evidence=item, reason="Wrong file.", by=cast.owner)
    requirement_actions.answer(
        initiative=initiative, requirement="gov.impact", kind="no", text="Not yet.", by=cast.owner
    )
    return initiative


def production(cast):
    return factories.make_production(cast)


@pytest.mark.parametrize(
    "build",
    [idea, prototype, prototype_with_roles, mvp, mvp_in_trouble, production],
    ids=lambda b: b.__name__,
)
def test_each_remedy_leads_to_a_page_that_holds_its_form(cast, as_, build):
    initiative, followed, circles = Initiative.objects.get(pk=build(cast).pk), 0, []
    for person in (cast.owner, cast.lead, cast.support):
        client = as_(person)
        if client.get(initiative.get_absolute_url()).status_code != 200:
            continue
        for question, words, address in remedies_on(client, initiative):
            listed = of_question(client, initiative, address) if "/requirements/" in address else []
            followed += 1 + len(listed)
            if not listed and not does(words, main_of(client.get(address))):
                circles.append((person.login, question, words, address))
            for more, there in listed:
                page = main_of(client.get(urljoin(address, there)))
                if not page.select("form, a.btn"):
                    circles.append((person.login, question, more, there))
    assert circles == []
    assert followed


def test_declaring_what_the_mvp_will_prove_leads_to_the_declaration(cast, as_):
    """The last of 22 requirements: the button led to the requirement, and the requirement to itself."""
    initiative, owner = factories.make_prototype(cast), as_(cast.owner)
    initiative_acts.staff(initiative, cast.team)
    initiative_acts.contract(initiative_acts.fresh(initiative), cast.team)
    initiative_acts.plan_scope(initiative, cast.team)
    requirement_actions.answer(
        initiative=initiative_acts.fresh(initiative),
        requirement=requirements.DECLARATION,
        kind="answered",
        text="Five things.",
        by=cast.owner,
    )
    there = reverse("declaration", args=[initiative.ref])
    rows = owner.get(initiative.get_absolute_url()).context["reaching"]
    (row,) = [row for row in rows if row["link_text"] == "Declare what the MVP will show"]
    assert row["link"] == there
    question = main_of(owner.get(at("requirement", initiative.ref, requirements.DECLARATION)))
    assert question.select_one(f"a[href='{there}']")
    listed = main_of(owner.get(reverse("requirements", args=[initiative.ref])))
    assert listed.select_one(f"#row-mvp\\.advance_evidence a[href='{there}']")
    assert does("Declare what the MVP will show", main_of(owner.get(there)))


def test_a_requirement_of_acceptance_leads_to_who_accepts(cast, as_):
    initiative = factories.make_prototype(cast)

    def row():
        rows = as_(cast.owner).get(at("requirement", initiative.ref, "mvp.duty"))
        return rows.context["row"]["fix"]

    assert row() == (at("role-propose", initiative.ref, role="support_owner"), "Propose someone")
    asked = role_actions.propose_role(
        initiative=initiative, role="support_owner", person=cast.support, by=cast.owner
    )
    assert row() == (reverse("people", args=[initiative.ref]), "See who was asked")
    mine = as_(cast.support).get(at("requirement", initiative.ref, "mvp.duty")).context["row"]["fix"]
    assert mine == (reverse("row-act", args=["roles", asked.pk, "accept"]), "Accept the role")


def test_what_waits_for_its_seat_is_nobody_elses_to_do(cast, as_):
    initiative = factories.make_prototype(cast)
    requirement_actions.answer(
        initiative=initiative,
        requirement="mvp.workflow",
        kind="not_applicable",
        text="No workflow.",
        by=cast.owner,
    )
    rows = as_(cast.owner).get(initiative.get_absolute_url()).context["reaching"]
    (row,) = [row for row in rows if "has not accepted the answer “not applicable”" in row["how"]]
    assert row["link_text"] == "Open the requirement"
    assert row["who"] == f"{cast.seats['adoption_change'].full_name} (adoption and change)"
