"""Scenario 1, steps 8 and 9: a vendor term forbids the region of a hop; the vendor moves, and what is redone."""

from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from adoption.demo import case_acts
from governance.models import Notice
from governance.permission_result import Refused
from initiatives.checklist import waivers
from initiatives.components import actions as components_actions
from initiatives.holds import actions as hold_actions
from initiatives.integration.links import actions as link_actions
from initiatives.integration.residency import actions as residency_actions
from initiatives.models import Hold, Vendor, Voiding
from initiatives.reviews import actions as review_actions
from tests.acceptance.walks import story
from tests.acceptance.walks.story import at
from tests.support import factories

pytestmark = pytest.mark.django_db

STALE = {"architecture_integration", "service_operations", "business_value"}


def moved(case, cast, region: str):
    """The same model, at an endpoint in another region."""
    return components_actions.record_component(
        case=case, layer="model", name="Language model", version="m-4", region=region, by=cast.lead
    )


def newly_voided(after: int) -> set[str]:
    return set(Voiding.objects.filter(pk__gt=after).values_list("requirement", flat=True))


def last_voiding() -> int:
    return Voiding.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def test_a_forbidden_region_found_and_mended(cast, as_):
    case = story.mvp_of_spring(cast)
    seats = cast.seats

    # 0. The path is described in October: CRM, then the vendor's model in us-east.
    with at(2026, 10, 20):
        vendor = Vendor.objects.get(name="Modelwright")  # listed with the model of the case
        model = moved(case, cast, "us-east").component
        hops = [link_actions.Place("vendor model", vendor=vendor, component=model)]
        for name in ("CRM", "Billing"):
            system = factories.make_system(cast, name, regions=["CH"])
            factories.make_link(
                cast, case, system, agreed=True, hops=hops if name == "CRM" else [], **story.CAREFUL
            )
        factories.make_flow(cast, case)
    with at(2026, 11, 2):
        story.renew(case, cast)
        case_acts.ground_gate(case, "production", cast.team)
        review = review_actions.open_review(case=story.fresh(case), by=cast.owner)
    with at(2026, 11, 12, 9):
        for seat, person in seats.items():
            case_acts.vote(review, seat, person)
        assert story.sitting(review).verdict.decidable, f"step 7: {story.blockers(review)}"

    # 8. Instead of approval, the security seat files a vendor term.
    before = last_voiding()
    with at(2026, 11, 12, 10, 50):
        residency_actions.file_vendor_term(
            vendor=vendor,
            kind="region",
            reference="MSA 4.2",
            words="no processing outside EU",
            allowed=["EU"],
            starts_on=date(2026, 11, 12),
            by=cast.seat_security,
        )
        hold = Hold.objects.open().get(initiative=case)
        assert (hold.kind, hold.blocking) == ("residency", True), "step 8: a blocking hold, at once"
        assert hold.reason == (
            "vendor model, us-east: forbidden by Modelwright MSA 4.2 (no processing outside EU)."
        ), "step 8: with the exact hop and clause"
        assert newly_voided(before) == {"int.residency", "prod.maintenance"}, "step 8: both list vendor_terms"
        assert set(story.stale_seats(review)) == STALE, f"step 8: {story.stale_seats(review)}"
        assert story.fresh_seats(review) == set(seats) - STALE, "step 8: the others are fresh"
        assert not story.sitting(review).verdict.decidable, "step 8: the review is not decidable"
        with pytest.raises(Refused):
            review_actions.decide(review=review, outcome="approved", reason="Ready.", by=cast.chair)
        page = as_(cast.owner).get(case.get_absolute_url()).content.decode()
        assert "data leaves the allowed region" in page, "step 8: no banner on the MVP"
        assert "vendor model, us-east" in page
        told = Notice.objects.filter(kind="held")
        assert set(told.values_list("case_ref", flat=True)) == {case.ref}
        people = set(told.values_list("person__login", flat=True))
        assert {"chair", "owner"} <= people, "step 8: the chair is told of a live MVP"
        assert "seat-security" not in people, "step 8: whoever filed the term knows"
        assert story.span(case).supported == "prototype", "step 8: what is supported falls without a vote"
        for page in (reverse("waivers", args=[case.ref]), reverse("integration-residency", args=[case.ref])):
            assert "Ask for a waiver of" not in as_(cast.owner).get(page).content.decode()
        with pytest.raises((Refused, ValidationError)):
            waivers.request_waiver(
                case=case,
                key="production.test_integration",
                reason="It is only a region.",
                until=date(2026, 12, 1),
                by=cast.owner,
            )
        with pytest.raises(Refused):
            hold_actions.lift_hold(hold=hold, reason="It will be fine", by=cast.chair)

    # 9. The vendor moves; the hold can be lifted, and what the new endpoint ends says so.
    before = last_voiding()
    with at(2026, 11, 16):
        moved(case, cast, "eu-west")
        hold = Hold.objects.open().get(initiative=case)
        assert hold.liftable_since, "step 9: the chair may lift it now"
        found = newly_voided(before)
        assert {"prod.performance", "int.anchor"} <= found, f"step 9: the endpoint changed: {found}"
        assert "int.fallback" not in found, "step 9: what does not list model_version stands"
        for key in ("prod.performance", "int.anchor"):
            words = story.state(case, key).words
            assert "Language model m-4 (us-east) to m-4 (eu-west)" in words, f"step 9: {key} says {words}"
        page = as_(cast.lead).get(reverse("integration-residency", args=[case.ref])).content.decode()
        assert "eu-west" in page
        assert "not allowed" not in page, "step 9: the new path is allowed"
        to_redo = as_(cast.lead).get(reverse("checklist", args=[case.ref])).content.decode()
        assert "m-4 (eu-west)" in to_redo, "step 9: the team sees what to redo, and why"
        hold_actions.lift_hold(hold=hold, reason="The new path stays in the EU", by=cast.chair)
        assert not Hold.objects.open().filter(initiative=case).exists()

    # Eight weeks of readings on the new endpoint later.
    with at(2027, 1, 8):
        story.renew(case, cast)
        case_acts.ground_gate(case, "production", cast.team)
        current = case.reviews.filter(outcome="open").first()
        if current is None or story.sitting(current).verdict.blockers:
            for one in case.reviews.filter(outcome="open"):
                review_actions.withdraw_review(
                    review=one, reason="Opened anew with the new path.", by=cast.owner
                )
            current = review_actions.open_review(case=story.fresh(case), by=cast.owner)
        for seat, person in seats.items():
            case_acts.vote(current, seat, person)
    with at(2027, 1, 11):
        assert story.sitting(current).verdict.decidable, f"outcome: {story.blockers(current)}"
        review_actions.decide(review=current, outcome="approved", reason="Ready.", by=cast.chair)
    assert story.fresh(case).stage == "production"
    with at(2027, 1, 11, 12):
        assert story.span(case).supported == "production", story.span(case).gaps
