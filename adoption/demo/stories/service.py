"""Customer service: trials, a hold, a stop, a high risk."""

from datetime import timedelta

from adoption.demo import meetings
from adoption.demo.chapters import telling
from adoption.demo.people import Company
from adoption.demo.stories import incidents, register
from adoption.demo.surveys import ask
from governance import clock
from initiatives.integration.components import actions as components_actions
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.holds import actions as hold_actions
from initiatives.lifecycle.requirements.waivers import WAIVERS
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.models import ComponentVersion


def planned_model_change(company: Company) -> None:
    """An MVP with a waiver that runs, and a new model that starts next week and is not assessed."""
    with telling(company, "tickets", 3) as tale:
        tale.idea(150)
        register.four_knowledge_bases(company, tale)
        tale.prototype(110)
        register.worked(tale, 109, 3, waited={"Whoever owns the old answers": 15})
        tale.prepare_mvp(63, skip=("mvp.workflow",))
        with tale.day(64):
            waiver = WAIVERS.ask(
                tale.again(),
                key="mvp.workflow",
                reason="The queues are redrawn in December; until then a team lead sorts what looks wrong, daily.",
                until=clock.today() + timedelta(days=88),
                by=tale.team.owner,
            )
        with tale.day(63, 16):
            WAIVERS.agree(row=waiver, by=tale.team.seats["risk_compliance"])
            WAIVERS.agree(row=waiver, by=tale.team.chair)
        review = tale.submit(62)
        tale.sign(review, 58, ("business_value", "risk_compliance", "adoption_change", "security_privacy"))
        with meetings.held(
            tale,
            55,
            "The risk seat asked who sorts what looks wrong until the queues are redrawn: a team lead, daily. The "
            "board let it go to Lisbon alone, and wants to see the new workflow in December.",
        ):
            tale.decide(review, 55, "Bounded to Lisbon; the workflow follows with the new queues.")
        incidents.avoided(tale, 5)
        with tale.day(3):
            components_actions.record_component(
                initiative=tale.initiative,
                layer="model",
                name=tale.words.part,
                version="m-5",
                vendor=tale.words.vendor,
                region=tale.words.region,
                runs_from=clock.midnight_before(tale.today + timedelta(days=9)),
                by=tale.team.lead,
            )
        asked = {"Service desk, Lisbon": (12, 4)}
        ask(tale, 2, None, title="Sorting tickets, first month", teams=asked, mood=0.6, said=())


def stale_sign_off(company: Company) -> None:
    """An MVP review in which one seat must sign again: what it signed for was superseded."""
    with telling(company, "warranty", 4) as tale:
        tale.idea(80)
        tale.prototype(55)
        tale.prepare_mvp(14)
        review = tale.submit(12)
        tale.sign(review, 9, ("business_value", "risk_compliance", "security_privacy"))
        old = tale.initiative.evidence.get(kind="contract_clause", coverage__requirement="int.residency")
        with tale.day(4):
            evidence_actions.add_evidence(
                initiative=tale.initiative,
                kind="contract_clause",
                title="Clause on regions, read again with the processor's new list of places",
                observed_on=clock.today(),
                covers=["int.residency"],
                clause=old.clause,
                supersedes=old,
                by=tale.team.steward,
            )


def held(company: Company) -> None:
    """An MVP that somebody on the board stopped from moving."""
    with telling(company, "handover", 6) as tale:
        tale.idea(160)
        tale.prototype(130, ComponentVersion.objects.get(name="Scribe", version="4"))
        tale.mvp(50)
        incidents.incident(company, tale, 7)
        with tale.day(6):
            hold_actions.hold(
                initiative=tale.initiative,
                reason="Three summaries named an illness that the customer had mentioned. Nothing moves until those "
                "are found and the rule holds.",
                by=tale.team.seats["security_privacy"],
            )


def post_mortem_due(company: Company) -> None:
    """A prototype that was stopped; what was learned is to be written down within the month."""
    with telling(company, "transcripts", 20) as tale:
        tale.idea(100)
        tale.prototype(70)
        with tale.day(20):
            stage_actions.stop(
                initiative=tale.again(),
                reason_code="blocked",
                reason="The telephone system cannot say who agreed to be recorded.",
                by=tale.team.owner,
            )


def returned_review(company: Company) -> None:
    """An MVP review that came back with questions; a waiver that its owner asked for waits for the chair."""
    with telling(company, "articles", 6) as tale:
        tale.idea(110)
        tale.prototype(75)
        tale.prepare_mvp(22, skip=("mvp.workflow", "int.sources_condition"))
        review = tale.submit(20)
        with tale.day(13):
            review_actions.return_review(
                review=review,
                reason="Two of the four knowledge bases have no owner. Which ones are read, and who answers for them?",
                by=tale.team.chair,
            )
        with tale.day(6):
            waiver = WAIVERS.ask(
                tale.again(),
                key="mvp.workflow",
                reason="The editors' workflow is being rewritten; drafts are read by two people until then.",
                until=clock.today() + timedelta(days=60),
                by=tale.team.owner,
            )
        with tale.day(6):
            WAIVERS.agree(row=waiver, by=tale.team.seats["risk_compliance"])


def high_risk_production(company: Company) -> None:
    """Production of high risk that its evidence supports: two persons verified each answer."""
    with telling(company, "callbacks", 12) as tale:
        tale.idea(260)
        tale.prototype(200)
        tale.mvp(120)
        tale.production(12)


def high_risk(company: Company) -> None:
    """A high-risk MVP on its way to production: all six seats must sign, three have."""
    with telling(company, "refunds", 4) as tale:
        tale.idea(210)
        tale.prototype(150)
        tale.mvp(80)
        tale.prepare_production(14)
        review = tale.submit(9)
        tale.sign(review, 6, ("business_value", "risk_compliance", "security_privacy"))
