"""What became of each initiative: about thirty lives that end, today, in every stage and every kind of trouble."""

from datetime import timedelta

from adoption.demo import lessons, meetings
from adoption.demo.people import Company
from adoption.demo.stories import (
    accounts,
    changes,
    decision_requests,
    finance,
    hr,
    operations,
    register,
    service,
    stores,
)
from governance import clock


def tell(company: Company) -> None:
    """Tell every story, in the order of the references; let the rules move on, and people go."""
    ends = clock.now() + timedelta(days=62)
    with clock.simulated(clock.now() - timedelta(days=459)):
        register.models_in_use(company)
    with clock.simulated(clock.now() - timedelta(days=332)):
        register.policy_of_finance(company)
        register.model_near_its_end(company, clock.local_day(ends))
    for story in STORIES:
        story(company)
    with clock.simulated(clock.now() - timedelta(days=2)):
        register.vendor_term_that_bites(company)
    lessons.elsewhere(company)
    for change in (changes.away_now, changes.away_soon, changes.leaving):
        change(company)
    meetings.planned(company, "customer-service")
    decision_requests.asking(company)


STORIES = (
    finance.prototype_in_production,
    operations.retired,
    finance.production_in_name_only,
    finance.upright_production,
    accounts.larger_prototype,
    accounts.ready_for_the_chair,
    service.high_risk,
    stores.not_yet_an_honest_prototype,
    finance.vacant_owner,
    service.held,
    service.planned_model_change,
    accounts.condition_open,
    operations.gap_open,
    stores.overdue_post_mortem,
    operations.condition_overdue,
    service.returned_review,
    service.post_mortem_due,
    stores.refused,
    accounts.waiting_for_the_risk_seat,
    service.stale_sign_off,
    hr.role_to_accept,
    stores.blocked_by_a_obligation,
    finance.contract_to_approve,
    hr.stopped_idea,
    operations.upright_prototype,
    operations.idea_under_review,
    hr.chair_is_team_member,
    accounts.half_described_idea,
    operations.new_idea,
    operations.idea_of_an_outsider,
    hr.minimal_production,
    service.high_risk_production,
    finance.renewed_on_paper,
)
