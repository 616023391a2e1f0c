"""The model register: who keeps it, how a component names a model, which cases run one, what replacing it ends."""

from datetime import date

import pytest
from django.core.exceptions import ValidationError

from adoption.demo import case_acts
from governance.database.row_history import acting
from governance.permission_result import Refused
from initiatives.components import actions as component_actions
from initiatives.integration.residency import actions as residency_actions
from initiatives.model_register import actions as model_actions
from initiatives.models import Component, ModelVersion, Vendor
from initiatives.portfolio.search import Search
from initiatives.registration import actions as registration_actions
from tests.support import factories
from tests.support.cases.case_pages import acts, at, text_of

pytestmark = pytest.mark.django_db

SAID = {"region": "", "end_of_life": None, "end_of_life_source": "", "successor": None}


def said(model: ModelVersion, **changed) -> dict:
    """Everything that is said of a model, as the act that changes it takes it."""
    names = ("vendor", "family", "version", *SAID)
    return {name: getattr(model, name) for name in names} | changed


def confidential(cast, case):
    """The case, for its people alone from now on."""
    registration_actions.change_details(
        case=case, problem=case.problem, platform="", confidential=True, by=cast.owner
    )
    return case


def test_admins_and_the_architecture_seat_keep_it_and_nobody_else(cast, as_):
    vendor = Vendor.objects.filter(name="Modelwright").first() or factories.make_model(cast).vendor
    fields = {"vendor": vendor, "family": "Quill", "by": cast.seat_architecture}
    model = model_actions.add_model(version="1", **fields)
    assert model.confirmed_by == cast.seat_architecture
    model_actions.change_model(model=model, by=cast.admin, **said(model, region="eu-west"))
    for who in (cast.owner, cast.lead, cast.seat_risk, cast.chair, cast.outsider):
        with pytest.raises(Refused, match="Only admins and the architecture seat"):
            model_actions.add_model(version="2", **fields | {"by": who})
        with pytest.raises(Refused):
            model_actions.change_model(model=model, by=who, **said(model, region="us-east"))
    assert as_(cast.lead).get(at("model-change", model.pk)).status_code == 403
    assert as_(cast.outsider).get(at("model", model.pk)).status_code == 200


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"family": " "}, "Name the model family"),
        ({"version": " "}, "Say which version"),
        ({"family": "SCRIBE"}, "is in the register already"),
        ({"end_of_life": date(2027, 5, 1)}, "Say where the end of life stands"),
    ],
)
def test_what_is_wrong_with_a_model_is_said(cast, wrong, words):
    known = factories.make_model(cast)
    typed = {"vendor": known.vendor, "family": "Quill", "version": known.version} | wrong
    with acts() as kinds, pytest.raises(ValidationError, match=words):
        model_actions.add_model(by=cast.admin, **typed)
    assert kinds == []


def test_no_model_follows_itself_by_way_of_others(cast):
    old = factories.make_model(cast)
    new = factories.make_model(cast, version="5")
    model_actions.change_model(model=old, by=cast.admin, **said(old, successor=new))
    with pytest.raises(ValidationError, match="is itself followed by"):
        model_actions.change_model(model=new, by=cast.admin, **said(new, successor=old))


def test_a_component_names_a_model_of_the_register_which_says_the_rest(cast, as_):
    case, model = factories.make_case(cast), factories.make_model(cast, region="eu-west")
    typed = {"layer": "model", "name": "Language model", "model_version": model.pk, "step": "save"}
    page = text_of(as_(cast.owner).post(at("component-add", case.ref), typed, follow=True))
    assert "The version is recorded." in page
    row = case.components.get()
    use = row.versions.get()
    assert (row.vendor, row.listed_vendor) == ("Modelwright", model.vendor)
    assert (use.version, use.region, use.model_version) == ("4", "eu-west", model)
    assert "end of life unknown" in page, "what nobody knows is unknown, never none"
    assert at("model", model.pk) in page


@pytest.mark.parametrize(
    ("typed", "field"),
    [({"layer": "application"}, "model_version"), ({"vendor": "Somebody else"}, "vendor")],
)
def test_a_model_is_named_in_its_layer_and_of_its_vendor(cast, typed, field):
    case, model = factories.make_case(cast), factories.make_model(cast)
    fields = {"layer": "model", "name": "Part", "version": "1", "model_version": model} | typed
    with pytest.raises(ValidationError) as wrong:
        component_actions.record_component(case=case, by=cast.owner, **fields)
    assert list(wrong.value.message_dict) == [field]


def test_who_records_a_version_proposes_a_model_that_the_keeper_confirms(cast, as_):
    case = factories.make_case(cast)
    typed = {
        "layer": "model",
        "name": "Language model",
        "family": "Quill",
        "version": "7",
        "vendor": "New Models",
        "region": "eu-west",
    }
    owner, url = as_(cast.owner), at("component-add", case.ref)
    with acts() as kinds:
        owner.post(url, typed | {"step": "look"})
    assert kinds == []
    assert not ModelVersion.objects.exists()
    with acts() as kinds:
        assert owner.post(url, typed | {"step": "save"}).status_code == 302
    assert kinds == ["vendor added", "model added", "component recorded"]
    model = ModelVersion.objects.get()
    assert (str(model), model.vendor.name, model.confirmed_at) == ("Quill 7 (eu-west)", "New Models", None)
    assert case.components.get().versions.get().model_version == model
    assert "not confirmed" in text_of(owner.get(at("models")))
    admin = as_(cast.admin)
    assert "Read and confirm" in text_of(admin.get(at("model", model.pk)))
    form = {"vendor": model.vendor_id, "family": "Quill", "version": "7", "region": "eu-west"}
    assert admin.post(at("model-change", model.pk), form).status_code == 302
    model.refresh_from_db()
    assert model.confirmed_by == cast.admin
    with acts() as kinds:
        owner.post(url, typed | {"name": "Second model", "family": "quill", "step": "save"})
    assert kinds == ["component recorded"], "one that is there already is named, not proposed again"
    assert model.uses.count() == 2


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"layer": "application"}, "Only a component of the layer model names a model."),
        ({"vendor": ""}, "Name the vendor of the model"),
    ],
)
def test_a_model_is_proposed_with_its_vendor_in_its_layer(cast, as_, typed, words):
    case = factories.make_case(cast)
    fields = {"layer": "model", "name": "Part", "family": "Quill", "version": "7", "vendor": "New Models"}
    with acts() as kinds:
        page = text_of(as_(cast.owner).post(at("component-add", case.ref), fields | typed))
    assert (kinds, words in page) == ([], True)


def test_vendors_of_components_are_one_register(cast, as_):
    case = factories.make_case(cast)
    for name, vendor in (("One", "Acme Cloud"), ("Two", "ACME cloud"), ("Three", "")):
        component_actions.record_component(
            case=case, layer="application", name=name, version="1", vendor=vendor, by=cast.owner
        )
    (acme,) = Vendor.objects.filter(name__iexact="acme cloud")
    named = case.components.filter(listed_vendor=acme)
    assert sorted(named.values_list("name", "vendor")) == [("One", "Acme Cloud"), ("Two", "Acme Cloud")]
    assert case.components.get(name="Three").listed_vendor is None
    page = text_of(as_(cast.owner).get(at("vendor", acme.pk)))
    assert case.title in page
    assert case.title not in text_of(as_(cast.outsider).get(at("vendor", acme.pk)))


def test_no_component_names_a_vendor_that_is_not_listed(cast):
    row = Component(initiative=factories.make_case(cast), layer="model", name="Part", vendor="Acme Cloud")
    with pytest.raises(Exception, match="a_vendor_of_a_component_is_listed"), acting(by=cast.owner):
        row.save()


def test_the_pages_show_cases_one_may_see_and_count_the_others(cast, as_):
    model = factories.make_model(cast)
    case = factories.make_case(cast)
    secret = confidential(cast, factories.make_case(cast, title="Merger papers"))
    for one in (case, secret):
        factories.make_use(cast, one, model)
    for page in (at("models"), at("model", model.pk)):
        seen = text_of(as_(cast.owner).get(page))
        assert case.title in seen
        assert secret.title in seen, "its owner sees it"
        stranger = text_of(as_(cast.outsider).get(page))
        assert case.title not in stranger
        assert secret.title not in stranger
        assert "that you do not see" in stranger
        assert "2 case" not in stranger, "a confidential case is not even counted"


def test_what_only_a_confidential_case_names_is_in_no_list_of_others(cast, as_):
    case = confidential(cast, factories.make_case(cast, title="Merger papers"))
    model_actions.record_component(
        case=case,
        layer="model",
        name="Part",
        vendor="Zeppelin Models",
        family="Hindenburg",
        version="1",
        by=cast.owner,
    )
    model, vendor = ModelVersion.objects.get(), Vendor.objects.get(name="Zeppelin Models")
    stranger, mine = as_(cast.outsider), as_(cast.owner)
    for page in (
        at("models"),
        at("vendors"),
        at("component-add", factories.make_case(cast, title="Open").ref),
    ):
        client = mine if "component" in page else stranger
        assert ("Hindenburg" in text_of(client.get(page))) is ("component" in page), page
        assert "Zeppelin" not in text_of(stranger.get(page))
    for page in (at("model", model.pk), at("model-replace", model.pk), at("vendor", vendor.pk)):
        assert stranger.get(page).status_code == 404
    assert "Hindenburg" in text_of(mine.get(at("models")))
    assert Search("zeppelin", cast.outsider).of("parts").hits == []
    # Whoever lists it in so many words learns nothing, and finds it from then on.
    assert residency_actions.add_vendor(name="zeppelin models", by=cast.admin) == vendor
    assert "Zeppelin Models" in text_of(stranger.get(at("vendors")))


def test_what_replacing_a_model_ends_is_shown_before_it_is_done_and_changes_nothing(cast, as_):
    model, successor = factories.make_model(cast), factories.make_model(cast, version="5")
    case = factories.make_case(cast)
    case_acts.parts(case, cast.team)
    factories.make_use(cast, case, model)
    case_acts.ground_gate(case, "prototype", cast.team)
    use = case.components.get(layer="model").versions.get(runs_to__isnull=True)
    with acts() as kinds:
        page = text_of(as_(cast.admin).get(at("model-replace", model.pk, successor=successor.pk)))
    assert kinds == []
    use.refresh_from_db()
    assert use.runs_to is None
    factories.make_use(cast, case, successor)
    (change,) = case.changes.filter(outgoing=use)
    ended = list(change.voidings.select_related("evidence"))
    assert ended, "proof of the model is ended by another one"
    assert f"ends {len(ended)}" in page
    for row in ended:
        assert row.evidence.title in page
        assert at("evidence-item", case.ref, row.evidence_id) in page
    hidden = text_of(as_(cast.outsider).get(at("model-replace", model.pk)))
    assert case.title not in hidden
