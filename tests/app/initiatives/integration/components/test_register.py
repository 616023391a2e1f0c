"""The register of components: who keeps it, how an initiative names a row, who runs one, what replacing it ends."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from adoption.demo import initiative_acts
from governance import clock
from governance.database.row_history import acting
from governance.permission_result import Refused
from initiatives.integration.components import actions as component_actions
from initiatives.integration.components.register import actions as register_actions
from initiatives.integration.links import actions as link_actions
from initiatives.integration.links.actions import Place
from initiatives.integration.residency import actions as residency_actions
from initiatives.integration.residency import findings as residency_findings
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.models import ComponentVersion, Deployment, Initiative, Vendor
from initiatives.portfolio.search.search import Search
from tests.support import factories
from tests.support.initiatives.initiative_pages import acts, at, text_of

pytestmark = pytest.mark.django_db


def said(row: ComponentVersion, **changed) -> dict:
    """Everything that the register says of a version, as the act that changes it takes it."""
    return {name: getattr(row, name) for name in register_actions.SAID} | changed


def confidential(cast, initiative):
    """The initiative, for its people alone from now on."""
    detail_actions.change_details(
        initiative=initiative, problem=initiative.problem, platform="", confidential=True, by=cast.owner
    )
    return initiative


def test_admins_and_the_architecture_seat_keep_it_and_nobody_else(cast, as_):
    vendor = Vendor.objects.filter(name="Modelwright").first() or factories.make_model(cast).vendor
    fields = {"layer": "runtime", "vendor": vendor, "name": "Quill", "by": cast.seat_architecture}
    model = register_actions.keep_component(version="1", **fields)
    assert model.confirmed_by == cast.seat_architecture
    register_actions.keep_component(component=model, by=cast.admin, **said(model, region="eu-west"))
    for who in (cast.owner, cast.lead, cast.seat_risk, cast.chair, cast.outsider):
        with pytest.raises(Refused, match="Only admins and the architecture seat"):
            register_actions.keep_component(version="2", **fields | {"by": who})
        with pytest.raises(Refused):
            register_actions.keep_component(component=model, by=who, **said(model, region="us-east"))
    assert as_(cast.lead).get(at("components/change", model.pk)).status_code == 403
    assert as_(cast.outsider).get(at("component", model.pk)).status_code == 200


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"name": " "}, "Name the component"),
        ({"layer": "cellar"}, "Choose the layer"),
        ({"version": " "}, "Enter the version"),
        ({"name": "SCRIBE"}, "is already in the register"),
        ({"end_of_life": date(2027, 5, 1)}, "Give the source of the end of life"),
    ],
)
def test_what_is_wrong_with_a_model_is_said(cast, wrong, words):
    known = factories.make_model(cast)
    typed = {"layer": "model", "vendor": known.vendor, "name": "Quill", "version": known.version} | wrong
    with acts() as kinds, pytest.raises(ValidationError, match=words):
        register_actions.keep_component(by=cast.admin, **typed)
    assert kinds == []


def test_no_model_follows_itself_by_way_of_others(cast):
    old = factories.make_model(cast)
    new = factories.make_model(cast, version="5")
    register_actions.keep_component(component=old, by=cast.admin, **said(old, successor=new))
    with pytest.raises(ValidationError, match="already has"):
        register_actions.keep_component(component=new, by=cast.admin, **said(new, successor=old))


def test_a_layer_stays_once_an_initiative_runs_it_and_a_successor_is_of_the_same(cast):
    model = factories.make_model(cast)
    gateway = register_actions.keep_component(
        layer="policy", vendor=None, name="Gateway", version="2", by=cast.admin
    )
    with pytest.raises(ValidationError, match="is in another layer"):
        register_actions.keep_component(component=model, by=cast.admin, **said(model, successor=gateway))
    register_actions.keep_component(component=model, by=cast.admin, **said(model, layer="runtime"))
    factories.make_use(cast, factories.make_initiative(cast), gateway)
    with pytest.raises(ValidationError, match="runs in the layer policy"):
        register_actions.keep_component(component=gateway, by=cast.admin, **said(gateway, layer="runtime"))


def test_an_initiative_names_a_row_of_the_register_which_says_the_rest(cast, as_):
    initiative, model = factories.make_initiative(cast), factories.make_model(cast, region="eu-west")
    typed = {"listed": model.pk, "step": "save"}
    page = text_of(
        as_(cast.owner).post(at("initiative-act", initiative.ref, "record-version"), typed, follow=True)
    )
    assert "The version is recorded." in page
    use = initiative.deployments.get()
    assert (use.version, use.region, str(use)) == (model, "eu-west", "Scribe 4 (eu-west)")
    assert "end of life unknown" in page, "what nobody knows is unknown, never none"
    assert at("component", model.pk) in page


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"layer": "model"}, "listed"),
        ({"vendor": "Somebody else"}, "listed"),
        ({"region": "us-east"}, "region"),
    ],
)
def test_a_row_of_the_register_is_chosen_or_a_component_named(cast, typed, field):
    initiative, model = factories.make_initiative(cast), factories.make_model(cast, region="eu-west")
    with pytest.raises(ValidationError) as wrong:
        component_actions.record_component(initiative=initiative, listed=model, by=cast.owner, **typed)
    assert list(wrong.value.message_dict) == [field]
    runs = component_actions.record_component(
        initiative=initiative, listed=model, region="EU-west", by=cast.owner
    )
    assert runs.version == model


def test_a_row_without_a_region_is_taken_where_none_names_that_region(cast):
    initiative, anywhere = factories.make_initiative(cast), factories.make_model(cast)
    there = factories.make_model(cast, region="eu-west")
    typed = {
        "initiative": initiative,
        "layer": "model",
        "name": "Scribe",
        "version": "4",
        "vendor": "Modelwright",
    }
    runs = [
        component_actions.record_component(region=region, by=cast.owner, **typed)
        for region in ("us-east", "EU-WEST")
    ]
    assert [(one.version, one.region) for one in runs] == [(anywhere, "us-east"), (there, "EU-WEST")]


def test_who_records_a_version_proposes_it_and_the_keeper_confirms(cast, as_):
    initiative = factories.make_initiative(cast)
    typed = {"layer": "model", "name": "Quill", "version": "7", "vendor": "New Models", "region": "eu-west"}
    owner, url = as_(cast.owner), at("initiative-act", initiative.ref, "record-version")
    with acts() as kinds:
        assert owner.post(url, typed).status_code == 302
    assert kinds == ["vendor added", "component recorded"]
    row = ComponentVersion.objects.get()
    assert (str(row), row.vendor.name, row.confirmed_at) == ("Quill 7 (eu-west)", "New Models", None)
    assert initiative.deployments.get().version == row
    assert "not confirmed" in text_of(owner.get(at("components")))
    admin = as_(cast.admin)
    assert "Read and confirm" in text_of(admin.get(at("component", row.pk)))
    form = {"layer": "model", "vendor": row.vendor_id, "name": "Quill", "version": "7", "region": "eu-west"}
    assert admin.post(at("components/change", row.pk), form).status_code == 302
    row.refresh_from_db()
    assert (row.confirmed_by, row.vendor.name) == (cast.admin, "New Models")
    other = factories.make_initiative(cast, title="Another one")
    with acts() as kinds:
        owner.post(
            at("initiative-act", other.ref, "record-version"), typed | {"name": "quill", "step": "save"}
        )
    assert kinds == ["component recorded"], "one that is there already is named, not proposed again"
    assert row.deployments.count() == 2


def test_the_keeper_confirms_what_a_confidential_initiative_proposed_with_its_vendor(cast, as_):
    initiative = confidential(cast, factories.make_initiative(cast))
    runs = component_actions.record_component(
        initiative=initiative, layer="model", name="Quill", version="7", vendor="New Models", by=cast.owner
    )
    form = {"layer": "model", "vendor": runs.version.vendor_id, "name": "Quill", "version": "7"}
    assert as_(cast.admin).post(at("components/change", runs.version.pk), form).status_code == 302
    runs.version.refresh_from_db()
    assert (runs.version.confirmed_by, runs.version.vendor.name) == (cast.admin, "New Models")


def test_the_next_version_keeps_part_and_vendor_and_another_component_takes_the_part(cast):
    initiative = factories.make_initiative(cast)
    typed = {"initiative": initiative, "layer": "model", "by": cast.owner}
    first = component_actions.record_component(name="Quill", version="1", vendor="New Models", **typed)
    second = component_actions.record_component(name="quill", version="2", **typed)
    beside = component_actions.record_component(name="Ranker", version="1", **typed)
    third = component_actions.record_component(name="Scribe", version="4", replaces=second, **typed)
    back = component_actions.record_component(name="Quill", version="2", **typed)
    assert [one.part for one in (first, second, beside, third, back)] == [1, 1, 2, 1, 1]
    assert back.version == second.version
    assert (second.version.vendor.name, third.version.vendor) == ("New Models", None)
    assert set(initiative.deployments.filter(runs_to__isnull=True)) == {beside, back}
    change = initiative.changes.get(incoming=third)
    assert change.what == "quill 2 to Scribe 4"
    with pytest.raises(ValidationError, match="is in another layer"):
        component_actions.record_component(
            **typed | {"layer": "policy"}, name="Gateway", version="1", replaces=back
        )
    other = factories.make_initiative(cast, title="Another one")
    with pytest.raises(ValidationError, match="a component that this initiative runs"):
        component_actions.record_component(
            **typed | {"initiative": other}, name="Q", version="1", replaces=back
        )


def test_the_longest_names_and_versions_are_recorded(cast):
    initiative = factories.make_initiative(cast)
    typed = {
        "initiative": initiative,
        "layer": "model",
        "name": "n" * 120,
        "region": "r" * 60,
        "by": cast.owner,
    }
    for version in ("1" * 80, "2" * 80):
        runs = component_actions.record_component(version=version, **typed)
    assert len(initiative.changes.get(incoming=runs).what) == 250


def test_a_transfer_stays_with_its_part_whatever_runs_there(cast):
    initiative, typed = factories.make_prototype(cast), {"layer": "model", "by": cast.owner}
    first = initiative.deployments.get(version__layer="model")
    second = component_actions.record_component(
        initiative=initiative, name="Scribe", version="4", replaces=first, **typed
    )
    places = [Place("Model", deployment=second)]
    link = factories.make_link(cast, initiative, factories.make_system(cast, "CRM"), transfers=places)
    assert link.transfers.get().deployment == first
    with acts() as kinds:
        link_actions.change_link(link=link, transfers=places, by=cast.owner)
    assert kinds == []
    component_actions.record_component(
        initiative=initiative, name="Quill", version="1", region="us-east", replaces=second, **typed
    )
    runs = {one.region for one in residency_findings.judge([initiative.pk], unbound=True) if one.transfer}
    assert runs == {"us-east"}


def test_the_database_lets_one_deployment_run_in_a_part(cast):
    initiative = factories.make_initiative(cast)
    runs = factories.make_use(cast, initiative, factories.make_model(cast))
    ends = {"runs_to": runs.runs_from - timedelta(seconds=1)}
    for rule, changes in (("one_open_deployment_per_part", {}), ("deployments_end_after_they_start", ends)):
        again = Deployment(
            **{name: getattr(runs, name) for name in ("initiative", "part", "version", "runs_from")} | changes
        )
        with pytest.raises(IntegrityError, match=rule), transaction.atomic(), acting(by=cast.owner):
            again.save()


def test_the_database_lists_no_end_without_its_source_and_no_circle_of_one(cast):
    listed = factories.make_model(cast)
    wrong = {
        "an_end_of_life_names_its_source": {"end_of_life": date(2031, 1, 1), "end_of_life_source": ""},
        "no_component_version_follows_itself": {"successor": listed},
    }
    for rule, changes in wrong.items():
        with pytest.raises(IntegrityError, match=rule), transaction.atomic(), acting(by=cast.owner):
            ComponentVersion.objects.filter(pk=listed.pk).update(**changes)


def test_one_query_tells_which_initiatives_a_component_reaches(cast):
    near = factories.make_model(cast, end_of_life=date(2031, 1, 1))
    for title, row in (("One", near), ("Two", near), ("Three", factories.make_model(cast, version="5"))):
        factories.make_use(cast, factories.make_initiative(cast, title=title), row)
    past = factories.make_initiative(cast, title="Four")
    factories.make_use(cast, past, near)
    factories.make_use(cast, past, factories.make_model(cast, version="6"))
    ending = Deployment.objects.current_at(clock.now()).filter(version__end_of_life__lte=date(2031, 3, 1))
    reached = Initiative.objects.filter(deployments__in=ending)
    assert set(reached.values_list("title", flat=True)) == {"One", "Two"}


def test_vendors_of_components_are_one_register(cast, as_):
    initiative = factories.make_initiative(cast)
    for name, vendor in (("One", "Acme Cloud"), ("Two", "ACME cloud"), ("Three", "")):
        component_actions.record_component(
            initiative=initiative, layer="application", name=name, version="1", vendor=vendor, by=cast.owner
        )
    (acme,) = Vendor.objects.filter(name__iexact="acme cloud")
    assert set(acme.components.values_list("name", flat=True)) == {"One", "Two"}
    assert ComponentVersion.objects.get(name="Three").vendor is None
    page = text_of(as_(cast.owner).get(at("vendor", acme.pk)))
    row = acme.components.get(name="One")
    assert at("component", row.pk) in page
    assert at("component", row.pk) not in text_of(as_(cast.outsider).get(at("vendor", acme.pk)))
    assert initiative.title in text_of(as_(cast.owner).get(at("component", row.pk)))


@pytest.mark.parametrize(("layer", "asked"), [("runtime", False), ("model", True)])
def test_the_end_of_life_of_what_the_organisation_made_is_asked_of_models_alone(cast, as_, layer, asked):
    own = register_actions.keep_component(layer=layer, vendor=None, name="Own", version="2", by=cast.admin)
    for place in (at("components"), own.get_absolute_url()):
        assert ("end of life unknown" in text_of(as_(cast.admin).get(place))) == asked


def test_the_pages_show_initiatives_one_may_see_and_count_the_others(cast, as_):
    model = factories.make_model(cast)
    initiative = factories.make_initiative(cast)
    secret = confidential(cast, factories.make_initiative(cast, title="Merger papers"))
    for one in (initiative, secret):
        factories.make_use(cast, one, model)
    for page in (at("components"), at("component", model.pk)):
        seen = text_of(as_(cast.owner).get(page))
        assert initiative.title in seen
        assert secret.title in seen, "its owner sees it"
        stranger = text_of(as_(cast.outsider).get(page))
        assert initiative.title not in stranger
        assert secret.title not in stranger
        assert "that you cannot see" in stranger
        assert "2 initiative" not in stranger, "a confidential initiative is not even counted"


def test_what_only_a_confidential_initiative_names_is_in_no_list_of_others(cast, as_):
    initiative = confidential(cast, factories.make_initiative(cast, title="Merger papers"))
    component_actions.record_component(
        initiative=initiative,
        layer="model",
        name="Hindenburg",
        vendor="Zeppelin Models",
        version="1",
        by=cast.owner,
    )
    model, vendor = ComponentVersion.objects.get(), Vendor.objects.get(name="Zeppelin Models")
    stranger, mine = as_(cast.outsider), as_(cast.owner)
    for page in (
        at("components"),
        at("vendors"),
        at("initiative-act", factories.make_initiative(cast, title="Open").ref, "record-version"),
    ):
        own = "/initiatives/" in page
        assert ("Hindenburg" in text_of((mine if own else stranger).get(page))) is own, page
        assert "Zeppelin" not in text_of(stranger.get(page))
    for page in (at("component", model.pk), at("vendor", vendor.pk)):
        assert stranger.get(page).status_code == 404
    assert "Hindenburg" in text_of(mine.get(at("components")))
    assert Search("zeppelin", cast.outsider).of("parts").hits == []
    # Whoever lists it in so many words learns nothing, and finds it from then on.
    assert residency_actions.add_vendor(name="zeppelin models", by=cast.admin) == vendor
    assert "Zeppelin Models" in text_of(stranger.get(at("vendors")))
    component_actions.record_component(
        initiative=factories.make_mvp(cast, title="Beside it"),
        layer="model",
        name="Hindenburg",
        vendor="Zeppelin Models",
        version="1",
        by=cast.lead,
    )
    page = text_of(as_(cast.lead).get(at("component", model.pk)))
    assert "Beside it" in page
    assert "Merger papers" not in page
    assert "Added by" not in page, "who proposed it is of an initiative that the reader does not know"


def test_what_replacing_a_model_ends_is_shown_before_it_is_done_and_changes_nothing(cast, as_):
    model, successor = factories.make_model(cast), factories.make_model(cast, version="5")
    initiative = factories.make_initiative(cast)
    initiative_acts.parts(initiative, cast.team)
    factories.make_use(cast, initiative, model)
    initiative_acts.ground_gate(initiative, "prototype", cast.team)
    use = initiative.deployments.get(version__layer="model", runs_to__isnull=True)
    with acts() as kinds:
        page = text_of(as_(cast.admin).get(at("component", model.pk, successor=successor.pk)))
    assert kinds == []
    use.refresh_from_db()
    assert use.runs_to is None
    factories.make_use(cast, initiative, successor)
    (change,) = initiative.changes.filter(outgoing=use)
    ended = list(change.voidings.select_related("evidence"))
    assert ended, "evidence of the model is ended by another one"
    assert f"{len(ended)} pieces of evidence no longer count" in page
    for row in ended:
        assert row.evidence.title in page
        assert at("evidence-item", initiative.ref, row.evidence_id) in page
    hidden = text_of(as_(cast.outsider).get(at("component", model.pk, successor="")))
    assert initiative.title not in hidden
