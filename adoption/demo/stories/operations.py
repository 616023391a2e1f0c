"""Operations, with a board of its own; and an idea of somebody who sees no other initiative."""

from datetime import timedelta

from adoption.demo import postmortems
from adoption.demo.chapters import telling
from adoption.demo.people import Company
from adoption.reports import actions as report_actions
from governance import clock
from initiatives.lifecycle.holds import actions as hold_actions
from initiatives.lifecycle.roles import actions as role_actions


def condition_overdue(company: Company) -> None:
    """A permanent pilot: an MVP that nobody continued, stopped or promoted, with a condition that nobody met."""
    with telling(company, "stops", 285) as tale:
        tale.idea(331)
        tale.prototype(324)
        wanted = {
            "text": "Measure the morning round for two weeks without the summaries, for comparison.",
            "owner": tale.team.owner,
            "due": tale.today - timedelta(days=10),
        }
        tale.mvp(288, conditions=[wanted])


def retired(company: Company) -> None:
    """A system that was in production and was withdrawn in good order."""
    with telling(company, "parts", 10) as tale:
        tale.idea(300)
        tale.prototype(230)
        tale.mvp(170)
        tale.production(80)
        postmortems.at_go_live(tale, 42)
        tale.prove("retire", 30)
        review = tale.submit(24)
        tale.sign(review, 18, ("service_operations", "adoption_change"))
        tale.decide(review, 10, "The new catalogue has a search of its own.")


def upright_prototype(company: Company) -> None:
    """An honest prototype."""
    with telling(company, "welds", 30) as tale:
        tale.idea(60)
        tale.prototype(30)


def gap_open(company: Company) -> None:
    """An upright MVP with a gap that bites downstream, and a sponsor who has not answered yet."""
    with telling(company, "windows", 5) as tale:
        tale.idea(140)
        tale.prototype(100)
        tale.mvp(48)
        with tale.day(20):
            hold_actions.open_gap(
                initiative=tale.initiative,
                text="Depot 3 writes local time without saying so; its windows are an hour off in winter.",
                owner=tale.team.lead,
                due=tale.today + timedelta(days=25),
                downstream=["Customer messages", "Driver planning"],
                by=tale.team.owner,
            )
        with tale.day(7):
            report_actions.report_behaviour_report(
                initiative=tale.initiative,
                kind="weaponised",
                group="Night drivers",
                words="Dispatchers hold the forecast against drivers who come later than it said.",
                source="told",
                observed_on=clock.today(),
                by=tale.team.support,
            )
        with tale.day(5):
            role_actions.propose_role(
                initiative=tale.initiative, role="sponsor", person=company["sponsor"], by=tale.team.owner
            )


def idea_under_review(company: Company) -> None:
    """An idea that waits for the value seat."""
    with telling(company, "repairs", 10) as tale:
        tale.idea(25)
        tale.describe(15)
        tale.submit(10)


def new_idea(company: Company) -> None:
    """An idea of last week."""
    with telling(company, "docks", 5) as tale:
        tale.idea(8)
        tale.describe(5, ("proto.question",))


def idea_of_an_outsider(company: Company) -> None:
    """An idea of somebody who sees no other initiative."""
    with telling(company, "canteen", 3) as tale:
        tale.idea(5)
        tale.describe(3, ("proto.question", "proto.scope"))
