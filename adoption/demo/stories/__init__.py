"""What became of each initiative: twelve lives told whole and eighteen short ones, with every kind of trouble."""

from collections.abc import Callable
from datetime import timedelta

from adoption.demo import meetings
from adoption.demo.people import Company
from adoption.demo.stories import beginnings, changes, lessons, production, register, running, trials
from governance import clock

# Where the time of the demo begins and ends within a start, in percent, and the share of a story by its module.
FIRST, LAST = 15, 95
SHARES = {production: 12, trials: 5, beginnings: 1}


def tell(company: Company, report: Callable[..., None]) -> None:
    """Tell every story, in the order of the references; let the rules move on, and people go.

    `report(percent, step, next step, people=True)` is called before each story.
    """
    ends = clock.now() + timedelta(days=62)
    with clock.simulated(clock.now() - timedelta(days=459)):
        register.models_in_use(company)
        register.systems_in_use(company)
    with clock.simulated(clock.now() - timedelta(days=332)):
        register.policy_of_finance(company)
        register.model_near_its_end(company, clock.local_day(ends))
    shares = {module.__name__: share for module, share in SHARES.items()}
    whole, done = sum(shares[story.__module__] for story in STORIES), 0
    for number, story in enumerate(STORIES, 1):
        percent = FIRST + (LAST - FIRST) * done // whole
        report(percent, f"Build the demo, {number} of {len(STORIES)}", "Import an inventory", people=True)
        story(company)
        done += shares[story.__module__]
    with clock.simulated(clock.now() - timedelta(days=2)):
        register.vendor_term_that_bites(company)
    lessons.come_back(company)
    for change in (changes.away_now, changes.away_soon, changes.leaving):
        change(company)
    meetings.planned(company, "customer-service")
    running.this_morning(company)


STORIES = (
    production.enforced_production,
    production.production_in_name_only,
    production.minimal_production,
    production.retired,
    trials.high_risk,
    trials.larger_prototype,
    trials.planned_model_change,
    trials.held_and_taken_back,
    trials.permanent_pilot,
    trials.returned_review,
    trials.refused,
    trials.waiting_for_the_risk_seat,
    beginnings.not_yet_an_honest_prototype,
    beginnings.stopped_and_looked_back_on,
    beginnings.post_mortem_overdue,
    beginnings.contract_to_approve,
    beginnings.role_to_accept,
    beginnings.stopped_idea,
    beginnings.chair_is_team_member,
    beginnings.ready_for_the_chair,
    beginnings.idea_under_review,
    beginnings.ideas,
)
