"""A request of a person from receipt to the erasure, by its pages."""

import io
import json
import zipfile
from datetime import timedelta

import pytest
from django.urls import reverse

from governance import clock
from governance.audit_log import entries
from governance.database.row_history import acting
from governance.interaction_log import reading
from governance.models import Entry, Interaction
from governance.offline import verify
from governance.transparency_log import sealing, verification
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.interactions.requests import searches
from initiatives.interactions.selections import actions as selection_actions
from initiatives.models import SubjectErasure, SubjectExport, SubjectRequest
from tests.app.governance.interaction_log.test_kept import keep, report
from tests.app.initiatives.interactions.selections.test_selecting import said
from tests.support import factories
from tests.support.initiatives.initiative_pages import SIGNED, text_of

pytestmark = pytest.mark.django_db

NAME, PERSON, THIRD = "Petra Aebischer", "customer 4", "Hans Ueltschi"


@pytest.fixture
def officer(cast):
    """Somebody whom an admin made a privacy officer."""
    person = cast.outsider
    with acting(by=cast.admin, reason="Answers requests"):
        person.is_privacy_officer = True
        person.save()
        entries.record(EntryKind.USER_CHANGED, row_id=person.pk)
    return person


def texts_of(archive: zipfile.ZipFile) -> str:
    return "".join(archive.read(name).decode() for name in archive.namelist() if name != "verify.py")


def test_from_receipt_to_the_erasure(cast, officer, as_):
    initiative = factories.make_mvp(cast)
    keep(
        said(1, f"My neighbour {THIRD} owes me money", subject=PERSON, conversation="c-1", model="m-1"),
        report(2, subject=PERSON, conversation="c-2", model="m-2"),
        said(3, f"{NAME} called about her bill", subject="", conversation="c-3", model="m-3"),
        said(4, "Another one", subject="customer 5", conversation="c-5", model="m-4"),
        initiative=initiative.number,
    )
    sealing.seal()
    client, received = as_(officer), clock.today() - timedelta(days=5)
    answer = client.post(
        reverse("subject-request-new"),
        {
            "kind": "both",
            "channel": "letter",
            "received_on": received.isoformat(),
            "name": NAME,
            "contact": "Lindenweg 4, Bern",
            "identifiers": PERSON,
            "words": "What do you hold of me? Then delete it.",
        },
    )
    row = SubjectRequest.objects.get()
    page = row.get_absolute_url()
    assert answer.url == page
    assert timedelta(days=28) <= row.due_on - received <= timedelta(days=31)  # a month
    shown = text_of(client.get(page))
    assert NAME not in shown
    assert PERSON not in shown
    assert NAME in text_of(client.post(reverse("subject-request-person", args=[row.pk])))

    search = reverse("subject-request-search", args=[row.pk])
    assert client.post(search).status_code == 403, "nothing is searched before the identity is checked"
    assert not row.hits.exists()
    identity = reverse("subject-request-identity", args=[row.pk])
    assert "Do not name the person" in text_of(client.post(identity, {"how": f"Called {NAME}"}))
    client.post(identity, {"how": "Called back on the number on file"})
    client.post(search)
    assert sorted(hit.way for hit in row.hits.all()) == ["pseudonym", "pseudonym"]

    text = {"text": NAME, "initiatives": [initiative.pk], "first": f"{received}", "last": f"{clock.today()}"}
    assert client.post(reverse("subject-request-text", args=[row.pk]), text).status_code == 302
    for _ in range(3):
        searches.go_on()
        for selection in initiative.interaction_selections.all():
            selection_actions.look(selection.pk)
    assert sorted(hit.way for hit in row.hits.all()) == ["pseudonym", "pseudonym", "text"]
    assert initiative.interaction_selections.get().state == "ended"

    by_model = {}
    for hit in row.hits.all():
        one = client.get(hit.get_absolute_url())
        by_model[one.context["report"].model] = hit
    copy = reverse("subject-request-copy", args=[row.pk])
    assert client.post(copy).status_code == 409, "not everything is judged"
    black = reverse("subject-hit-black-out", args=[by_model["m-1"].pk])
    assert "is not in this interaction" in text_of(client.post(black, {"words": "Nobody"}))
    client.post(black, {"words": THIRD.lower()})
    for hit in by_model.values():
        client.post(reverse("subject-hit-judge", args=[hit.pk]), {"belongs": "yes"})

    assert client.post(copy).status_code == 302
    export = SubjectExport.objects.get()
    erase = reverse("subject-request-erase", args=[row.pk])
    duty = {"duty": "GDPR, Article 17"} | SIGNED
    assert client.post(erase, duty).status_code == 409, "the copy is handed over first"
    file = client.post(reverse("subject-copy-file", args=[export.pk]))
    archive = zipfile.ZipFile(io.BytesIO(file.content))
    whole = texts_of(archive)
    assert THIRD not in whole
    assert "Ueltschi owes" not in whole
    assert "My neighbour █████ owes me money" in whole
    told = json.loads(archive.read("data.json"))
    assert (told["interactions"], told["blacked_out"], told["unreadable"]) == (3, 1, 0)
    checked = []
    for name in archive.namelist():
        if name.startswith("sealed/"):
            checked.append(verify.check_interaction(archive.read(name))[0])
    assert len(checked) == 3
    assert [one for one in checked if one is None] == [None], (
        "where something is blacked out, the digest alone"
    )

    assert client.post(erase, {"duty": "GDPR, Article 17", "password": "guessed"}).status_code == 200
    assert not SubjectErasure.objects.exists()
    assert client.post(erase, duty).status_code == 302
    erasure = SubjectErasure.objects.get()
    assert (erasure.tried, erasure.unopened, erasure.left) == (3, 3, 0)
    opened = {one.model: reading.opened(one).report for one in Interaction.objects.select_related("batch")}
    assert [opened[model] for model in ("m-1", "m-2", "m-3")] == [None, None, None]
    assert opened["m-4"] is not None
    erasure = text_of(client.get(reverse("subject-request-erasure", args=[row.pk])))
    assert "none of the 3 bodies of the person is readable" in erasure

    answered = {"outcome": "met", "words": "Copy by letter, then erased"}
    assert client.post(reverse("subject-request-answer", args=[row.pk]), answered).status_code == 302
    client.post(reverse("subject-request-close", args=[row.pk]))
    row.refresh_from_db()
    assert row.state == "closed"
    assert client.post(reverse("subject-copy-file", args=[export.pk])).status_code == 403
    for entry in Entry.objects.all():
        for word in (NAME, PERSON, THIRD, "Lindenweg"):
            assert word not in json.dumps(entry.facts, ensure_ascii=False)
    sealing.seal()
    assert [finding.words for finding in verification.verify().findings] == []
