"""The pages of the auditor's inbox, for auditors and nobody else."""

import csv
import io
import json
import re
from datetime import timedelta
from itertools import chain

import pytest
from django.db import connection
from django.test import Client

from governance import clock
from governance.audit import audit_samples
from governance.audit.search import METHOD, Search, draw
from governance.audit_log import entries
from governance.database.row_history import acting
from governance.models import Entry, Sample
from governance.transparency_log import sealing
from tests.support import factories
from tests.support.attacks.unguarded_writes import unguarded
from tests.support.reported_stages import check_deferred
from tests.support.web import query_counts

pytestmark = pytest.mark.django_db

PAGES = (
    "/audit/",
    "/audit/?format=csv",
    "/audit/readings/",
    "/audit/readings/?format=csv",
    "/audit/sign-ins/",
    "/audit/sign-ins/?format=csv",
    "/audit/rights/",
    "/audit/rights/?format=csv",
    "/audit/samples/",
    "/audit/samples/draw/",
)


@pytest.fixture
def sample(cast, initiative):
    """Three sign-offs, drawn and not yet looked at."""
    sealing.seal()
    search = Search(kind="signed off")
    return audit_samples.draw_sample(
        name="Sign-offs of the year", purpose="Yearly look", search=search, size=3, seed="s", by=cast.auditor
    )


def conclude_all(sample, cast):
    """Every entry concluded, the sample finished."""
    for row in sample.drawn.all():
        audit_samples.conclude(drawn=row, conclusion="satisfied", words=f"Read {row.place}.", by=cast.auditor)
    return audit_samples.finish(sample=sample, by=cast.auditor)


def words(response) -> str:
    """The page as text, without tags and runs of space."""
    assert response.status_code == 200, response.status_code
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def numbers(response) -> list[int]:
    """The entries that a page lists, in its order."""
    return [int(key) for key in re.findall(r"/audit/entries/(\d+)/\">Entry", response.content.decode())]


def table(response) -> list[dict]:
    """A CSV file as rows."""
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_only_auditors_come_in_and_only_they_are_shown_the_way(cast, as_, sample):
    entry = Entry.objects.acts().first()
    inside = [
        *PAGES,
        f"/audit/entries/{entry.pk}/",
        sample.get_absolute_url(),
        sample.drawn.first().get_absolute_url(),
    ]
    auditor = as_(cast.auditor)
    assert {auditor.get(page).status_code for page in inside} == {200}
    for login in ("admin", "chair", "owner", "outsider"):
        client = as_(getattr(cast, login))
        assert {client.get(page).status_code for page in inside} == {403}, login
        assert 'href="/audit/"' not in client.get("/").content.decode()
    assert {Client().get(page).status_code for page in inside} == {302}
    assert 'href="/audit/"' in auditor.get("/").content.decode()
    cast.auditor.is_active = False
    with unguarded("governance_user"), acting(by=cast.admin):
        cast.auditor.save()
    assert auditor.get("/audit/").status_code == 302


def test_the_first_act_of_an_auditor_is_on_the_inbox(cast, as_):
    page = as_(cast.auditor).get("/").content.decode()
    assert 'href="/audit/samples/draw/"' in page
    assert "Search the audit log" in page


# --- Searching -------------------------------------------------------------------------------------------------------


def test_an_entry_is_found_by_who_what_initiative_and_text(cast, as_, initiative):
    other = factories.make_initiative(cast, title="Another", problem="A needle in it.")
    client = as_(cast.auditor)
    sign_off = Entry.objects.filter(kind="signed off", actor_id=cast.seat_risk.pk).latest("pk")
    page = client.get(
        "/audit/", {"kind": "signed off", "who": cast.seat_risk.pk, "initiative": initiative.ref.lower()}
    )
    assert numbers(page)[0] == sign_off.pk
    assert {Entry.objects.get(pk=key).kind for key in numbers(page)} == {"signed off"}
    assert "Ines Okafor approved in the seat Risk and compliance." in words(page)
    found = client.get("/audit/", {"text": "NEEDLE"})
    assert {Entry.objects.get(pk=key).initiative_ref for key in numbers(found)} == {other.ref}
    assert "A text search without a first day covers" in words(found)
    assert "A text search without a first day covers" not in words(
        client.get("/audit/", {"text": "NEEDLE", "since": "2020-01-01"})
    )
    rows = client.get("/audit/", {"table": "initiatives_answer", "initiative": initiative.ref})
    assert {Entry.objects.get(pk=key).table for key in numbers(rows)} == {"initiatives_answer"}
    assert "added the answer" in words(rows)
    assert "No entries found" in words(client.get("/audit/", {"initiative": "AI-9999"}))


def test_junk_in_the_address_is_said_and_ignored(cast, as_, initiative):
    client = as_(cast.auditor)
    everything = numbers(client.get("/audit/"))
    page = client.get("/audit/?since=2026-13-45&who=nobody&initiative=%27&before=-1&after=x")
    assert "Part of this address was not understood" in words(page)
    assert numbers(page) == everything
    turned = client.get("/audit/?since=2026-02-01&until=2026-01-01")
    assert "The last day is before the first day." in words(turned)
    assert client.get("/audit/?before=99999999999999999999999").status_code == 200
    for start in ("kind", "table", "what", "text", "until"):
        assert client.get("/audit/", {start: "x" * 300}).status_code == 200


def test_pages_go_on_by_key_and_keep_the_search(cast, as_, initiative):
    client = as_(cast.auditor)
    keys, address = [], "/audit/?what=all"
    while address:
        page = client.get(address)
        keys.append(numbers(page))
        older = re.search(r'rel="next" href="([^"]+)"', page.content.decode())
        address = "/audit/" + older[1].replace("&amp;", "&") if older else None
        assert address is None or "what=all" in address
    assert list(chain(*keys)) == list(Entry.objects.order_by("-pk").values_list("pk", flat=True))
    assert {len(page) for page in keys[:-1]} == {25}


def test_a_search_asks_no_more_for_more_entries(cast, as_, initiative):
    client = as_(cast.auditor)

    def asked():
        pages = ("/audit/", "/audit/?what=all&text=a", "/audit/rights/")
        return [query_counts.asked(client, page) for page in pages]

    before = asked()
    for number in range(2):
        factories.make_initiative(cast, title=f"Idea {number}")
    assert asked() == before
    assert max(before) <= 14, before


def test_names_on_an_entry_are_those_of_then(cast, as_, initiative):
    cast.chair.full_name = "Elena Weiss"
    with acting(by=cast.admin):
        cast.chair.save()
    page = words(as_(cast.auditor).get("/audit/", {"kind": "review approved"}))
    assert "Elena Novak approved the gate" in page


def test_an_entry_is_readable_to_the_byte(cast, as_, sample):
    client = as_(cast.auditor)
    entry = sample.drawn.first().entry
    page = client.get(f"/audit/entries/{entry.pk}/")
    text = page.content.decode()
    for part in (bytes(entry.digest).hex(), bytes(entry.body.salt).hex(), bytes(entry.leaf.hash).hex()):
        assert part in text
    assert f'href="/audit-log/receipts/{entry.pk}/"' in text
    assert "matches the bytes below" in words(page)
    facts = entry.facts["facts"]
    assert facts["digest"] in text
    assert "Other entries of the same transaction" in text
    assert client.get("/audit/entries/999999999/").status_code == 404


def test_from_an_entry_of_another_day_the_initiative_of_that_day_is_one_step_away(cast, as_, initiative):
    client, entry = as_(cast.auditor), Entry.objects.filter(kind="registered").latest("pk")
    link = f"/initiatives/{initiative.ref}/?as_of={clock.local_day(entry.at).isoformat()}"
    assert link not in client.get(f"/audit/entries/{entry.pk}/").content.decode()  # today is not over yet
    with clock.simulated(clock.now() + timedelta(days=1)):
        assert link in as_(cast.auditor).get(f"/audit/entries/{entry.pk}/").content.decode()


def test_a_changed_row_shows_before_and_after(cast, as_):
    with acting(by=cast.admin, reason="Married"):
        cast.owner.full_name = "Marta Berg"
        cast.owner.save()
    entry = Entry.objects.rows().filter(table="governance_user").latest("pk")
    page = words(as_(cast.auditor).get(f"/audit/entries/{entry.pk}/"))
    assert "full_name Marta Lindqvist Marta Berg" in page
    assert "Married" in page


def test_changed_bytes_and_erased_words_are_said(cast, as_, initiative):
    changed, erased = Entry.objects.filter(kind="registered"), Entry.objects.filter(kind="signed off")
    changed, erased = changed.latest("pk"), erased.latest("pk")
    check_deferred()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE governance_entrybody DISABLE TRIGGER USER")
        cursor.execute(
            "UPDATE governance_entrybody SET body = convert_to(replace(convert_from(body, 'UTF8'), 'forty', 'six'),"
            " 'UTF8') WHERE entry_id = %s",
            [changed.pk],
        )
        cursor.execute(
            "UPDATE governance_entrybody SET body = '', salt = '' WHERE entry_id = %s", [erased.pk]
        )
    client = as_(cast.auditor)
    assert "does not match the bytes below" in words(client.get(f"/audit/entries/{changed.pk}/"))
    assert "words of this entry were erased" in words(client.get(f"/audit/entries/{erased.pk}/"))
    assert "words of this entry were erased" in words(client.get("/audit/?kind=signed+off"))
    assert "governance_user" not in words(client.get("/audit/?text=a&kind=signed+off"))
    (row,) = [row for row in table(client.get("/audit/?format=csv")) if row["Entry"] == str(erased.pk)]
    assert (row["Who"], row["What"], row["Facts"]) == ("", "signed off", "[]")
    assert row["Reason"] == "The content was erased later."


def test_the_export_holds_what_the_search_finds_and_is_recorded(cast, as_, initiative):
    client = as_(cast.auditor)
    rows = table(client.get("/audit/", {"format": "csv", "kind": "signed off"}))
    keys = list(Entry.objects.filter(kind="signed off").order_by("-pk").values_list("pk", flat=True))
    assert [int(row["Entry"]) for row in rows] == keys
    assert len(keys) > 5
    first = Entry.objects.get(pk=keys[0])
    assert rows[0]["Digest"] == bytes(first.digest).hex()
    assert json.loads(rows[0]["Facts"]) == first.facts["facts"]
    left = Entry.objects.latest("pk")
    assert (left.kind, left.actor_id) == ("export taken", cast.auditor.pk)
    assert left.facts["facts"] == {
        "name": "audit-log-entries",
        "of": '{"what": "acts", "kind": "signed off"}',
    }


# --- Read and taken, failed sign-ins ---------------------------------------------------------------------------------


def test_who_read_evidence_and_took_exports_stands_in_one_list(cast, as_, initiative):
    item = initiative.evidence.filter(kind="document").exclude(file="").first()
    as_(cast.auditor).get(f"/initiatives/{initiative.ref}/evidence/{item.pk}/file/")
    as_(cast.owner).get("/initiatives/export.csv?stage=mvp")
    admin = as_(cast.admin)
    admin.post("/admin/governance/unit/", {"action": "export_csv", "_selected_action": [cast.unit.pk]})
    client = as_(cast.auditor)
    page = words(client.get("/audit/readings/"))
    assert f"Mei Tan opened the file of “{item.title}”." in page
    assert "Marta Lindqvist downloaded the export “portfolio” of stage=mvp." in page
    assert "Per Dahl downloaded the export “units” of the administration." in page
    assert "signed off" not in page
    only = words(client.get("/audit/readings/", {"who": cast.auditor.pk}))
    assert "Mei Tan opened" in only
    assert "downloaded the export “portfolio”" not in only
    taken = table(client.get("/audit/readings/", {"format": "csv", "initiative": initiative.ref}))
    assert [(row["Who"], row["Kind"]) for row in taken] == [("Mei Tan", "evidence opened")]


def test_failed_sign_ins_stay_after_a_right_one(cast, as_):
    door = Client(REMOTE_ADDR="192.0.2.7")
    door.post("/sign-in/", {"username": "owner", "password": "a guess"})
    door.post("/sign-in/", {"username": "owner", "password": factories.PASSWORD})
    page = words(as_(cast.auditor).get("/audit/sign-ins/"))
    assert page.count("refused a sign-in as owner from 192.0.2.7.") == 1
    assert "a guess" not in page
    entry = Entry.objects.get(kind="sign-in failed")
    assert entry.facts["facts"] == {"login": "owner", "address": "192.0.2.7"}
    assert "No failed sign-in" in words(as_(cast.auditor).get("/audit/sign-ins/?until=2020-01-01"))


# --- Who held what ---------------------------------------------------------------------------------------------------


def test_who_held_what_on_a_day(cast, as_, initiative):
    client = as_(cast.auditor)
    page = words(client.get("/audit/rights/"))
    assert "Elena Novak Chair seat Retail board" in page
    assert "Marta Lindqvist Business owner role" in page
    assert "Mei Tan Auditor right everywhere" in page
    for today in ("/organisation/units/", "/organisation/boards/"):
        assert f'href="{today}"' in client.get("/audit/rights/").content.decode()
        assert client.get(today).status_code == 200
    assert "No rights found" in words(client.get("/audit/rights/?on=2020-01-01"))
    only = words(client.get("/audit/rights/", {"kind": "right", "who": cast.admin.pk}))
    assert "Per Dahl Admin right" in only
    assert "Retail board" not in only
    rows = table(client.get("/audit/rights/?format=csv&kind=seat"))
    assert {row["Kind"] for row in rows} == {"seat"}
    chair = next(row for row in rows if row["Held"] == "Chair")
    assert (chair["Who"], chair["Where"], chair["Granted by"]) == ("Elena Novak", "Retail board", "Per Dahl")
    assert chair["On"] == clock.today().isoformat()
    assert "Use YYYY-MM-DD" in words(client.get("/audit/rights/?on=soon"))


# --- Samples ---------------------------------------------------------------------------------------------------------


def test_a_sample_is_drawn_from_the_search_that_was_shown(cast, as_, initiative):
    client = as_(cast.auditor)
    assert "No sealed entries yet" in words(client.get("/audit/samples/draw/"))
    sealing.seal()
    shown = client.get("/audit/?kind=signed+off&initiative=" + initiative.ref).content.decode()
    address = re.search(r'href="(/audit/samples/draw/[^"]*)"', shown)[1].replace("&amp;", "&")
    page = client.get(address).content.decode()
    assert '<option value="signed off" selected>' in page
    typed = {
        "name": "Sign-offs",
        "purpose": "A look",
        "size": "4",
        "seed": "dice",
        "kind": "signed off",
        "initiative": initiative.ref,
    }
    assert "This field is required" in words(client.post("/audit/samples/draw/", typed | {"purpose": ""}))
    assert "finds no sealed entry" in words(
        client.post("/audit/samples/draw/", typed | {"initiative": "AI-9999"})
    )
    assert not Sample.objects.exists()
    made = client.post("/audit/samples/draw/", typed, follow=True)
    sample = Sample.objects.get()
    assert made.redirect_chain[-1][0] == sample.get_absolute_url()
    assert (sample.seed, sample.size, sample.drawn.count()) == ("dice", 4, 4)
    assert f"From of the kind signed off; of initiative {initiative.ref}" in words(made)
    assert "The repeated draw gives the same 4 entries." in words(
        client.get(f"{sample.get_absolute_url()}?again=1")
    )


def test_entries_are_concluded_one_after_the_other_then_finished(cast, as_, sample):
    client = as_(cast.auditor)
    first, second, third = (row.get_absolute_url() for row in sample.drawn.all())
    refused = client.post(first, {"conclusion": "exception", "words": "", "notes": "Read the statement."})
    assert "Give a reason" in words(refused)
    assert "Read the statement." in refused.content.decode()
    assert client.post(first, {"conclusion": "exception", "words": "Unread."}).url == second
    assert client.post(second, {"conclusion": "satisfied"}).url == third
    finish = f"{sample.get_absolute_url()}finish/"
    assert client.post(finish).status_code == 403
    assert client.get(f"{sample.get_absolute_url()}?format=csv").status_code == 403
    assert client.post(third, {"conclusion": "satisfied"}).url == sample.get_absolute_url()
    assert client.post(finish).status_code == 302
    page = words(client.get(sample.get_absolute_url()))
    assert "1 exception" in page
    assert "2 satisfied" in page
    assert client.post(first, {"conclusion": "satisfied"}).status_code == 403
    assert "<form" not in client.get(first).content.decode().split('aria-label="Conclusion"')[1]
    assert client.get(f"{sample.get_absolute_url()}entries/4/").status_code == 404
    assert client.get("/audit/samples/999999/").status_code == 404


def test_nobody_else_concludes_or_finishes(cast, as_, sample):
    row = sample.drawn.first()
    for person in (cast.admin, cast.chair):
        client = as_(person)
        assert client.post(row.get_absolute_url(), {"conclusion": "satisfied"}).status_code == 403
        assert client.post(f"{sample.get_absolute_url()}finish/").status_code == 403
        assert client.post("/audit/samples/draw/", {"name": "x"}).status_code == 403
    row.refresh_from_db()
    assert row.conclusion == ""
    assert Sample.objects.count() == 1


def test_a_finished_sample_leaves_as_csv_and_json_with_what_proves_it(cast, as_, sample):
    conclude_all(sample, cast)
    client = as_(cast.auditor)
    rows = table(client.get(f"{sample.get_absolute_url()}?format=csv"))
    told = client.get(f"{sample.get_absolute_url()}?format=json").json()
    assert [row["words"] for row in rows] == ["Read 1.", "Read 2.", "Read 3."]
    assert [row["receipt"] for row in rows] == [f"/audit-log/receipts/{row['entry']}/" for row in rows]
    assert told["method"] == METHOD
    assert (told["sample"]["seed"], told["sample"]["bound"]) == ("s", sample.bound)
    for line in told["entries"]:
        made = entries.commitment(bytes.fromhex(line["salt"]), line["body"].encode())
        assert made.hex() == line["digest"]
    # What left is enough to draw it again: every candidate's digest stands in the exported entries of the audit log.
    everything = table(client.get("/audit/?format=csv&kind=signed+off"))
    again = draw(
        [
            (int(row["Entry"]), bytes.fromhex(row["Digest"]), facts["gate"], facts["seat"])
            for row in everything
            if row["Position"] and int(row["Position"]) < told["sample"]["bound"]
            for facts in [json.loads(row["Facts"])]
        ],
        seed=told["sample"]["seed"],
        size=told["sample"]["size"],
    )
    assert [key for key, _, _ in again.keys] == [line["entry"] for line in told["entries"]]
    kinds = Entry.objects.filter(kind="export taken").select_related("body").order_by("pk")
    assert [entry.facts["facts"]["name"] for entry in kinds] == [
        f"sample-{sample.pk}",
        f"sample-{sample.pk}.json",
        "audit-log-entries",
    ]


def test_a_formula_in_a_name_stays_text_in_the_export(cast, as_, sample):
    row = sample.drawn.first()
    audit_samples.conclude(drawn=row, conclusion="satisfied", words="=1+1", by=cast.auditor)
    for other in sample.drawn.exclude(pk=row.pk):
        audit_samples.conclude(drawn=other, conclusion="satisfied", by=cast.auditor)
    audit_samples.finish(sample=sample, by=cast.auditor)
    rows = table(as_(cast.auditor).get(f"{sample.get_absolute_url()}?format=csv"))
    assert rows[0]["words"] == "'=1+1"
