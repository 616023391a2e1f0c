"""The tab "Adoption" and the measurements API, as people and systems meet them."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from adoption import api as adoption_api
from adoption.measures import queries
from adoption.measures.evaluation import FEW, figure_of, judge
from adoption.models import Measure, Measurement, Tally
from governance import clock
from tests.support import factories
from tests.support.initiatives.initiative_pages import at
from tests.support.paths import ROOT

pytestmark = pytest.mark.django_db


def page(client, name: str, *args) -> str:
    """The text of a page that opens."""
    answer = client.get(reverse(name, args=args))
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def test_from_an_empty_tab_to_a_verdict(cast, as_):
    initiative, owner = factories.make_mvp(cast), as_(cast.owner)
    assert "No measures yet" in page(owner, "adoption", initiative.ref)
    choose = page(owner, "measure-declare", initiative.ref)
    assert "usage.new_way" in choose
    address = f"{reverse('measure-declare', args=[initiative.ref])}?instrument=usage.new_way"
    typed = {
        "words": "Letters drafted with it",
        "population": "Account managers",
        "source": "Log of the application",
        "target": "50",
        "baseline": "10",
        "baseline_n": "80",
        "intended": "40",
    }
    refused = owner.post(address, typed | {"target": "5"})
    assert "not better than the baseline" in refused.content.decode()
    assert "Letters drafted with it" in refused.content.decode(), "nothing typed is lost"
    assert owner.post(address, typed).status_code == 302
    row = Measure.objects.get()
    assert (row.goals.get().target, row.goals.get().baseline) == (0.5, 0.1)
    assert "No measurements yet" in page(owner, "measure", row.pk)

    today = clock.today()
    sent = {"starts_on": today - timedelta(days=6), "ends_on": today, "hits": 90, "n": 100, "about": "users"}
    assert owner.post(reverse("measure", args=[row.pk]), sent).status_code == 302
    assert owner.post(reverse("measure", args=[row.pk]), sent).status_code == 200
    assert row.measurements.count() == 1, "these days were measured"
    shown = page(owner, "adoption", initiative.ref)
    assert "90 % of 100, with 95 % confidence between" in shown
    assert "<svg" in shown
    measurement = row.measurements.get()
    wrong = {**sent, "hits": 30, "reason": "Counted twice"}
    assert owner.post(at("measurements/correct", measurement.pk), wrong).status_code == 302
    assert (Tally.objects.get().hits, row.measurements.count()) == (30, 2)
    assert "not met" in page(owner, "adoption", initiative.ref)
    assert "<del>" in page(owner, "measure", row.pk)

    goal = {
        **{name: typed[name] for name in ("baseline", "baseline_n", "intended")},
        "target": "20",
        "number": "1",
    }
    assert owner.post(at("measures/move-goal", row.pk), goal | {"reason": "Fewer letters"}).status_code == 302
    shown = page(owner, "measure", row.pk)
    assert "Fewer letters" in shown
    assert "The goal is still 50 %" in shown, "a lowered target does not make old measurements meet it"
    url = reverse("row-act", args=["measures", row.pk, "close"])
    assert owner.post(url, {"reason": "Another is better"}).status_code == 302
    assert "Another is better" in page(owner, "adoption", initiative.ref)


def test_a_table_is_looked_at_before_it_enters_and_enters_once(cast, as_):
    initiative, lead = factories.make_mvp(cast), as_(cast.lead)
    row = factories.make_measure(cast, initiative)
    day = clock.today() - timedelta(days=3)
    table = (
        "measure,from,to,hits,n\n"
        f"usage.new_way,{day},{day},30,40\n"
        f"usage.new_way,{day},{day + timedelta(days=900)},30,40\n"
        "=cmd|' /C calc'!A0,<script>,x,1,2\n"
    )
    address = reverse("measurements-import", args=[initiative.ref])

    def send(**fields):
        file = SimpleUploadedFile("r.csv", table.encode(), "text/csv")
        return lead.post(address, {"file": file, "encoding": "", **fields})

    shown = send()
    text = shown.content.decode()
    assert "1 are new" in text
    assert "2 cannot be saved" in text
    assert "<script>x" not in text
    assert not Measurement.objects.exists()
    kept = shown.context["form"].initial["kept"]
    assert lead.post(address, {"kept": kept, "encoding": "", "step": "enter"}).status_code == 302
    assert row.measurements.get().hits == 30
    assert "1 exist already" in send().content.decode()
    assert (
        "no column"
        in lead.post(
            address, {"file": SimpleUploadedFile("r.csv", b"a,b\n1,2\n"), "encoding": ""}
        ).content.decode()
    )


def test_a_table_of_the_same_people_asks_and_counts_them_once(cast, as_):
    initiative, lead = factories.make_mvp(cast), as_(cast.lead)
    row = factories.make_measure(cast, initiative, "behaviour.practice")
    days = [clock.today() - timedelta(days=number) for number in range(8)]
    lines = [f"{day},{day},4,4," for day in days]
    others = days[0] - timedelta(days=30)
    table = "\n".join(
        ["from,to,hits,n,others", *lines, f"{others},{others},3,5,yes", f"{others},{others},1,1,ja", "x"]
    )
    address = reverse("measurements-import", args=[initiative.ref])
    shown = lead.post(
        address, {"file": SimpleUploadedFile("r.csv", table.encode(), "text/csv"), "encoding": ""}
    )
    asked = [line for line in shown.context["look"].lines if line.said]
    assert len(asked) == 7 + 1, "each line of the same people, and the one that cannot be read"
    lead.post(address, {"kept": shown.context["form"].initial["kept"], "encoding": "", "step": "enter"})
    assert row.measurements.count() == 10
    (verdict,) = [judge(subject) for _, subject in queries.subjects([initiative.pk])[initiative.pk]]
    assert (verdict.figure, verdict.why) == (None, FEW)
    subject = queries.subject_of(row)
    figure = figure_of(subject.how, subject.cells)
    assert (figure.n, figure.point) == (4 + 5 + 1, (4 + 3 + 1) / 10)


def test_the_form_takes_a_second_measurement_of_the_same_days_only_of_others(cast, as_):
    row = factories.make_measure(cast, factories.make_mvp(cast), "behaviour.practice")
    today, client, address = clock.today(), as_(cast.owner), reverse("measure", args=[row.pk])
    typed = {"starts_on": today, "ends_on": today, "hits": 5, "n": 6, "about": "users"}
    assert client.post(address, typed).status_code == 302
    assert client.post(address, typed | {"hits": 4}).status_code == 200
    assert row.measurements.count() == 1
    assert client.post(address, typed | {"hits": 4, "others": "on"}).status_code == 302
    assert [one.others for one in row.measurements.order_by("pk")] == [False, True]


def test_weeks_without_data_are_rows_on_the_page_and_in_the_api(cast, as_, client):
    row = factories.make_measure(cast, factories.make_mvp(cast))
    for weeks in (0, 3, 4):
        day = clock.today() - timedelta(weeks=weeks)
        factories.make_measurement(cast, row, starts_on=day, ends_on=day)
    shown = as_(cast.owner).get(reverse("measure", args=[row.pk])).context["one"]
    assert [line["n"] for line in shown.rows] == [100, None, None, 100, 100]
    assert shown.silent == 2
    assert page(as_(cast.owner), "measure", row.pk).count("no data") >= 2 + 2, (
        "each week, and how many in words"
    )
    token = factories.make_token(cast.owner)[1].text
    answer = client.get(
        f"/api/v1/initiatives/{row.initiative.ref}/measures", HTTP_AUTHORIZATION=f"Bearer {token}"
    ).json()
    (said,) = [one for one in answer["data"] if one["id"] == row.pk]
    assert [week["n"] for week in said["weeks"]] == [100, None, None, 100, 100]
    assert said["weeks_without_data"] == 2


def test_what_it_shows_is_filed_from_the_page(cast, as_):
    initiative = factories.make_mvp(cast)
    row = factories.make_measure(cast, initiative, "recoverable.undone")
    factories.make_measurement(cast, row)
    answer = as_(cast.owner).post(
        reverse("initiative-act", args=[initiative.ref, "file-figures"]), {"requirement": "adopt.recoverable"}
    )
    item = initiative.evidence.latest("pk")
    assert answer.url == reverse("evidence-item", args=[initiative.ref, item.pk])
    assert (item.kind, item.result, item.file_name) == ("user_research", "pass", "measurements.csv")


def test_the_tab_asks_as_often_for_many_measurements_as_for_few(cast, as_, django_assert_max_num_queries):
    initiative, owner = factories.make_production(cast), as_(cast.owner)
    owner.get(reverse("adoption", args=[initiative.ref]))
    with django_assert_max_num_queries(26):
        owner.get(reverse("adoption", args=[initiative.ref]))


# --- The API ---------------------------------------------------------------------------------------------------------


def send(client, token, rows, **options):
    """A batch, sent with a key."""
    return client.post(
        reverse("adoption-measurements"),
        rows if isinstance(rows, str) else json.dumps({"measurements": rows}),
        content_type=options.get("content_type", "application/json"),
        headers={"Authorization": f"Bearer {token}"},
    )


def told(of, **fields) -> dict:
    """A row as a system sends it."""
    day = clock.today().isoformat()
    return {"key": "a", "measure": of.pk, "from": day, "to": day, "hits": 8, "n": 10} | fields


def test_systems_send_batches_and_each_row_is_answered(cast, client):
    initiative = factories.make_mvp(cast)
    row = factories.make_measure(cast, initiative)
    key, token = factories.make_key(cast, initiative, scopes=["measurements"])
    answer = send(
        client,
        token.text,
        [
            told(row),
            told(row),
            told(row, hits=9),
            told(row, key="b", measure="usage.new_way", others=True),
            told(row, key="again"),
            told(row, key="odd", others="yes"),
            told(row, key="c", measure=10**6),
            told(row, key="d", n="ten"),
            told(row, key="e", to="tomorrow"),
            told(row, key="f", about="training"),
            told(row, key="g", replaces="a", hits=1),
            told(row, key="h\x00"),
            told(row, key="i", hits=10**30),
        ],
    )
    said = answer.json()
    assert answer.status_code == 200
    assert [one["state"] for one in said["measurements"]] == [
        "new", "known", "differs", "new", *["wrong"] * 6, "corrected", "wrong", "wrong",
    ]  # fmt: skip
    assert all(one["message"] for one in said["measurements"] if one["state"] in ("wrong", "differs"))
    assert said["counts"] == {"new": 2, "known": 1, "differs": 1, "wrong": 8, "corrected": 1}
    assert (said["kept"], said["not_kept"]) == (4, 9)
    assert Tally.objects.get().hits == 9
    assert {one.service_key_id for one in Measurement.objects.all()} == {key.pk}
    assert send(client, token.text, [told(row)]).json()["counts"] == {"known": 1}


def test_half_a_character_keeps_out_its_row_alone_and_says_so(cast, client):
    initiative = factories.make_mvp(cast)
    row = factories.make_measure(cast, initiative)
    _, token = factories.make_key(cast, initiative, scopes=["measurements"])
    body = json.loads((Path(ROOT) / "tests/data/apis/half-a-character-measurements.json").read_text())
    alone = send(client, token.text, json.dumps(body))
    assert (alone.status_code, alone.json()["kept"], alone.json()["not_kept"]) == (400, 0, 1)
    both = send(
        client, token.text, [*body["measurements"], told(row), 7, told(row, key="b", reason="a\u202eb")]
    )
    said = both.json()
    assert (both.status_code, said["kept"], said["not_kept"]) == (200, 1, 3)
    half, good, number, turned = said["measurements"]
    assert (half["key"], good["state"]) == ("2026-W46\ufffd", "new")
    assert "because of key" in half["message"]
    assert "U+D800" in half["message"]
    assert "not a JSON object" in number["message"]
    assert "because of reason" in turned["message"]
    assert [one.key for one in Measurement.objects.all()] == ["a"]


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"measurements": []}', '{"measurements": NaN}'])
def test_what_is_no_batch_is_answered_with_an_example(cast, client, body):
    initiative = factories.make_mvp(cast)
    _, token = factories.make_key(cast, initiative, scopes=["measurements"])
    answer = send(client, token.text, body)
    assert answer.status_code == 400
    assert "application/json" in answer["Content-Type"]


def test_a_key_for_decisions_sends_no_measurements_and_no_key_sends_nothing(cast, client):
    initiative = factories.make_mvp(cast)
    row = factories.make_measure(cast, initiative)
    _, token = factories.make_key(cast, initiative)
    assert send(client, token.text, [told(row)]).status_code == 403
    assert send(client, "plk_nobody", [told(row)]).status_code == 401
    assert not Measurement.objects.exists()


def test_a_key_reaches_no_measure_of_another_initiative(cast, client):
    other = factories.make_measure(cast, factories.make_mvp(cast, title="Another"))
    initiative = factories.make_mvp(cast)
    _, token = factories.make_key(cast, initiative, scopes=["measurements"])
    assert send(client, token.text, [told(other)]).json()["counts"] == {"wrong": 1}


def test_who_sends_too_many_waits(cast, client, monkeypatch):
    initiative = factories.make_mvp(cast)
    row = factories.make_measure(cast, initiative)
    _, token = factories.make_key(cast, initiative, scopes=["measurements"])
    monkeypatch.setattr(adoption_api, "MEASUREMENTS_A_SECOND", 1)
    assert send(client, token.text, [told(row, key=str(n)) for n in range(50)]).status_code == 200
    answer = send(client, token.text, [told(row)])
    assert (answer.status_code, int(answer["Retry-After"]) > 0) == (429, True)


def test_a_system_can_ask_what_it_may_send(cast, client):
    initiative = factories.make_mvp(cast)
    row = factories.make_measure(cast, initiative)
    _, token = factories.make_key(cast, initiative, scopes=["measurements"])
    answer = client.get(reverse("adoption-measures"), headers={"Authorization": f"Bearer {token.text}"})
    (one,) = answer.json()["measures"]
    assert (one["measure"], one["figure"]) == (row.pk, ["hits", "n"])
