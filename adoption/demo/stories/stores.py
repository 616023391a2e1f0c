"""Stores: one owner whose obligations stand in the way."""

from datetime import timedelta

from adoption.demo import initiative_acts
from adoption.demo.chapters import telling
from adoption.demo.people import Company
from adoption.demo.stories import register
from adoption.demo.texts import ATTESTED
from adoption.postmortems import actions as postmortem_actions
from adoption.postmortems.writing import write
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.stages import actions as stage_actions


def not_yet_an_honest_prototype(company: Company) -> None:
    """A prototype whose stated limits have aged out; the chair let it go on once, and is asked again."""
    with telling(company, "shelves", 160) as tale:
        tale.idea(331)
        tale.prototype(324)
        with tale.day(170):
            stage_actions.continue_stage(
                initiative=tale.initiative,
                reason="Two stores were rebuilt in the spring. It needs a season of shelves that stand still.",
                until=tale.today + timedelta(days=9),
                was=supported_stage.review_by(tale.initiative),
                by=tale.team.chair,
            )
        tale.describe(168, [key for key in ATTESTED["prototype"] if key != "proto.limitations"])


def refused(company: Company) -> None:
    """An MVP review that the board refused; the post-mortem waits for the adoption seat to confirm it."""
    with telling(company, "questions", 3) as tale:
        tale.idea(90)
        tale.prototype(60)
        tale.prepare_mvp(25, skip=("mvp.expectations",))
        review = tale.submit(23)
        with tale.day(20):
            initiative_acts.sign_off(
                review,
                "risk_compliance",
                tale.team.seats["risk_compliance"],
                "object",
                reason="Store staff are not told that this is a trial.",
                criteria=("mvp.rollout_bounded",),
            )
        tale.decide(
            review,
            18,
            "Nobody told the people who would rely on it. Come back when they know.",
            outcome="refused",
        )
        with tale.day(3):
            draft = postmortem_actions.start(
                obligation=tale.initiative.obligations.open().get(kind="post_mortem"), by=tale.team.owner
            )
            draft = write(
                post_mortem=draft,
                expected="An answer desk in eleven stores by the end of the month, on trial.",
                timeline="Built in three weeks. Shown to store leads in the fourth. Refused in the seventh.",
                impact="Eleven stores expected an answer desk by the end of the month and have none.",
                detected="The risk seat asked who had told the staff, and nobody could say. Two weeks before the gate.",
                made_easy="The handbook has no owner in the stores, and no checklist asks who tells the users.",
                went_well="The answers themselves were right in nine of ten tries.",
                no_gaps_because="Nothing ran, so nothing is left open.",
                causes=[
                    {
                        "side": "failure",
                        "said": "found",
                        "layer": "integration",
                        "grounds": "The handbook has no owner in the stores, so nobody could say who tells the staff.",
                    },
                    {
                        "side": "failure",
                        "said": "assumed",
                        "layer": "model",
                        "by_whom": "management",
                        "grounds": "The model was not good enough for stores.",
                    },
                ],
                lessons=[
                    {
                        "text": "Name who tells the users before asking for the gate.",
                        "instead": "Ask each store lead for one name, and put the names into the rollout plan.",
                        "layer": "application",
                        "pattern": "ownership",
                        "tags": ["rollout", "store staff"],
                    }
                ],
                by=tale.team.owner,
            )
            postmortem_actions.hand_in(post_mortem=draft, version=draft.version, by=tale.team.owner)


def overdue_post_mortem(company: Company) -> None:
    """A stopped prototype whose post-mortem is late."""
    with telling(company, "promotions", 45) as tale:
        tale.idea(140)
        tale.prototype(110)
        with tale.day(45):
            stage_actions.stop(
                initiative=tale.again(),
                reason_code="no_value",
                reason="The forecast was right for milk and wrong for everything that was on promotion.",
                by=tale.team.owner,
            )


def blocked_by_a_obligation(company: Company) -> None:
    """An MVP review that nobody can decide while its owner must give a post-mortem elsewhere."""
    with telling(company, "labels", 5) as tale:
        tale.idea(70)
        tale.prototype(50)
        tale.prepare_mvp(7)
        register.through_vendor(company, tale, 6)
        tale.submit(5)
