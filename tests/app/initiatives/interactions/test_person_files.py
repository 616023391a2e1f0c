"""A privacy officer takes a file of everything of a person, with a reason, and each initiative of it says so."""

import io
import json
import zipfile

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from governance.interaction_log.shape import Kind, Message, ToolCall
from governance.models import Entry
from governance.offline import verify
from governance.permission_result import Conflict, Refused
from governance.transparency_log import sealing
from initiatives.interactions import actions, person_files
from tests.app.governance.interaction_log.test_kept import SECRET, keep, report
from tests.support import factories
from tests.support.initiatives.initiative_pages import at, text_of

pytestmark = pytest.mark.django_db

PERSON = "customer 4"
SENT = {"subject": PERSON, "everywhere": "all", "why": "Letter 12 of November"}
KIND = "interactions of a person handed out"


@pytest.fixture
def initiative(cast):
    return factories.make_mvp(cast)


@pytest.fixture
def officer(initiative):
    return factories.make_person("officer", is_privacy_officer=True)


def take(initiative, by, **changes) -> zipfile.ZipFile:
    fields = {"subject": PERSON, "everywhere": False, "why": SENT["why"]}
    content = person_files.take_file(initiative=initiative, by=by, **fields | changes)
    return zipfile.ZipFile(io.BytesIO(content))


def told(archive) -> dict:
    return json.loads(archive.read("data.json"))


def handed_out() -> list[Entry]:
    return list(Entry.objects.filter(kind=KIND).order_by("id"))


def test_the_file_has_everything_of_the_person_and_each_initiative_says_so(initiative, cast, officer, as_):
    other = factories.make_mvp(cast, title="Another")
    keep(
        report(1),
        report(2, subject="", kind=Kind.TOOL, tool=ToolCall("look up", "their number")),
        report(3, subject="customer 5", conversation="c-5", input=(Message("user", "Of another"),)),
        initiative=initiative.number,
    )
    keep(report(1), initiative=other.number)
    sealing.seal()
    page = at("take-file-of-a-person", initiative.ref)
    assert page in as_(officer).get(reverse("interactions", args=[initiative.ref])).content.decode()
    assert "words of other people" in text_of(as_(officer).get(page))
    answer = as_(officer).post(page, SENT)
    assert answer["Content-Type"] == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    whole = told(archive)
    assert (whole["name"], whole["interactions"], whole["unreadable"]) == (PERSON, 3, 0)
    assert {one["initiative"].split()[0] for one in whole["told"]} == {initiative.ref, other.ref}
    assert "their number" in json.dumps(whole)
    assert "Of another" not in json.dumps(whole)
    assert SECRET in archive.read("index.html").decode().replace("&#x27;", "'")
    sealed = [name for name in archive.namelist() if name.startswith("sealed/")]
    assert len(sealed) == 3
    for name in sealed:
        assert verify.check_interaction(archive.read(name))[0]["report"]
    facts = {entry.initiative_ref: entry.facts["facts"] for entry in handed_out()}
    assert {ref: (one["found"], one["why"]) for ref, one in facts.items()} == {
        initiative.ref: (2, SENT["why"]),
        other.ref: (1, SENT["why"]),
    }
    assert PERSON not in json.dumps(list(facts.values()))
    history = as_(cast.owner).get(reverse("initiative-activity", args=[other.ref])).content.decode()
    assert "took a file with 1 interactions of person" in history


def test_a_privacy_officer_alone_takes_it(initiative, cast, officer):
    keep(report(1), initiative=initiative.number)
    for person in (cast.owner, cast.auditor, cast.admin, cast.chair):
        with pytest.raises(Refused):
            take(initiative, person)
    assert handed_out() == []


def test_it_is_of_one_initiative_unless_all_are_asked_for(initiative, cast, officer):
    other = factories.make_mvp(cast, title="Another")
    keep(report(1), initiative=initiative.number)
    keep(report(1), initiative=other.number)
    assert told(take(initiative, officer))["interactions"] == 1
    assert [entry.initiative_ref for entry in handed_out()] == [initiative.ref]


def test_what_is_asked_for_is_said_right(initiative, officer):
    keep(report(1), initiative=initiative.number)
    for field, changes in (
        ("why", {"why": " "}),
        ("why", {"why": f"Letter of {PERSON}"}),
        ("subject", {"subject": " "}),
        ("subject", {"subject": "nobody"}),
    ):
        with pytest.raises(ValidationError) as wrong:
            take(initiative, officer, **changes)
        assert set(wrong.value.message_dict) == {field}
    assert handed_out() == []


def test_what_was_erased_is_counted_and_too_much_is_refused(initiative, cast, officer, monkeypatch):
    keep(report(1), initiative=initiative.number)
    duty = {"why": "Asked for so", "duty": "GDPR, Article 17"}
    actions.erase_subject(initiative=initiative, subject=PERSON, everywhere=False, by=cast.admin, **duty)
    keep(report(2), initiative=initiative.number)
    whole = told(take(initiative, officer))
    assert (whole["interactions"], whole["unreadable"]) == (2, 1)
    assert [one.get("unreadable") for one in whole["told"] if "unreadable" in one] == ["erased"]
    monkeypatch.setattr(person_files, "MOST", 1)
    with pytest.raises(Conflict, match="more than 1 interactions"):
        take(initiative, officer)
