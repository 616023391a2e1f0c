"""H3: six signatures, then the initiative is renamed and given another problem and platform: nobody signed that."""

import pytest
from bs4 import BeautifulSoup
from django.urls import reverse

from governance.vocabulary import ReviewOutcome
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.models import Initiative, Review
from tests.support import factories
from tests.support.initiatives.initiative_pages import SIGNED

pytestmark = pytest.mark.django_db

OTHER_NAME = "Automatic refusal of customer credit"
OTHER_PROBLEM = "Decide alone, without any person, who is refused credit."


def words(response) -> str:
    return " ".join(BeautifulSoup(response.content, "html.parser").find("main").get_text(" ").split())


def signed_by_everybody(cast, as_) -> Review:
    """A review of the production gate, signed by all six seats on their pages."""
    initiative = factories.make_ready(cast, factories.make_mvp(cast), "production")
    review = review_actions.open_review(initiative=Initiative.objects.get(pk=initiative.pk), by=cast.owner)
    for seat, person in cast.seats.items():
        client, url = as_(person), reverse("sign", args=[review.pk, seat]) + "?verdict=approve"
        page = BeautifulSoup(client.get(url).content, "html.parser")
        sealed = page.select_one("input[name=statement]")["value"]
        answer = client.post(url, {"statement": sealed, "password": factories.PASSWORD})
        assert answer.status_code == 302, seat
    assert review.sign_offs.count() == 6
    return Review.objects.get(pk=review.pk)


def test_h3_another_name_problem_and_platform_end_all_six_approvals(cast, as_):
    review = signed_by_everybody(cast, as_)
    initiative, chair = review.initiative, as_(cast.chair)
    decide = reverse("review-decide", args=[review.pk])
    before = words(chair.get(review.get_absolute_url()))
    assert "seat will no longer count" not in before
    assert "must sign again" not in before

    owner = as_(cast.owner)
    edit = reverse("initiative-act", args=[initiative.ref, "edit"])
    typed = {
        "title": OTHER_NAME,
        "problem": OTHER_PROBLEM,
        "platform": "another vendor",
        "reason": "Clearer.",
    }
    assert owner.post(edit, typed).status_code == 302

    told = words(chair.get(review.get_absolute_url()))
    assert f"the title changed from “Customer summary assistant” to “{OTHER_NAME}”" in told
    assert f"to “{OTHER_PROBLEM}”" in told
    assert "the platform changed from none to “another vendor”" in told
    refused = chair.post(decide, {"outcome": ReviewOutcome.APPROVED, "reason": "Ready."} | SIGNED)
    assert refused.status_code == 403
    assert "must sign again: the title changed from" in words(refused)
    review = Review.objects.get(pk=review.pk)
    assert review.is_open
    assert Initiative.objects.get(pk=initiative.pk).stage == "mvp"
    for sign_off in review.sign_offs.all():
        page = words(as_(sign_off.person).get(reverse("sign-off", args=[sign_off.pk])))
        assert (
            f"This sign-off no longer counts. The title changed from “Customer summary assistant” to “{OTHER_NAME}”"
            in page
        )


def test_h3_what_is_signed_says_the_problem_the_platform_and_who_may_know(cast, as_):
    review = signed_by_everybody(cast, as_)
    for sign_off in review.sign_offs.all():
        assert f"Problem: {review.initiative.problem}" in sign_off.statement
        assert "Platform: none named. The initiative is not confidential." in sign_off.statement


def test_h3_confidentiality_alone_ends_them_and_the_owner_is_told_before(cast, as_):
    review = signed_by_everybody(cast, as_)
    initiative, owner = review.initiative, as_(cast.owner)
    page = reverse("initiative-act", args=[initiative.ref, "edit"])
    same = {name: getattr(initiative, name) for name in ("title", "problem", "platform")}
    after = words(owner.post(page, same | {"confidential": "on"}, confirm=False))
    assert after.count("seat will no longer count") == 6
    assert owner.post(page, same | {"confidential": "on"}).status_code == 302
    told = words(as_(cast.chair).get(review.get_absolute_url()))
    assert "the confidentiality changed from not confidential to confidential" in told
