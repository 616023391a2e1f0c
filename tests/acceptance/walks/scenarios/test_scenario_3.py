"""Scenario 3, steps 1 to 5: a real inventory is previewed, one department confirmed, and uploaded again."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.template.loader import render_to_string
from django.urls import reverse

from governance.models import Notice
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


def said_of(case) -> str:
    return render_to_string("initiatives/case_pages/_asserted.html", {"case": case})


def test_a_real_inventory_comes_in_as_claims(cast, as_):
    client = as_(cast.admin)

    # 1. The preview: every row, what would become of it, what is odd in it; nothing is live.
    text = upload(client, "us_2025.csv", "us-2025")
    batch = ImportBatch.objects.get()
    tally = {name: batch.rows.filter(decision=name).count() for name in ImportRow.DECISIONS}
    assert {name: count for name, count in tally.items() if count} == {"import": 28, "merge": 2, "triage": 6}
    for words in ("DOJ-0357", "DOJ-0160", "Surface Transportation Board: TBD", "no id, Chatbot"):
        assert words in text
    for words in ("belongs in another column", "does not allow", "shared mailbox", "No stage reported"):
        assert words in text
    assert not Initiative.objects.exists()

    # 2. One department is confirmed: claims with basis import, supported by nothing yet, and nobody owes or owns.
    client.post(reverse("import-confirm", args=[batch.pk]), {"organisations": [DHS]})
    cases = Initiative.objects.all()
    assert {case.source_organisation for case in cases} == {DHS}
    deployed = cases.filter(stage="production")
    assert deployed
    for case in deployed:
        assert case.basis == "import"
        assert case.spans.get().supported in ("proposed", "prototype")
    for model in (Evidence, Notice, Obligation, Review, RoleAssignment, SignOff):
        assert not model.objects.exists()
    assert "eported by its source, not evidenced here" in said_of(deployed[0])
    shown = client.get(deployed[0].get_absolute_url()).content.decode()
    assert "reported by its source, not evidenced here" in shown

    # 3. One system, listed by its provider and its user: two initiatives, a suggestion, no evidence shared.
    provider, user = cases.get(source_key="DHS-2731"), cases.get(source_key="DHS-2577")
    assert user.ref in said_of(provider)
    assert provider.ref in said_of(user)
    assert "Perhaps a shared system" in said_of(user)
    assert (provider.unit.name, user.unit.name) == ("CBP", "ICE")

    # 4. What was not reported is not "no", and "in progress" is neither.
    text = said_of(user)
    assert "In-progress" in text
    assert "in progress, which is not yes" in text
    assert "not reported" in text
    assert "yes, asserted" in text

    # 5. The same file again changes nothing; an older one is refused, or fills in history and moves no claim.
    before = list(cases.values_list("pk", "stage"))
    text = upload(client, "us_2025.csv", "us-2025")
    assert "This very file was uploaded before" in text
    again = ImportBatch.objects.first()
    assert again.repeats == batch
    assert again.sha256 == batch.sha256
    assert ImportRow.objects.count() == 36
    text = upload(client, "us_2024.csv", "us-2024")
    assert "backfill history" in text
    assert ImportBatch.objects.filter(source="us-2024").count() == 0
    upload(client, "us_2024.csv", "us-2024", backfill="on")
    assert list(Initiative.objects.values_list("pk", "stage")) == before
