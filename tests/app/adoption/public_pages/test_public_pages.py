"""The public page of an initiative and its badge: what they say, to whom, made and withdrawn by whom."""

from datetime import timedelta
from xml.etree import ElementTree

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse

from adoption.models import PublicPage
from adoption.public_pages import actions, presentation
from adoption.reports import public_link
from governance import clock
from governance.database.row_history import acting
from governance.models import Entry
from governance.permission_result import Conflict, Refused
from initiatives.contracts.enforcement import kill_switch
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.holds import actions as hold_actions
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.models import Evidence, Initiative
from tests.support import factories
from tests.support.database import snapshots
from tests.support.web.security_policy import ALONE, trouble_with

pytestmark = pytest.mark.django_db
PURPOSE = "It proposes summaries of calls; people send them."
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
@snapshots.kept
def row(cast) -> PublicPage:
    """The public page of an MVP."""
    return actions.tell_public(initiative=factories.make_mvp(cast), purpose=PURPOSE, by=cast.owner)


def look(row, name="public-page", **query):
    return Client().get(reverse(name, args=[row.token]), query or {"lang": "en"})


def words(row, **query) -> str:
    return look(row, **query).content.decode()


def title_of(row, **query) -> str:
    return ElementTree.fromstring(look(row, "public-badge", **query).content).find(f"{SVG}title").text


def fall_short(initiative, cast) -> None:
    """Withdraw evidence until less than an MVP is supported."""
    for item in Evidence.objects.filter(initiative=initiative, withdrawn_at__isnull=True, author=cast.owner):
        evidence_actions.withdraw_evidence(evidence=item, reason="It was of another system.", by=cast.owner)


def set_secret(initiative, *, confidential: bool) -> None:
    """Past the act: the database looks at the end of the transaction, the page at once."""
    with acting(system="test", reason="Past the act"):
        initiative.confidential = confidential
        initiative.save()


def test_it_says_what_it_is_for_its_stage_and_limits_and_whom_to_ask(cast, row):
    initiative = row.initiative
    link = public_link.open_link(initiative=initiative, by=cast.owner)
    response = look(row)
    page = response.content.decode()
    scope = initiative.scopes.filter(ended_at__isnull=True, starts_at__isnull=False).get()
    for said in (
        initiative.ref,
        initiative.title,
        PURPOSE,
        "This AI is approved as MVP, and the evidence supports the approval.",
        "An MVP is a trial with limits.",
        scope.users,
        cast.owner.full_name,
        cast.support.full_name,
        reverse("report-problem", args=[link.token]),
    ):
        assert said in page, said
    assert not response.cookies
    assert trouble_with(response) == []
    assert response["X-Robots-Tag"] == "noindex"
    assert response["Cache-Control"] == "no-store"
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"
    german = words(row, lang="de")
    assert "Diese KI ist als MVP freigegeben, und die Nachweise stützen die Freigabe." in german


def test_nothing_else_of_the_initiative_is_on_it(cast, row):
    initiative = row.initiative
    hidden = [
        initiative.problem,
        initiative.worst_credible_harm,
        cast.chair.full_name,
        cast.lead.full_name,
    ]
    hidden += [one.title for one in Evidence.objects.filter(initiative=initiative)]
    hidden += [one.version.name for one in initiative.deployments.all()]
    hidden += [person.email for person in (cast.owner, cast.support) if person.email]
    page = words(row) + look(row, "public-badge").content.decode()
    assert len(hidden) > 8
    for text in filter(None, hidden):
        assert text not in page, text
    assert "@" not in page


def test_an_approved_stage_is_never_shown_without_what_its_evidence_supports(cast, row):
    initiative = row.initiative
    fall_short(initiative, cast)
    initiative = Initiative.objects.get(pk=initiative.pk)
    supported = supported_stage.judged(initiative).support.supported
    assert supported in ("proposed", "prototype"), "the initiative of this test fell short"
    told = {"proposed": "no stage yet", "prototype": "a prototype"}[supported]
    assert f"This AI is approved as MVP. The evidence supports {told}." in words(row)
    assert "An MVP is a trial with limits." not in words(row)
    badge = look(row, "public-badge").content.decode()
    assert "MVP</text>" not in badge
    assert f"This AI is approved as MVP. The evidence supports {told}." in title_of(row)


def test_what_nobody_approved_is_not_shown_as_reached(row):
    told = presentation.PublicInitiative(row.initiative, PURPOSE, "production", held=False, off=False)
    assert told.headline == "This AI is approved as MVP, and the evidence supports the approval."
    assert told.meaning.startswith("An MVP is a trial with limits.")
    assert told.badge_words == "MVP"
    unknown = presentation.PublicInitiative(row.initiative, PURPOSE, None, held=False, off=False)
    assert "is being computed" in unknown.headline
    assert unknown.badge_words == "Being computed"
    row.initiative.basis = "import"
    assert told.headline.startswith(
        "An external list reports that this AI is approved as MVP. The approval is not confirmed in Plumbline"
    )


def test_evidence_that_ages_is_told_without_anybody_acting(cast, row):
    with clock.simulated(clock.now() + timedelta(days=400)):
        initiative = Initiative.objects.get(pk=row.initiative_id)
        supported = supported_stage.judged(initiative).support.supported
        assert supported != "mvp"
        assert "This AI is approved as MVP. The evidence supports" in words(row)
        assert "Ask before you use this AI." in words(row)


def test_a_hold_the_switch_a_stop_and_a_mistake_are_told_in_plain_words(cast, row):
    initiative = row.initiative
    assert "on hold" not in words(row)
    hold_actions.hold(initiative=initiative, reason="Quillfeather complained.", by=cast.seat_risk)
    assert "This AI is on hold, and cannot advance until the hold is resolved" in words(row)
    assert "on hold" in title_of(row)
    kill_switch.switch_off(initiative=initiative, reason="Quillfeather again.", by=cast.owner)
    assert "This AI is switched off. All its requests are refused" in words(row)
    assert title_of(row).startswith(f"{initiative.ref}: Switched off. ")
    stage_actions.stop(initiative=initiative, reason_code="other", reason="Quillfeather.", by=cast.owner)
    page = words(row)
    assert "This AI was stopped. Do not use it." in page
    assert "Limits" not in page
    assert title_of(row).startswith(f"{initiative.ref}: Stopped. ")
    assert "Quillfeather" not in page + words(row, lang="de") + title_of(row)
    idea = factories.make_initiative(cast, title="Ostrich farm")
    told = actions.tell_public(initiative=idea, purpose="Feeds them.", by=cast.admin)
    assert "This AI is only an idea so far." in words(told)
    detail_actions.withdraw(initiative=idea, reason="A mistake.", by=cast.owner)
    assert "This AI was registered by mistake and is withdrawn." in words(told)


def test_a_retired_one_says_so(cast):
    initiative = factories.make_production(cast)
    row = actions.tell_public(initiative=initiative, purpose=PURPOSE, by=cast.admin)
    assert "Your work may depend on this AI within the limits below." in words(row)
    stage_actions.retire(initiative=initiative, reason="It leaks.", by=cast.chair)
    assert "This AI is retired. Do not use it." in words(row)


def test_the_badge_is_a_picture_for_other_sites(cast, row):
    response = look(row, "public-badge")
    assert response["Content-Type"].startswith("image/svg+xml")
    assert response["Cache-Control"] == "public, max-age=60"
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert response["X-Robots-Tag"] == "noindex"
    assert {part.strip() for part in response["Content-Security-Policy"].split(";")} == ALONE
    assert not response.cookies
    assert "Cookie" not in response.get("Vary", "")
    picture = ElementTree.fromstring(response.content)
    names = {one.tag.removeprefix(SVG) for one in picture.iter()}
    assert names == {"svg", "title", "rect", "g", "text"}, "no script, no style, nothing that is loaded"
    assert [one.text for one in picture.iter(f"{SVG}text")] == [row.initiative.ref, "MVP"]
    assert picture.get("aria-labelledby") == picture.find(f"{SVG}title").get("id")
    german = Client().get(reverse("public-badge", args=[row.token]), headers={"accept-language": "de"})
    assert german.content == response.content, "what is kept for a minute is the same for everybody"
    assert "als MVP freigegeben" in title_of(row, lang="de")
    places = [
        one.get("x") for one in ElementTree.fromstring(look(row, "public-badge", lang="de").content).iter()
    ]
    assert all(place.replace(".", "").isdigit() for place in filter(None, places)), "no comma of a language"


def test_words_of_people_do_not_act_in_page_or_badge(cast, row):
    initiative = row.initiative
    detail_actions.rename(initiative=initiative, title="<script>alert(1)</script>", reason="x", by=cast.owner)
    actions.tell_public(initiative=initiative, purpose='"><img src=x onerror=alert(1)>', by=cast.owner)
    for name in ("public-page", "public-badge"):
        shown = look(row, name).content.decode()
        assert "<script" not in shown
        assert "<img" not in shown


def test_unknown_and_withdrawn_addresses_answer_the_same_bytes(cast, row):
    initiative = row.initiative
    secret = actions.tell_public(initiative=factories.make_initiative(cast), purpose=PURPOSE, by=cast.owner)
    actions.withdraw_public(initiative=initiative, by=cast.owner)
    with pytest.raises(Conflict):
        actions.withdraw_public(initiative=initiative, by=cast.owner)
    set_secret(secret.initiative, confidential=True)
    answers = [
        look(one, name)
        for one in (row, secret, PublicPage(pk=7, made_at=row.made_at))
        for name in ("public-page", "public-badge")
    ]
    set_secret(secret.initiative, confidential=False)
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert all(trouble_with(answer) == [] for answer in answers)
    again = actions.tell_public(initiative=initiative, purpose=PURPOSE, by=cast.admin)
    assert again.token != row.token
    assert look(row).status_code == 404


def test_it_is_made_worded_and_withdrawn_by_owner_or_admin_and_recorded(cast, as_):
    initiative = factories.make_mvp(cast)
    others = (cast.chair, cast.seat_risk, cast.lead, cast.support, cast.auditor, cast.outsider)
    for other in others:
        with pytest.raises(Refused):
            actions.tell_public(initiative=initiative, purpose=PURPOSE, by=other)
    for wrong in (" ", "x" * 601):
        with pytest.raises(ValidationError):
            actions.tell_public(initiative=initiative, purpose=wrong, by=cast.owner)
    owner, running = as_(cast.owner), reverse("deployments", args=[initiative.ref])
    assert "Make a public page" in owner.get(running).content.decode()
    assert "Public page" not in as_(cast.chair).get(running).content.decode()
    place = reverse("initiative-act", args=[initiative.ref, "edit-public-page"])
    assert initiative.problem[:40] in owner.get(place).content.decode(), (
        "the words of the initiative are offered"
    )
    assert owner.post(place, {"purpose": PURPOSE})["Location"] == running
    row = PublicPage.objects.get()
    assert reverse("public-page", args=[row.token]) in as_(cast.chair).get(running).content.decode()
    owner.post(place, {"purpose": "Other words."})
    assert PublicPage.objects.get().token == row.token
    assert "Other words." in words(row)
    for other in others:
        with pytest.raises(Refused):
            actions.withdraw_public(initiative=initiative, by=other)
    assert (
        as_(cast.admin)
        .post(reverse("initiative-act", args=[initiative.ref, "withdraw-public-page"]))
        .status_code
        == 302
    )
    assert look(row).status_code == 404
    told = list(
        Entry.objects.acts()
        .of_initiative(initiative.ref)
        .filter(kind__startswith="public page")
        .order_by("pk")
        .values_list("kind", "actor_id")
    )
    assert told == [
        ("public page made", cast.owner.pk),
        ("public page worded", cast.owner.pk),
        ("public page withdrawn", cast.admin.pk),
    ]
    history = as_(cast.owner).get(reverse("initiative-activity", args=[initiative.ref])).content.decode()
    assert "made a public page for its users" in history
    assert "withdrew the public page." in history


def test_none_is_confidential_neither_when_made_nor_later(cast, row, as_):
    initiative = row.initiative
    detail_actions.change_details(
        initiative=initiative, problem=initiative.problem, platform="", confidential=True, by=cast.owner
    )
    row.refresh_from_db()
    assert (row.ended_by, look(row).status_code) == (cast.owner, 404)
    with pytest.raises(Refused, match="A confidential initiative cannot have a public page"):
        actions.tell_public(initiative=initiative, purpose=PURPOSE, by=cast.owner)
    page = as_(cast.owner).get(reverse("deployments", args=[initiative.ref])).content.decode()
    assert "A confidential initiative cannot have a public page." in page
    detail_actions.change_details(
        initiative=initiative, problem=initiative.problem, platform="", confidential=False, by=cast.owner
    )
    assert look(row).status_code == 404, "what was withdrawn does not come back by itself"


def test_what_is_over_gets_none(cast):
    initiative = factories.make_initiative(cast)
    detail_actions.withdraw(initiative=initiative, reason="A mistake.", by=cast.owner)
    with pytest.raises(Refused, match="This initiative has ended"):
        actions.tell_public(initiative=initiative, purpose=PURPOSE, by=cast.admin)


def test_the_database_holds_it_too(cast, row):
    def done(change):
        with transaction.atomic(), connection.cursor() as cursor:
            with acting(system="test", reason="Wrong"):
                change()
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    def refused(change, words):
        with pytest.raises(DatabaseError, match=words):
            done(change)

    def address():
        one = PublicPage.objects.get(pk=row.pk)
        one.made_at += timedelta(days=1)
        one.save()

    def secret():
        initiative = Initiative.objects.get(pk=row.initiative_id)
        initiative.confidential = True
        initiative.save()

    secrets = "a confidential initiative has no public page"
    refused(address, "changes its address")
    refused(secret, secrets)
    refused(lambda: PublicPage.objects.get(pk=row.pk).delete(), "never deleted")
    actions.withdraw_public(initiative=row.initiative, by=cast.owner)

    def back():
        one = PublicPage.objects.get(pk=row.pk)
        one.ended_at = one.ended_by = None
        one.save()

    refused(back, "opens nothing again")
    done(secret)
    refused(
        lambda: PublicPage(
            initiative=row.initiative, purpose="x", made_at=clock.now(), made_by=cast.owner
        ).save(),
        secrets,
    )


def test_page_and_badge_ask_the_database_a_few_times(row, django_assert_num_queries):
    anybody = Client()
    page, badge = (reverse(name, args=[row.token]) for name in ("public-page", "public-badge"))
    anybody.get(page)
    # The rulebook, the initiative with its span, the seal of the span, scope, people, the link for problems.
    with django_assert_num_queries(6):
        anybody.get(page)
    with django_assert_num_queries(3):
        anybody.get(badge)
    with django_assert_num_queries(1):
        anybody.get(reverse("public-page", args=["nobody-has-this"]))
