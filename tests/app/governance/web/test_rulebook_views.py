"""The rulebook's pages: open to everybody, loaded by admins, published by admin and chair together."""

import re

import pytest
from bs4 import BeautifulSoup
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.utils.html import escape

from governance.models import Entry, Rulebook
from governance.rulebook import shipped_text
from initiatives.models import SupportedStage
from initiatives.portfolio.units import leaving
from tests.support import factories
from tests.support.initiatives.initiative_pages import SIGNED
from tests.support.rules.plain_rulebook import plain_text


@pytest.fixture(scope="module")
def changed() -> str:
    return plain_text().replace('version = "0.9"', 'version = "1.0"')


def test_anybody_reads_every_requirement_with_what_counts_and_who_signs(client, cast):
    text = client.get("/rulebook/").content.decode()
    rulebook = Rulebook.objects.current().parsed
    for requirement in rulebook.requirements.values():
        assert escape(requirement.question) in text, requirement.key
        assert f'id="{requirement.key}"' in text
        if requirement.why_fresh:
            assert escape(requirement.why_fresh) in text
    for criterion in rulebook.criteria.values():
        assert escape(criterion.question) in text
        assert f'id="criterion-{criterion.key}"' in text
    for words in [
        *rulebook.triggers.values(),
        *rulebook.seats.values(),
        *rulebook.stages["prototype"].forbidden,
    ]:
        assert escape(words) in text
    assert "in force" in text
    assert "ISO" in text.upper()
    assert client.get("/rulebook/0.9/").status_code == 200
    assert client.get("/rulebook/versions/").status_code == 200


def test_the_gate_says_how_many_of_its_requirements_are_drawn_at_minimal_risk(client, cast):
    words = "5 requirements, drawn by the audit log"
    assert words not in client.get("/rulebook/").content.decode()
    factories.make_rulebook(cast.admin, cast.chair, source=shipped_text())
    text = client.get("/rulebook/").content.decode()
    assert text.count(words) == 1
    gate = text[text.index('id="gate-production"') :]
    assert words in gate[: gate.index("</dl>")]


def test_anchors_of_the_page_lead_somewhere(client, cast):
    text = client.get("/rulebook/").content.decode()
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    missing = set(re.findall(r'href="#([^"]+)"', text)) - set(ids)
    assert not missing


def test_without_a_rulebook_the_page_says_so(client, db):
    assert "No rulebook is in force yet" in client.get("/rulebook/").content.decode()
    assert client.get("/help/").status_code == 200


def test_unknown_versions_are_not_found(client, cast):
    for version in ("9999", "x" * 300, "%00", "'", "0.9%20"):
        assert client.get(f"/rulebook/{version}/").status_code in (400, 404)


def test_the_shipped_rulebook_is_loaded_by_one_button(as_, db):
    admin = as_(factories.make_person("ada", is_admin=True))
    page = BeautifulSoup(admin.get("/rulebook/load/").content, "html.parser").select_one("main")
    first = page.select_one("form")
    assert len(first.select("li")) == 5
    assert "71 requirements for owners: 45 at minimal risk, 71 at high risk." in first.get_text()
    assert page.select_one("details:not([open]) details:not([open]) textarea")
    sent = {button["name"]: button["value"] for button in first.select("button")}
    assert admin.post("/rulebook/load/", sent).url == "/rulebook/1.0/"
    assert Rulebook.objects.get().source == shipped_text()
    assert "Use the rulebook" not in admin.get("/rulebook/load/").content.decode()
    version = admin.get("/rulebook/1.0/").content.decode()
    assert "/effects/" not in version, "there is nothing to compare it with"


def test_only_admins_load(cast, as_):
    assert as_(cast.chair).get("/rulebook/load/").status_code == 403
    assert as_(cast.auditor).post("/rulebook/load/", {"text": "x"}).status_code == 403
    assert as_(cast.admin).get("/rulebook/load/").status_code == 200


def test_every_problem_is_listed_with_its_line_and_the_text_is_kept(cast, as_, changed):
    broken = changed.replace("quorum = 3", 'quorum = "three"').replace(
        'seat = "business_value"', 'seat = "nobody"', 1
    )
    response = as_(cast.admin).post("/rulebook/load/", {"text": broken})
    text = response.content.decode()
    assert response.status_code == 200
    assert text.count("line ") >= 2
    assert "Fix:" in text
    assert "quorum = &quot;three&quot;" in text
    assert Rulebook.objects.count() == 1
    file = SimpleUploadedFile("rules.toml", broken.encode())
    assert (
        "quorum = &quot;three&quot;"
        in as_(cast.admin).post("/rulebook/load/", {"file": file}).content.decode()
    )


def test_what_is_no_rulebook_is_said_in_words(cast, as_):
    wrong = [
        ({}, "Choose a file, or paste"),
        ({"text": "   "}, "Choose a file, or paste"),
        ({"text": "[["}, "line 1"),
        ({"file": SimpleUploadedFile("a.toml", b"\xff\xfe\x00bad")}, "not text in UTF-8"),
        ({"file": SimpleUploadedFile("a.toml", b"x" * (1024 * 1024 + 1))}, "larger than 1 MB"),
    ]
    for sent, said in wrong:
        response = as_(cast.admin).post("/rulebook/load/", sent)
        assert response.status_code == 200
        assert said in response.content.decode()


def test_a_version_that_fits_no_address_is_refused(cast, as_, changed):
    text = changed.replace("1.0", "20/26")
    response = as_(cast.admin).post("/rulebook/load/", {"text": text})
    assert "cannot be part of an address" in response.content.decode()


def test_load_propose_publish_by_two_people(cast, as_, client, changed):
    initiative = factories.make_initiative(cast)
    admin, chair = as_(cast.admin), as_(cast.chair)
    assert admin.post("/rulebook/load/", {"text": changed}).url == "/rulebook/1.0/"
    assert client.get("/rulebook/1.0/").status_code == 404
    assert "The draft has no effect yet" in chair.get("/rulebook/1.0/").content.decode()
    assert "No admin has proposed" in chair.get("/rulebook/1.0/publish/").content.decode()
    assert chair.post("/rulebook/1.0/publish/").status_code == 403
    assert chair.post("/rulebook/1.0/propose/").status_code == 403
    assert admin.get("/rulebook/1.0/propose/").status_code == 405
    assert admin.post("/rulebook/1.0/propose/").url == "/rulebook/1.0/"
    assert admin.post("/rulebook/1.0/publish/").status_code == 403
    assert as_(cast.owner).post("/rulebook/1.0/publish/").status_code == 403
    page = chair.get("/rulebook/1.0/publish/").content.decode()
    assert "Plumbline computes the supported stage of 1 initiative " in page
    assert chair.post("/rulebook/1.0/publish/", SIGNED | {"takes_effect": "at_once"}).status_code == 302
    assert Rulebook.objects.current().version == "1.0"
    assert SupportedStage.objects.get(initiative=initiative).rulebook.version == "1.0"
    assert chair.post("/rulebook/1.0/publish/", SIGNED).status_code == 409
    assert Entry.objects.acts().filter(kind="rulebook published").count() == 2
    text = client.get("/rulebook/versions/").content.decode()
    assert "0.9" in text
    assert "1.0" in text


def test_a_proposal_ends_with_the_rights_of_its_admin(cast, as_, changed):
    as_(cast.admin).post("/rulebook/load/", {"text": changed})
    as_(cast.admin).post("/rulebook/1.0/propose/")
    leaving.deactivate(person=cast.admin, reason="Left", by=cast.second_admin)
    chair, page = as_(cast.chair), "/rulebook/1.0/publish/"
    assert chair.post(page, SIGNED | {"takes_effect": "at_once"}).status_code == 403
    assert "Per Dahl proposed this rulebook, and is no longer an admin." in chair.get(page).content.decode()
    assert "/rulebook/1.0/propose/" in as_(cast.second_admin).get("/rulebook/1.0/").content.decode()
    assert as_(cast.second_admin).post("/rulebook/1.0/propose/").url == "/rulebook/1.0/"
    assert chair.post(page, SIGNED | {"takes_effect": "at_once"}).status_code == 302


def test_without_initiatives_nobody_is_asked_for_an_impact_analysis(cast, as_, changed):
    as_(cast.admin).post("/rulebook/load/", {"text": changed})
    as_(cast.admin).post("/rulebook/1.0/propose/")
    chair = as_(cast.chair)
    page = chair.get("/rulebook/1.0/publish/").content.decode()
    assert "Compute the impact first" not in page
    assert "initiative" not in BeautifulSoup(page, "html.parser").select_one("main").get_text()
    assert not BeautifulSoup(page, "html.parser").select("[name=takes_effect]:not([type=hidden])")
    assert chair.post("/rulebook/1.0/publish/", SIGNED).status_code == 302
    assert Rulebook.objects.current().version == "1.0"


def test_the_command_loads_a_draft_only(cast, tmp_path, changed, capsys):
    file = tmp_path / "rules.toml"
    file.write_text(changed)
    call_command("load_rulebook", str(file))
    assert "1.0 is a draft" in capsys.readouterr().out
    assert Rulebook.objects.current().version == "0.9"
    file.write_text(changed.replace("quorum = 3", "quorum = -3"))
    with pytest.raises(CommandError, match="line"):
        call_command("load_rulebook", str(file))
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("load_rulebook", str(tmp_path / "absent.toml"))


def test_what_is_offered_to_load_is_the_newest_that_is_not_there(cast, as_):
    shown = as_(cast.admin).get("/rulebook/load/?default=yes").context["form"]
    assert 'version = "1.0"' in shown.fields["text"].initial
