"""Scenario 3, steps 1 to 5: a real inventory is previewed, one department confirmed, and uploaded again."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from governance.models import Notification
from initiatives.models import (
    Evidence,
    ImportBatch,
    ImportRow,
    Initiative,
    Obligation,
    Review,
    RoleAssignment,
    SignOff,
)
from tests.support.paths import EXTRACTS

pytestmark = pytest.mark.django_db

DHS = "Department of Homeland Security"


def upload(client, name, source, **options):
    file = SimpleUploadedFile(name, (EXTRACTS / name).read_bytes(), "text/csv")
    answer = client.post(reverse("imports"), {"file": file, "source": source, **options}, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def said_of(client, initiative) -> str:
    text = client.get(initiative.get_absolute_url()).content.decode()
    return text[text.index('id="said-by-source"') :].partition("</section>")[0]


def test_a_real_inventory_comes_in_as_reported_stages(cast, as_):
    client = as_(cast.admin)

    # 1. The preview: every row, what would become of it, what is odd in it; nothing is live.
    text = upload(client, "us_2025.csv", "us-2025")
    batch = ImportBatch.objects.get()
    tally = {name: batch.rows.filter(decision=name).count() for name in ImportRow.DECISIONS}
    assert {name: count for name, count in tally.items() if count} == {"import": 28, "merge": 2, "triage": 6}
    for words in (
        "DOJ-0160 for 2",
        "in another column",
        "does not allow",
        "shared mailbox",
        "No stage reported",
    ):
        assert words in text
    assert not Initiative.objects.exists()

    # 2. One department is confirmed: stages with basis import, supported by nothing yet, and nobody is responsible or
    # owns.
    client.post(reverse("import-confirm", args=[batch.pk]), {"organisations": [DHS]})
    initiatives = Initiative.objects.all()
    assert {initiative.source_organisation for initiative in initiatives} == {DHS}
    deployed = initiatives.filter(stage="production")
    assert deployed
    for initiative in deployed:
        assert initiative.basis == "import"
        assert initiative.spans.get().supported in ("proposed", "prototype")
    for model in (Evidence, Notification, Obligation, Review, RoleAssignment, SignOff):
        assert not model.objects.exists()
    assert "The source reports this stage, and Plumbline has no evidence for it" in said_of(
        client, deployed[0]
    )
    shown = client.get(deployed[0].get_absolute_url()).content.decode()
    assert "reported by the source, without evidence in Plumbline" in shown

    # 3. One system, listed by its provider and its user: two initiatives, a suggestion, no evidence shared.
    provider, user = initiatives.get(source_key="DHS-2731"), initiatives.get(source_key="DHS-2577")
    assert user.ref in said_of(client, provider)
    assert provider.ref in said_of(client, user)
    assert "Possibly a shared system" in said_of(client, user)
    assert (provider.unit.name, user.unit.name) == ("CBP", "ICE")

    # 4. What was not reported is not "no", and "in progress" is neither.
    text = said_of(client, user)
    assert "In-progress" in text
    assert "not reported" in text
    assert ">Yes<" in "".join(text.split())

    # 5. The same file again changes nothing; an older one is refused.
    before = list(initiatives.values_list("pk", "stage"))
    text = upload(client, "us_2025.csv", "us-2025")
    assert "This file was uploaded before" in text
    again = ImportBatch.objects.first()
    assert again.repeats == batch
    assert again.sha256 == batch.sha256
    assert ImportRow.objects.count() == 36
    text = upload(client, "us_2024.csv", "us-2024")
    assert "is older than us_2025.csv" in text
    assert not ImportBatch.objects.filter(source="us-2024").exists()

    # A newer file proposes other words, and asks about a stage that differs. It moves nothing by itself.
    newer = (EXTRACTS / "us_2025.csv").read_bytes()
    mailbox = b"maac13b75@hq.dhs.gov,,"
    newer = newer.replace(b"CBP," + mailbox + b"Deployed", b"CBP," + mailbox + b"Retired")
    newer = newer.replace(b"DHS-2577,Mobile Fortify", b"DHS-2577,A clearer name")
    file = SimpleUploadedFile("newer.csv", newer, "text/csv")
    client.post(reverse("imports"), {"file": file, "source": "us-2025"})
    batch = ImportBatch.objects.first()
    moved, renamed = batch.rows.get(mapped__key="DHS-2731"), batch.rows.get(mapped__key="DHS-2577")
    client.post(reverse("import-confirm", args=[batch.pk]), {"organisations": [DHS]})
    assert (moved.decision, moved.initiative) == ("triage", provider)
    assert "is Production here, and Retired in its source" in moved.problems[-1]["text"]
    assert (renamed.decision, renamed.mapped["changes"][0]["after"]) == ("change", "A clearer name")
    assert list(Initiative.objects.values_list("pk", "stage")) == before
    client.post(
        reverse("import-row", args=[moved.pk]), {"stage": "reject", "reason": "Their users say it runs."}
    )
    client.post(reverse("initiative-act", args=[user.ref, "take-changes"]), {"fields_taken": ["title"]})
    assert initiatives.get(pk=user.pk).title == "A clearer name"
    assert list(Initiative.objects.values_list("pk", "stage")) == before
