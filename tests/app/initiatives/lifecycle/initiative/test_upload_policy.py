"""Files of evidence against the audit log: hashed, looked for, and only believed to be gone when it is few of them."""

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.urls import reverse

from adoption.demo import artefacts
from governance import clock
from governance.models import Entry
from governance.notifications.inbox import tasks_for
from governance.permission_result import Conflict, Refused
from initiatives import tasks as initiatives_tasks
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.evidence import file_checks
from initiatives.lifecycle.evidence.actions import store
from initiatives.lifecycle.evidence.file_checks import doubted_files, mark_of
from initiatives.models import Evidence, FileCheck
from tests.support import factories
from tests.support.initiatives.initiative_pages import text_of

pytestmark = pytest.mark.django_db
GONE = ("evidence file missing", "evidence file changed")


@pytest.fixture
def initiative(cast):
    """A prototype with files of evidence, more than a check believes to be gone."""
    initiative = factories.make_prototype(cast)
    for number in range(file_checks.MOST + 3):
        evidence_actions.add_evidence(
            initiative=initiative,
            kind="document",
            title=f"Time study {number}",
            observed_on=clock.today(),
            covers=["proto.scope"],
            file=artefacts.pdf(f"Time study {number}"),
            by=cast.owner,
        )
    return initiative


def items() -> list[Evidence]:
    """What has a file, the oldest first; each a file of its own."""
    rows, seen = [], set()
    for row in Evidence.objects.exclude(file="").order_by("pk"):
        if row.file.name not in seen:
            rows.append(row)
            seen.add(row.file.name)
    return rows


def lose(*rows: Evidence) -> dict[str, bytes]:
    """Delete the files; what they held, by name."""
    held = {}
    for row in rows:
        held[row.file.name] = default_storage.open(row.file.name).read()
        default_storage.delete(row.file.name)
    return held


def put_back(held: dict[str, bytes]) -> None:
    for name, content in held.items():
        default_storage.delete(name)
        default_storage.save(name, ContentFile(content))


def swap(row: Evidence) -> None:
    with open(row.file.path, "r+b") as file:
        file.write(b"%PDX")


def written() -> int:
    return Entry.objects.filter(kind__in=GONE).count()


def test_few_files_gone_are_written_at_once_and_many_wait_for_an_admin(initiative, cast, as_):
    rows = items()
    assert len(rows) > file_checks.MOST + 1
    held = lose(rows[0])
    assert [row.pk for row in file_checks.find_missing_files()] == [rows[0].pk]
    held |= lose(*rows[1 : file_checks.MOST + 2])
    assert file_checks.find_missing_files() == []
    assert written() == 1
    assert doubted_files() == [row.pk for row in rows[1 : file_checks.MOST + 2]]
    (line,) = [line for line in tasks_for(cast.admin) if line.link == reverse("files-gone")]
    assert line.text == f"{file_checks.MOST + 1} files of evidence are missing or changed"
    assert not [line for line in tasks_for(cast.owner) if line.link == reverse("files-gone")]
    page = text_of(as_(cast.admin).get(reverse("files-gone")))
    assert f'<span class="ref">{initiative.ref}</span>: {file_checks.MOST + 1} files' in page
    assert rows[1].title not in page

    # They come back: nothing was written, nothing is asked any more.
    put_back(held)
    assert [row.pk for row in file_checks.find_missing_files()] == [rows[0].pk]
    assert written() == 1
    assert doubted_files() == []


@pytest.mark.parametrize(
    ("gone", "of", "doubted"),
    [
        (0, 0, False),
        (1, 1, False),
        (1, 10, False),
        (2, 39, True),
        (2, 40, False),
        (5, 100, False),
        (6, 10_000, True),
    ],
)
def test_when_a_check_is_doubted(gone, of, doubted):
    assert file_checks.too_many(gone, of) is doubted


def test_an_admin_confirms_that_they_are_gone(initiative, cast, as_):
    rows = items()[: file_checks.MOST + 1]
    held = lose(*rows)
    file_checks.find_missing_files()
    keys = doubted_files()
    with pytest.raises(Refused):
        file_checks.confirm_gone(seen=mark_of(keys), reason="The disk broke", by=cast.owner)
    with pytest.raises(Conflict, match="checked again while the page was open"):
        file_checks.confirm_gone(seen=mark_of(keys[1:]), reason="The disk broke", by=cast.admin)
    assert written() == 0
    put_back({rows[0].file.name: held[rows[0].file.name]})  # found after all
    admin = as_(cast.admin)
    page = admin.get(reverse("files-gone"))
    answer = admin.post(reverse("files-gone"), {"reason": "", "seen": page.context["seen"]})
    assert answer.status_code == 200
    assert written() == 0
    answer = admin.post(reverse("files-gone"), {"reason": "The disk broke", "seen": page.context["seen"]})
    assert answer.status_code == 302
    act = Entry.objects.get(kind="files confirmed gone")
    assert (act.actor_id, act.facts["facts"]["count"]) == (cast.admin.pk, len(rows))
    missing = Entry.objects.filter(kind="evidence file missing")
    assert missing.count() == len(rows) - 1
    assert set(missing.values_list("actor_id", flat=True)) == {cast.admin.pk}
    assert Evidence.objects.get(pk=rows[0].pk).missing_since is None
    assert Evidence.objects.get(pk=rows[1].pk).missing_since is not None
    assert doubted_files() == []
    assert "No files are missing. You have nothing to confirm" in text_of(admin.get(reverse("files-gone")))


def test_one_look_after_the_other_voids_no_more_than_a_check_would(initiative):
    rows = items()[: file_checks.MOST + 2]
    lose(*rows)
    for row in rows:
        initiatives_tasks.check_file.delay(row.pk)
    assert written() == file_checks.MOST


def test_the_store_is_hashed_part_by_part_and_a_swapped_file_found(initiative, cast):
    rows = items()
    swap(rows[-1])
    sizes = [row.size for row in Evidence.objects.exclude(file="").order_by("pk")]
    looks = 0
    while not Entry.objects.filter(kind="evidence file changed").exists():
        file_checks.find_missing_files(part=sum(sizes) // 3)
        looks += 1
        assert looks < 6
    assert looks > 1, "one check does not hash everything"
    changed = Evidence.objects.filter(missing_since__isnull=False)
    assert {row.file.name for row in changed} == {rows[-1].file.name}
    for _ in range(4):
        file_checks.find_missing_files(part=sum(sizes) // 3)
    assert (
        FileCheck.objects.get().hashed_to != 0 or Evidence.objects.filter(missing_since__isnull=True).exists()
    )
    assert Entry.objects.filter(kind="evidence file changed").count() == changed.count(), "found once"


def test_what_is_swapped_does_not_count_as_back_until_it_is_the_right_one(initiative):
    row = items()[0]
    held = lose(row)
    file_checks.find_missing_files()
    default_storage.save(row.file.name, ContentFile(b"another"))
    assert file_checks.find_missing_files() == []
    put_back(held)
    assert [found.pk for found in file_checks.find_missing_files()] == [row.pk]


def test_the_same_file_added_anew_is_not_taken_from_a_swapped_one(initiative, cast):
    row = items()[0]
    content = default_storage.open(row.file.name).read()
    swap(row)
    fresh = Evidence(initiative=initiative)
    store(fresh, ContentFile(content, name="again.pdf"))
    assert fresh.sha256 == row.sha256
    assert fresh.file.name != row.file.name
    assert default_storage.open(fresh.file.name).read() == content
