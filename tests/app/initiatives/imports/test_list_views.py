"""Pages of lists of others: who reads them, moves decided in bulk, answers and practices counted and exported."""

import csv
import io
from collections import Counter

import pytest
from django.urls import reverse

from governance.database.row_history import acting
from initiatives.imports.assertions import practices
from initiatives.imports.inventories import actions
from initiatives.models import Initiative
from tests.app.initiatives.imports.test_asserted_moves import older_and_newer
from tests.support.paths import EXTRACTS

pytestmark = pytest.mark.django_db
BEFORE = [
    ("One", "A-1", "mvp"),
    ("Two", "A-2", "mvp"),
    ("Three", "A-3", "production"),
    ("Four", "", "prototype"),
]
AFTER = [
    ("One", "A-1", "production"),
    ("Two", "A-2", "retired"),
    ("Three", "A-3", "production"),
    ("Four", "", "mvp"),
]


def read(answer) -> list[dict]:
    return list(csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))


def test_boards_auditors_and_admins_read_lists_and_only_admins_decide(cast, as_):
    batch = older_and_newer(cast, BEFORE, AFTER)
    pages = [
        reverse("lists"),
        reverse("asserted-moves"),
        reverse("asserted-moves-export"),
        reverse("list-answers", args=[batch.pk]),
        reverse("list-answers-export", args=[batch.pk]),
    ]
    for url in pages:
        for person in (cast.chair, cast.seat_risk, cast.auditor, cast.admin):
            assert as_(person).get(url).status_code == 200, (person, url)
        assert as_(cast.owner).get(url).status_code == 403, url
    row = batch.rows.get(mapped__key="A-1")
    for person in (cast.chair, cast.auditor):
        sent = {"what": "take", "row": row.pk, "reason": "Seen."}
        assert as_(person).post(reverse("asserted-moves"), sent).status_code == 403
    assert Initiative.objects.get(source_key="A-1").stage == "mvp"
    assert as_(cast.admin).get(reverse("list-practices", args=[batch.pk])).status_code == 404


def test_moves_are_tallied_filtered_and_exported(cast, as_):
    older_and_newer(cast, BEFORE, AFTER)
    client = as_(cast.auditor)
    text = client.get(reverse("asserted-moves")).content.decode()
    for words in ("Promoted", "Retired", "Same stage", "Its name alone: a proposal", "stated by the source"):
        assert words in text
    rows = read(client.get(reverse("asserted-moves-export")))
    told = Counter((row["Asserted move"], row["Decision"]) for row in rows)
    assert told == {
        ("Promoted", "Not decided"): 1,
        ("Retired", "Not decided"): 1,
        ("Same stage", "Nothing to decide"): 1,
        ("Promoted", "Perhaps the same system"): 1,
    }
    retired = read(client.get(reverse("asserted-moves-export"), {"move": "retired"}))
    assert [row["Name"] for row in retired] == ["Two"]
    assert "Two" in client.get(reverse("asserted-moves"), {"q": "tw"}).content.decode()
    assert 'role="alert"' in client.get(reverse("asserted-moves"), {"move": "sideways"}).content.decode()


def test_ticked_moves_are_taken_or_left_and_pairs_answered(cast, as_):
    batch = older_and_newer(cast, BEFORE, AFTER)
    client, url = as_(cast.admin), reverse("asserted-moves")
    one, two = (batch.rows.get(mapped__key=key) for key in ("A-1", "A-2"))
    four = batch.rows.get(mapped__title="Four")
    nothing = client.post(url, {"what": "take", "reason": "Seen."}).content.decode()
    assert "Nothing that waits for this was ticked" in nothing
    assert "Seen." in nothing, "nothing typed is lost"
    client.post(url, {"what": "take", "row": [one.pk, four.pk], "reason": "Its office told us."})
    assert Initiative.objects.get(source_key="A-1").stage == "production"
    assert Initiative.objects.get(title="Four").stage == "prototype", "a pair comes before its move"
    client.post(url, {"what": "leave", "row": [two.pk], "reason": "It runs."})
    assert Initiative.objects.get(source_key="A-2").stage == "mvp"
    client.post(url, {"what": "same", "every": "on", "reason": "The same team."})
    client.post(url, {"what": "take", "every": "on", "reason": "Seen."})
    assert Initiative.objects.get(title="Four").stage == "mvp"
    assert Initiative.objects.count() == 4
    decided = Counter(row["Decision"] for row in read(client.get(reverse("asserted-moves-export"))))
    assert decided == {"Newer claim taken": 2, "Claim left as it was": 1, "Nothing to decide": 1}


def test_the_page_of_a_row_asks_for_the_pair_and_then_for_the_move(cast, as_):
    batch = older_and_newer(cast, BEFORE, AFTER)
    client = as_(cast.admin)
    row, case = batch.rows.get(mapped__title="Four"), Initiative.objects.get(title="Four")
    url = reverse("import-row", args=[row.pk])
    assert "Which system it is" in client.get(url).content.decode()
    client.post(url, {"which": case.pk, "reason": "The same team."})
    assert f"Take the newer claim: {case.ref} is MVP" in client.get(url).content.decode()
    client.post(url, {"stage": "mvp", "reason": "Seen."})
    assert Initiative.objects.get(pk=case.pk).stage == "mvp"
    text = client.get(case.get_absolute_url()).content.decode()
    assert "Moves that newer lists assert" in text
    assert "The newer claim was taken." in text


def test_a_confidential_case_shows_on_no_list_to_who_may_not_open_it(cast, as_):
    batch = older_and_newer(cast, BEFORE, AFTER)
    case = Initiative.objects.get(source_key="A-1")
    with acting(by=cast.admin, reason="Of a person"):
        case.confidential = True
        case.save()
    for url in (reverse("asserted-moves-export"), reverse("list-answers-export", args=[batch.pk])):
        assert "One" not in {row["Name"] for row in read(as_(cast.chair).get(url))}
        assert "One" in {row["Name"] for row in read(as_(cast.admin).get(url))}


def test_of_ones_own_list_only_what_one_may_open_is_read(cast, as_):
    text = b"Use case name,Agency,Use case ID,Stage\nOurs,Somewhere else,A-1,Pilot\n"
    batch = actions.upload_batch(content=text, file_name="own.csv", source="own", own=True, by=cast.admin)
    actions.confirm_batch(batch=batch, by=cast.admin)
    url = reverse("list-answers-export", args=[batch.pk])
    assert not read(as_(cast.chair).get(url))
    assert len(read(as_(cast.auditor).get(url))) == 1


@pytest.fixture
def inventory(cast):
    content = (EXTRACTS / "us_2025.csv").read_bytes()
    batch = actions.upload_batch(content=content, file_name="us_2025.csv", source="us-2025", by=cast.admin)
    actions.confirm_batch(batch=batch, by=cast.admin)
    with (EXTRACTS / "us_2025.csv").open(encoding="utf-8-sig", newline="") as file:
        raw = list(csv.DictReader(file))
    return batch, raw


def test_answers_are_filtered_counted_and_exported(cast, as_, inventory):
    batch, raw = inventory
    client, url = as_(cast.chair), reverse("list-answers-export", args=[batch.pk])
    column = "hi_testing_conducted"
    wanted = Counter(row[column] for row in raw)
    rows = read(client.get(url, {"question": column}))
    assert Counter(row["Was it tested before deployment?"] for row in rows) == wanted
    assert {row["Rests on"] for row in rows} == {"stated by the source, not evidenced here"}
    yes = read(client.get(url, {"question": column, "word": "yes, asserted"}))
    assert len(yes) == sum(row[column].startswith("Yes") for row in raw)
    deployed = read(
        client.get(url, {"stage": "Deployed", "and_question": "is_high_impact", "and_answer": "High-impact"})
    )
    assert len(deployed) == sum(
        row["development_stage"] == "Deployed" and row["is_high_impact"] == "High-impact" for row in raw
    )
    text = client.get(reverse("list-answers", args=[batch.pk]), {"question": column}).content.decode()
    for answer, count in wanted.items():
        assert (answer or "empty") in text
        assert f">{count}<" in text


def test_practices_of_deployed_high_impact_systems_are_counted(cast, as_, inventory):
    batch, raw = inventory
    about = [
        row
        for row in raw
        if row["development_stage"] == "Deployed" and row["is_high_impact"] == "High-impact"
    ]
    assert about
    rows = read(as_(cast.chair).get(reverse("list-practices-export", args=[batch.pk])))
    assert len(rows) == len(about)
    for row, one in zip(rows, about, strict=True):
        assert row["Pre-deployment testing: as written"] == one["hi_testing_conducted"]
        assert (row["Pre-deployment testing"] == "All") is (one["hi_testing_conducted"] == "Yes")
    text = as_(cast.chair).get(reverse("list-practices", args=[batch.pk])).content.decode()
    assert "stated by the source" in text
    said = as_(cast.chair).get(reverse("list-practices", args=[batch.pk]), {"said": "all"}).content.decode()
    all_six = [row for row in about if practices.said_of_all(row) == practices.ALL]
    assert said.count('rowheader"') == len(all_six)


# By hand from the data dictionary of the inventory: (practice, answer, what it comes to).
SAID = [
    ("hi_testing_conducted", "Yes", "all"),
    ("hi_testing_conducted", "a) Yes", "all"),
    ("hi_testing_conducted", "In-progress", "part"),
    ("hi_testing_conducted", "CAIO Waived", "part"),
    ("hi_testing_conducted", "", "not reported"),
    ("hi_testing_conducted", "Training Established", "unclear"),
    ("hi_ongoing_monitoring", "Yes - Monitoring Established", "all"),
    ("hi_ongoing_monitoring", "b) Development of monitoring protocols is in-progess", "part"),
    ("hi_training_established", "b) Development of monitoring protocols is in-progess", "unclear"),
    ("hi_training_established", "a) Yes, sufficient monitoring protocols have been established", "unclear"),
    ("hi_training_established", "Training Established", "all"),
    ("hi_failsafe_presence", "Not Applicable", "unclear"),
    ("hi_appeal_process", "Appeal Process Established", "all"),
    ("hi_appeal_process", "Appeal Process In-progress", "part"),
    ("hi_appeal_process", "Appeal Precluded by Law", "unclear"),
]


@pytest.mark.parametrize(("column", "answer", "comes_to"), SAID)
def test_what_an_answer_about_a_practice_comes_to(column, answer, comes_to):
    practice = next(one for one in practices.PRACTICES if one.column == column)
    assert practices.said_of(practice, answer) == comes_to
