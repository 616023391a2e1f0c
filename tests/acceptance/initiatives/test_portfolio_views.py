"""The portfolio: approved beside supported, in a constant number of queries, as a file no spreadsheet runs."""

import csv
import io
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from governance import clock
from governance.database.row_history import acting
from governance.models import Rulebook
from initiatives.contributions import contributed
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.holds import actions as hold_actions
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.models import RoleAssignment, SupportedStage, SupportedStagePeriod
from tests.support import factories
from tests.support.initiatives import told_supported_stages

NONSENSE = [
    "approved_stage=nothing",
    "unit=99999999999999999999999",
    "unit=x",
    "page=zero",
    "page=99999",
    "page=-1",
    "report=unknown",
    "layer=%27",
    "sort=evil",
    "view=unknown",
    "q=" + "x" * 5000,
    "q=%27%22%3B--",
    "q=AI-99999999999999999999",
    "unsupported=perhaps",
    "held=2",
    "tier=a&tier=b",
    "q=%E2%80%AE",
    "q=%C2%B2",
]


@pytest.fixture
def initiative(cast):
    return factories.make_initiative(cast)


def stand(initiative, stage, supported, **fields):
    """Let the supported stage of an initiative say this, whatever its rows: the portfolio only reads it."""
    with connection.cursor() as cursor:
        # The owner of the table may do this on any server; a superuser's switches are not to be had everywhere.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE initiatives_initiative DISABLE TRIGGER USER")
        cursor.execute(
            "UPDATE initiatives_initiative SET stage = %s, since = %s WHERE id = %s",
            [stage, fields.pop("since", timezone.now()), initiative.pk],
        )
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE initiatives_initiative ENABLE TRIGGER USER")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    rank = {"proposed": 0, "prototype": 1, "mvp": 2, "production": 3}
    values = {
        "supported": supported,
        "unsupported_stages": max(0, rank.get(stage, 0) - rank[supported]),
        "label": "",
        "governance": "passes",
        "integration": "not_yet",
        "adoption": "passes",
        "gaps": {},
        "held": False,
        "next_expiry_on": None,
    } | fields
    SupportedStagePeriod.objects.filter(initiative=initiative).update(**values)
    return initiative


def refs(response) -> list[str]:
    return [row["ref"] for row in response.context["rows"]]


def test_approved_beside_supported_with_the_name_of_the_difference(cast, as_, initiative):
    stand(
        initiative,
        "mvp",
        "prototype",
        label="MVP: not supported by current evidence",
        gaps={"integration": 3, "policy": 1},
    )
    response = as_(cast.owner).get("/initiatives/")
    text = response.content.decode()
    assert "evidence supports Prototype" in text
    assert "not supported: one stage short" in text
    assert "Marta Lindqvist" in text
    assert "Integration does not pass" in text
    assert "One of 1 initiative is not supported by current evidence" in text
    assert "%" not in text.split("<main")[1].replace("%20", "")


def test_by_supported_stage_then_worst_first(cast, as_):
    make = [factories.make_initiative(cast, title=f"Initiative {n}") for n in range(5)]
    stand(make[0], "prototype", "prototype")
    stand(make[1], "production", "prototype", label="Production: not supported by current evidence")
    stand(make[2], "production", "production")
    stand(make[3], "mvp", "prototype", label="MVP: not supported by current evidence")
    client = as_(cast.owner)
    order = [make[i].ref for i in (2, 1, 3, 0, 4)]
    assert refs(client.get("/initiatives/")) == order
    assert refs(client.get("/initiatives/?sort=worst"))[:2] == [make[1].ref, make[3].ref]
    for sort in ("longest", "due", "title"):
        assert len(refs(client.get(f"/initiatives/?sort={sort}"))) == 5


def test_filters_stand_in_the_address(cast, as_):
    mvp = stand(
        factories.make_initiative(cast, title="Alpha"), "mvp", "prototype", gaps={"integration": 2}, held=True
    )
    idea = factories.make_initiative(cast, title="Beta")
    far = factories.make_initiative(cast, title="Gamma", unit=cast.elsewhere)
    client = as_(cast.admin)

    def shown(query):
        return set(refs(client.get(f"/initiatives/?{query}")))

    everything = {mvp.ref, idea.ref, far.ref}
    assert shown("") == everything
    assert shown("q=alph") == {mvp.ref}
    assert shown("mine=on") == set()
    assert set(refs(as_(cast.owner).get("/initiatives/?mine=on"))) == everything
    assert shown(f"q={idea.ref.lower()}") == {idea.ref}
    assert shown(f"q={idea.number}") == {idea.ref}
    assert shown("q=marta") == everything
    assert shown("q=beta+marta") == {idea.ref}
    assert shown("approved_stage=mvp") == {mvp.ref}
    assert shown("supported=prototype") == {mvp.ref}
    assert shown("supported=proposed") == {idea.ref, far.ref}
    assert shown(f"unit={cast.unit.parent.pk}") == {mvp.ref, idea.ref}
    assert shown(f"unit={cast.elsewhere.pk}") == {far.ref}
    assert shown("layer=integration") == {mvp.ref}
    assert shown("layer=model") == set()
    assert shown("unsupported=on") == {mvp.ref}
    assert shown("held=on") == {mvp.ref}
    assert shown("imported=on") == set()
    assert shown("tier=unset") == everything
    assert shown("tier=high") == set()
    assert "No initiatives match these filters" in client.get("/initiatives/?tier=high").content.decode()


def test_addresses_that_make_no_sense_still_show_the_page(cast, as_, initiative):
    client = as_(cast.owner)
    for query in NONSENSE:
        for path in (
            f"/initiatives/?{query}",
            f"/initiatives/?view=board&{query}",
            f"/initiatives/export.csv?{query}",
        ):
            assert client.get(path).status_code == 200, path


def test_what_was_not_understood_is_said(cast, as_, initiative):
    text = as_(cast.owner).get("/initiatives/?approved_stage=nothing").content.decode()
    assert "is not valid and is ignored" in text
    assert initiative.ref in text


def test_strangers_see_none_of_it(cast, as_, initiative):
    response = as_(cast.outsider).get("/initiatives/")
    assert initiative.ref not in response.content.decode()
    assert "No initiatives yet" in response.content.decode()
    text = b"".join(as_(cast.outsider).get("/initiatives/export.csv").streaming_content).decode()
    assert initiative.ref not in text


def test_a_supported_stage_from_before_the_rulebook_is_being_recomputed(cast, as_, initiative):
    stand(initiative, "mvp", "prototype", label="MVP: not supported by current evidence")
    before = Rulebook.objects.current().published_at - timedelta(seconds=1)
    SupportedStage.objects.filter(initiative=initiative).update(computed_at=before)
    client = as_(cast.owner)
    response = client.get("/initiatives/")
    text = response.content.decode()
    assert "being recomputed" in text
    assert "evidence supports" not in text.split("<tbody")[1].split("</tbody")[0]
    assert refs(client.get("/initiatives/?supported=recomputing")) == [initiative.ref]
    assert refs(client.get("/initiatives/?unsupported=on")) == []
    assert refs(client.get("/initiatives/?report=larger-prototypes")) == []


def test_page_by_page_every_initiative_stands_once_in_its_order(cast, as_, monkeypatch):
    from initiatives.portfolio.initiative_list import views as portfolio_views

    stages = [("mvp", "prototype"), ("mvp", "mvp"), ("prototype", "proposed"), ("prototype", "prototype")]
    one, two, three, four = (stand(factories.make_initiative(cast, title="Kept"), *pair) for pair in stages)
    idea = factories.make_initiative(cast, title="Kept")
    unknown = [stand(factories.make_initiative(cast, title="Kept"), "mvp", "mvp") for _ in range(3)]
    before = Rulebook.objects.current().published_at - timedelta(seconds=1)
    SupportedStage.objects.filter(initiative__in=unknown).update(computed_at=before)
    client = as_(cast.auditor)
    order = [initiative.ref for initiative in (two, one, four, three, idea, *unknown)]
    for most in (1, 3, 8):
        monkeypatch.setattr(portfolio_views, "PAGE", most)
        monkeypatch.setattr(portfolio_views, "PER_COLUMN", most)
        for narrowed in ("", "&q=kept"):
            pages = [client.get(f"/initiatives/?page={n + 1}{narrowed}") for n in range(-(-8 // most))]
            assert [ref for page in pages for ref in refs(page)] == order, (most, narrowed)
            assert {tuple(page.context["totals"].values()) for page in pages} == {(8, 2)}
            last = client.get(f"/initiatives/?page=99&sort=title{narrowed}")
            assert refs(last)[-1] == unknown[-1].ref
        (mvps,) = [
            c for c in client.get("/initiatives/?view=board").context["columns"] if c["stage"] == "mvp"
        ]
        wanted = [initiative.ref for initiative in (two, one, *unknown)]
        assert ([row["ref"] for row in mvps["rows"]], mvps["more"]) == (wanted[:most], max(0, 5 - most))


def test_spans_are_looked_up_for_the_moment_not_for_the_last_write(cast, as_, initiative):
    import time_machine

    stand(initiative, "mvp", "mvp")
    tomorrow = clock.now() + timedelta(days=1)
    short = {
        "supported": "prototype",
        "unsupported_stages": 1,
        "label": "MVP: not supported by current evidence",
    }
    told_supported_stages.say(
        initiative,
        [
            {"from_at": clock.now(), "until_at": tomorrow, "supported": "mvp"},
            {"from_at": tomorrow, **short},
        ],
    )
    client = as_(cast.admin)
    assert refs(client.get("/initiatives/?supported=mvp")) == [initiative.ref]
    with time_machine.travel(tomorrow + timedelta(seconds=1), tick=False):
        client = as_(cast.admin)
        assert refs(client.get("/initiatives/?supported=mvp")) == []
        assert refs(client.get("/initiatives/?report=larger-prototypes")) == [initiative.ref]


def test_reports(cast, as_):
    today = clock.today()
    make = factories.make_initiative
    larger = stand(make(cast, title="L"), "mvp", "prototype", label="MVP: not supported by current evidence")
    old = stand(make(cast, title="O"), "mvp", "mvp", since=timezone.now() - timedelta(days=400))
    ageing = stand(make(cast, title="E"), "mvp", "mvp", next_expiry_on=today + timedelta(days=30))
    later = stand(make(cast, title="N"), "mvp", "mvp", next_expiry_on=today + timedelta(days=31))
    lapsed = stand(
        make(cast, title="P"), "production", "mvp", label="Production: not supported by current evidence"
    )
    stopped = make(cast, title="S")
    stage_actions.stop(initiative=stopped, reason_code="no_value", reason="No", by=cast.owner)
    with acting(system="test", reason="obligation"):
        hold_actions.open_obligation(
            stopped,
            "post_mortem",
            source="test",
            text="Post-mortem",
            due=today - timedelta(days=1),
            responsible=cast.owner,
        )
    vacant = make(cast, title="V")
    with acting(system="test", reason="left"):
        row = RoleAssignment.objects.get(initiative=vacant, role="owner")
        row.ended_at = clock.now()
        row.save()
    mistake = make(cast, title="W")
    detail_actions.withdraw(initiative=mistake, reason="Twice", by=cast.owner)
    client = as_(cast.admin)

    def report(key):
        response = client.get(f"/initiatives/?report={key}")
        return set(refs(response)), response.content.decode()

    assert report("larger-prototypes")[0] == {larger.ref}
    pilots, text = report("permanent-pilots")
    assert pilots == {old.ref}
    assert "Integration does not pass" in text
    assert report("expiring")[0] == {ageing.ref}
    assert report("lapsed-production")[0] == {lapsed.ref}
    assert report("overdue-post-mortems")[0] == {stopped.ref}
    vacancies, text = report("vacant-owners")
    assert vacancies == {vacant.ref}
    assert "vacant" in text
    assert report("withdrawn")[0] == {mistake.ref}
    assert mistake.ref not in client.get("/initiatives/").content.decode()
    assert later.ref in client.get("/initiatives/").content.decode()
    assert {report.key for report in contributed.reports} >= {
        "permanent-pilots",
        "vacant-owners",
    }


def test_the_board_has_a_column_a_stage(cast, as_):
    stand(
        factories.make_initiative(cast, title="Alpha"),
        "mvp",
        "prototype",
        label="MVP: not supported by current evidence",
    )
    factories.make_initiative(cast, title="Beta")
    stopped = factories.make_initiative(cast, title="Gamma")
    stage_actions.stop(initiative=stopped, reason_code="no_value", reason="No", by=cast.owner)
    response = as_(cast.owner).get("/initiatives/?view=board")
    columns = response.context["columns"]
    assert [column["stage"] for column in columns] == ["proposed", "prototype", "mvp", "production", ""]
    assert [column.get("count") for column in columns[:4]] == [1, 0, 1, 0]
    assert "1 stopped" in response.content.decode()


def test_the_file_is_safe_and_says_what_nobody_may_overlook(cast, as_):
    odd = ['=cmd|"/c calc"!A1', "+1", "-1", "@SUM(1)", "\tTab"]
    for title in odd:
        factories.make_initiative(cast, title=title)
    proto = stand(factories.make_initiative(cast, title="Beta"), "prototype", "prototype")
    mvp = stand(
        factories.make_initiative(cast, title="Alpha"),
        "mvp",
        "prototype",
        label="MVP: not supported by current evidence",
    )
    client = as_(cast.owner)
    response = client.get("/initiatives/export.csv")
    assert response.streaming
    text = b"".join(response.streaming_content).decode()
    rows = list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"))))
    assert len(rows) == 7
    by_ref = {row["Reference"]: row for row in rows}
    assert by_ref[proto.ref]["Note"] == "not production-ready; no contract in force"
    assert by_ref[proto.ref]["Goal of the stage"] == "Prove possibility"
    assert by_ref[mvp.ref]["Approved stage"] == "MVP"
    assert by_ref[mvp.ref]["Supported stage"] == "Prototype"
    assert by_ref[mvp.ref]["Not supported"] == "MVP: not supported by current evidence"
    assert by_ref[mvp.ref]["Owner"] == "Marta Lindqvist"
    for row in rows:
        for cell in row.values():
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\0")), cell
    only = b"".join(client.get("/initiatives/export.csv?approved_stage=mvp").streaming_content).decode()
    assert only.count("\r\n") == 2


def test_a_constant_number_of_queries(cast, as_):
    views = {"": 12, "?sort=worst&q=initiative&held=on": 12, "?report=vacant-owners": 12, "?view=board": 16}
    people = (cast.owner, cast.chair, cast.admin)

    def count(person, view):
        client = as_(person)
        client.get(f"/initiatives/{view}")
        with CaptureQueriesContext(connection) as queries:
            assert client.get(f"/initiatives/{view}").status_code == 200
        return len(queries)

    factories.make_initiative(cast, title="Initiative 0")
    few = {(view, person.login): count(person, view) for view in views for person in people}
    for number in range(1, 6):
        factories.make_initiative(cast, title=f"Initiative {number}")
    for view, limit in views.items():
        for person in people:
            many = count(person, view)
            assert many == few[view, person.login], (view, person)
            assert many <= limit, (view, person, many)
