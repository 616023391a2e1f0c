"""Eight initiatives at or behind the MVP gate: what the board asked, stopped, refused, returned and took back."""

from datetime import timedelta
from decimal import Decimal

from adoption.demo import artefacts, initiative_acts, meetings, postmortems
from adoption.demo.chapters import Tale, telling
from adoption.demo.people import Company
from adoption.demo.stories import register
from adoption.incidents import actions as incident_actions
from adoption.incidents import reporting_clocks
from adoption.reports import actions as report_actions
from governance import clock
from initiatives.integration.components import actions as components_actions
from initiatives.integration.components.evaluations import actions as evaluation_actions
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.lifecycle.requirements.waivers import WAIVERS
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.reviews.sign_offs import actions as sign_off_actions
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.models import ComponentVersion
from initiatives.portfolio.efforts import notes
from initiatives.portfolio.units import leaving


def high_risk(company: Company) -> None:
    """A high-risk MVP before its last gate: all six seats must sign. One is stale, one objected and was answered."""
    with telling(company, "refunds", 3) as tale:
        tale.idea(210)
        tale.prototype(150)
        tale.mvp(80)
        _measure_model(tale, 30)
        tale.prepare_production(14)
        review = tale.submit(9)
        tale.sign(review, 8, ("business_value", "risk_compliance", "security_privacy"))
        seat = tale.team.seats["architecture_integration"]
        with tale.day(6):
            objection = initiative_acts.sign_off(
                review,
                "architecture_integration",
                seat,
                "object",
                reason="The drill took the ticket system away for a minute. What happens after an hour?",
                criteria=("production.exceptions",),
            )
        with tale.day(5):
            sign_off_actions.reply(
                objection=objection,
                text="Clerks check by hand, as before. They did for three hours on the second Friday of the trial.",
                by=tale.team.owner,
            )
        tale.sign_one(review, 4, "architecture_integration")
        _replace_minutes(tale, 3)
        with tale.day(3):
            review_actions.ask_question(
                review=review,
                criterion="production.operational_acceptance",
                text="The evaluation found 83 of 100 right; 85 were asked for. Which refunds are the other seventeen?",
                by=tale.team.seats["service_operations"],
            )


def _measure_model(tale: Tale, ago: int) -> None:
    """Its model is tried on a data set against a threshold that was said before, and misses it."""
    with tale.day(ago):
        model = tale.again().deployments.filter(version__layer="model").latest("runs_from")
        evaluation = evaluation_actions.declare_evaluation(
            initiative=tale.initiative,
            deployment=model,
            data_set="Four hundred refunds of the spring, each decided by two clerks",
            metric="share that both clerks agree with",
            comparison="at_least",
            threshold=Decimal("0.85"),
            by=tale.team.lead,
        )
    with tale.day(ago - 4):
        found = {"result": Decimal("0.83"), "n": 400, "measured_on": clock.today()}
        evaluation_actions.record_result(evaluation=evaluation, **found, by=tale.team.lead)


def _replace_minutes(tale: Tale, ago: int) -> None:
    """The minutes of the monitoring are added anew, after a seat signed for what was there before."""
    minutes = tale.initiative.evidence.filter(kind="decision_record", coverage__requirement="prod.monitoring")
    with tale.day(ago):
        title = "Minutes of the weekly look at the monitoring, with the week of the slow hour"
        evidence_actions.add_evidence(
            initiative=tale.again(),
            kind="decision_record",
            title=title,
            observed_on=clock.today(),
            covers=["prod.monitoring"],
            file=artefacts.pdf(
                f"{title} ({tale.ref})", ["The slow hour came from a full queue."], clock.today()
            ),
            details=artefacts.details_of("decision_record", clock.today(), str(tale.team.chair)),
            supersedes=minutes.latest("pk"),
            by=tale.team.support,
        )


def larger_prototype(company: Company) -> None:
    """An MVP whose evidence aged out last week: it cannot answer basic questions any more."""
    with telling(company, "notes", 90) as tale:
        tale.idea(240)
        tale.prototype(205)
        with tale.day(190):
            notes.record_event(
                initiative=tale.initiative,
                kind="demo",
                happened_on=clock.today(),
                words="Shown to the regional managers on twelve chosen notes. Everybody nodded.",
                by=tale.team.owner,
            )
        tale.mvp(140)
        tale.renew_mvp(94)
        tale.accept_again(92)
    tale.night(2)
    with tale.day(1):
        notes.record_funding(
            initiative=tale.initiative,
            decided_on=clock.today(),
            decided_by="Regional steering committee",
            basis="The demo of the spring, and the number of users in the trial.",
            amount=Decimal(180_000),
            currency="EUR",
            by=tale.team.owner,
        )


def planned_model_change(company: Company) -> None:
    """An MVP with a waiver that runs, a condition that is due soon, and a new model that is not assessed."""
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
        wanted = {
            "text": "Show the team leads how a ticket is taken back out of a queue, and note who saw it.",
            "owner": company["steward"],
            "due": tale.today + timedelta(days=10),
        }
        with meetings.held(
            tale,
            55,
            "The risk seat asked who sorts what looks wrong until the queues are redrawn: a team lead, daily. The "
            "board let it go to Lisbon alone, and wants to see the new workflow in December.",
        ):
            tale.decide(review, 55, "Bounded to Lisbon; the workflow follows.", conditions=[wanted])
        with tale.day(5):
            report_actions.report_behaviour_report(
                initiative=tale.again(),
                kind="worked_around",
                group="Evening shift, Lisbon",
                extent="fewer",
                words="They paste tickets into their old macro, because it answers in one language only.",
                source="seen",
                observed_on=clock.today(),
                by=tale.team.steward,
            )
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


def held_and_taken_back(company: Company) -> None:
    """An MVP that a seat stopped from moving after an incident, and that the chair took back to a prototype."""
    with telling(company, "handover", 5) as tale:
        tale.idea(160)
        tale.prototype(130, ComponentVersion.objects.get(name="Scribe", version="4"))
        tale.mvp(50)
        _incident(company, tale, 7)
        with tale.day(6):
            hold_deeds.hold(
                initiative=tale.initiative,
                reason="Three summaries named an illness that the customer had mentioned. Nothing moves until those "
                "are found and the rule holds.",
                by=tale.team.seats["security_privacy"],
            )
        with tale.day(5):
            stage_actions.step_back(
                initiative=tale.again(),
                reason="It is tried on written chats by its team until the rule on illnesses holds.",
                users_told="By the team leads of both sites, this morning, before the first shift.",
                scope={
                    "users": "Agents of the team, on written chats",
                    "user_count": 4,
                    "departments": [tale.team.unit.name],
                    "places": [tale.words.place],
                    "data_classes": [tale.words.data],
                    "rollout": False,
                    "live_data": False,
                },
                by=tale.team.chair,
            )


def _incident(company: Company, tale: Tale, ago: int) -> None:
    """Summaries that named an illness: opened by the owner, contained the same day."""
    with tale.day(ago, 10):
        reporting_clocks.lay_out_duties(by=company["admin"])
        row = incident_actions.open_incident(
            initiative=tale.again(),
            severity=2,
            title="Summaries named an illness",
            words="Three summaries repeat what a customer had said about an illness.",
            started_at=clock.now() - timedelta(hours=20),
            detected_at=clock.now() - timedelta(minutes=40),
            wrong_output=True,
            affected_count=3,
            affected_words="customers who were called back",
            by=tale.team.owner,
        )
        incident_actions.take_part(incident=row, role="lead", by=tale.team.owner)
        incident_actions.write_line(
            incident=row, words="The three summaries are taken out; agents were told.", by=tale.team.lead
        )
        incident_actions.move_on(incident=row, state="contained", by=tale.team.owner)


def permanent_pilot(company: Company) -> None:
    """An MVP that nobody continued, stopped or promoted, and whose owner left: a condition is overdue, a gap open."""
    with telling(company, "stops", 5) as tale:
        tale.idea(331)
        tale.prototype(324)
        wanted = {
            "text": "Measure the morning round for two weeks without the summaries, for comparison.",
            "owner": company["diego"],
            "due": tale.today - timedelta(days=10),
        }
        tale.mvp(288, conditions=[wanted])
        with tale.day(20):
            hold_deeds.open_gap(
                initiative=tale.initiative,
                text="Line 3 writes local time without saying so; its stops are an hour off in winter.",
                owner=tale.team.lead,
                due=tale.today + timedelta(days=25),
                downstream=["Shift planning", "Spare part orders"],
                by=tale.team.owner,
            )
        tale.sponsor(19, "sponsor", accepts=False)
        with tale.day(12):
            leaving.deactivate(person=tale.team.owner, reason="Left the company", by=company["admin"])
        with tale.day(7):
            report_actions.report_behaviour_report(
                initiative=tale.again(),
                kind="weaponised",
                group="Night shift, plant 2",
                words="Shift leads hold the summary against operators whose stop took longer than it said.",
                source="told",
                observed_on=clock.today(),
                by=tale.team.support,
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
        reason = "Nobody told the people who would rely on it. Come back when they know."
        tale.decide(review, 18, reason, outcome="refused")
        postmortems.after_the_refusal(tale, 3)


def waiting_for_the_risk_seat(company: Company) -> None:
    """A prototype whose MVP review lacks one signature and has one requirement open."""
    with telling(company, "renewals", 4) as tale:
        tale.idea(60)
        tale.prototype(38)
        tale.prepare_mvp(10)
        review = tale.submit(8)
        tale.sign(review, 6, ("business_value", "adoption_change", "security_privacy"))
        with tale.day(4):
            review_actions.ask_question(
                review=review,
                criterion="mvp.workflow_known",
                text="Who reads the letter before it leaves the house while a colleague is on holiday?",
                by=tale.team.seats["adoption_change"],
            )
