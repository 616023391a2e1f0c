"""Traces to sources: the interval, what a citation names, hostile files, and the sample as evidence."""

import json
from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile

from governance.permission_result import Refused
from governance.vocabulary.shares import wilson
from initiatives.integration.resilience.trace_sampling import (
    MOST_BYTES,
    MOST_CITED,
    MOST_OUTPUTS,
    Source,
    check,
    governed_sources,
    read_sample,
)
from initiatives.models import TraceSample
from initiatives.portfolio.units import leaving
from tests.acceptance.walks import story
from tests.support import factories
from tests.support.initiatives.initiative_pages import acts


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [  # Newcombe 1998, table I, method 3; and the closed forms at the ends
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (5, 10, 0.2366, 0.7634),
        (10, 10, 0.7225, 1.0),
        (1, 1, 0.2065, 1.0),
    ],
)
def test_the_interval_is_wilsons(hits, of, low, high):
    assert wilson(hits, of) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))
    mirrored = wilson(of - hits, of)
    assert mirrored == (pytest.approx(1 - high, abs=5e-5), pytest.approx(1 - low, abs=5e-5))


@pytest.mark.parametrize(("hits", "of"), [(1, 0), (-1, 5), (6, 5)])
def test_what_is_no_share_has_no_interval(hits, of):
    with pytest.raises(ValueError, match="is not a share"):
        wilson(hits, of)


# Reading


def test_a_table_has_a_line_for_each_citation_or_several_in_one_cell():
    text = "\ufeffOutput;Source\nA-1;CRM: 12\nA-1;Wiki\nA-2;\n\n"
    assert read_sample(text.encode(), "s.csv") == {"A-1": ["CRM: 12", "Wiki"], "A-2": []}
    several = 'id,citations\nA-1,"CRM: 12; Wiki; CRM: 12"\n'
    assert read_sample(several.encode(), "s.csv") == {"A-1": ["CRM: 12", "Wiki"]}


def test_lines_of_json_name_an_output_and_its_sources():
    lines = [{"output": "A-1", "sources": ["CRM: 12"]}, {"output_id": 7, "cites": "Wiki"}, {"id": "A-3"}]
    lines[2]["sources"] = []
    text = "\n".join(json.dumps(line) for line in lines)
    assert read_sample(text.encode(), "s.jsonl") == {"A-1": ["CRM: 12"], "7": ["Wiki"], "A-3": []}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"  \n ", "empty"),
        (b"output,source\n", "no lines below it"),
        (b"output,source\n,CRM\n", "has no output"),
        (b"a,b\n1,2\n", "has no field for the output. Name the field output"),
        (b",,\n,,\n", "has no field for the output. Name the field output"),
        (b"output,b\n1,2\n", "has no field for the source. Name the field source"),
        ("output,source\nA,Gr\xfc\xdfe\n".encode("latin-1"), "not UTF-8"),
        (b"output,source\nA\x00,B\n", "not text"),
        (b'output,source\n"A' + b"x" * 200_000, "cannot be read"),
        (b"output,source\nA," + b"x" * 600 + b"\n", "longer than 500"),
        (b'{"output": "A", "sources": [1]}', "list of texts"),
        (b'{"output": "A", "sources": {"a": 1}}', "list of texts"),
        (b'{"output": ["A"], "sources": []}', "text or a whole number"),
        (b'{"output": true, "sources": []}', "text or a whole number"),
        (b'{"output": "A"}', "has no field for the sources"),
        (b'{"output": "A", "sources": []}\n[1]', "Line 2 is not an object"),
        (b'{"a":' * 100_000, "not JSON"),
        (b'{"output": ' + b"9" * 10_000 + b', "sources": []}', "not JSON"),
        (b"x" * (MOST_BYTES + 1), "larger than 5 MB"),
        (
            b"output,source\n" + b"A,B\n" * 3 + b"".join(b"%d,B\n" % n for n in range(MOST_OUTPUTS)),
            "more than 5,000",
        ),
        (b"output,source\n" + b"".join(b"A,%d\n" % n for n in range(MOST_CITED + 1)), "more than 50"),
        (b"output,source\nA," + b";".join(b"%d" % n for n in range(60)) + b"\n", "more than 50"),
    ],
)
def test_hostile_and_broken_samples_are_told_what_is_wrong(content, words):
    with pytest.raises(ValidationError) as said:
        read_sample(content, "s")
    assert words in said.value.message_dict["file"][0]


# What a citation names


def source(name="CRM", why="", **fields) -> Source:
    return Source(
        name,
        fields.get("key", 1),
        fields.get("key", 1),
        (name.casefold(),),
        tuple(fields.get("places", ())),
        why,
    )


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ("CRM", True),
        ("crm: account 12", True),
        ("CRM #12", True),
        ("CRM archive", False),
        ("CRMX: 12", False),
        ("the CRM", False),
        ("https://crm.example.org/hr/accounts/12", True),
        ("HTTPS://crm.example.org/hr?id=1", True),
        ("https://crm.example.org/hr-old/1", False),
        ("https://crm.example.org/", False),
        ("", False),
    ],
)
def test_a_citation_names_a_source_by_name_or_below_its_place(said, named):
    assert bool(source(places=("https://crm.example.org/hr",)).named_by(said)) is named


def test_an_output_counts_once_and_what_is_not_governed_is_listed_with_why():
    sources = [source("CRM"), source("Wiki", "The system has no owner.", key=2)]
    sample = {
        "A": ["CRM: 1", "Wiki: x"],
        "B": ["Wiki: x", "Wiki: y"],
        "C": [],
        "D": ["A blog"],
        "E": ["crm: 2"],
    }
    found = check(sample, sources)
    assert (found.outputs, found.hits) == (5, 2)
    assert (found.low, found.high) == wilson(2, 5)
    assert found.ungoverned == [
        {"said": "Wiki", "count": 3, "why": "The system has no owner."},
        {"said": "A blog", "count": 1, "why": "The initiative has no link to this source."},
    ]
    assert found.systems == (1,)
    assert found.lines[0]["cites"] == [
        {"said": "CRM: 1", "system": 1, "governed": True},
        {"said": "Wiki: x", "system": 2, "governed": False},
    ]


# Against the register


@pytest.fixture
def initiative(cast):
    return factories.make_ready(cast, factories.make_mvp(cast), "production")


def anchor(cast, initiative, name="Customer ledger", pattern="anchor", **fields):
    fields = {"source_of_truth_for": ["customer"]} | fields
    system = factories.make_system(cast, name, **fields)
    factories.make_link(cast, initiative, system, pattern=pattern)
    return system


@pytest.mark.django_db
def test_governed_is_linked_as_an_anchor_owned_and_a_source_of_truth(cast, initiative):
    anchor(cast, initiative)
    anchor(cast, initiative, "Feed", pattern="feed")
    anchor(cast, initiative, "Left", owner=cast.sponsor)
    anchor(cast, initiative, "Notes", source_of_truth_for=[])
    factories.make_system(cast, "Elsewhere", source_of_truth_for=["customer"])
    leaving.deactivate(person=cast.sponsor, reason="Left", system="HR feed")
    assert {one.name: one.why for one in governed_sources(initiative)} == {
        "Customer ledger": "",
        "Feed": "The link to this source is not an anchor.",
        "Left": "The system has no owner.",
        "Notes": "The system is not a source of truth.",
    }


@pytest.mark.django_db
def test_a_sample_is_kept_as_evidence_with_its_figures_and_its_file(cast, initiative):
    system = anchor(cast, initiative)
    with acts() as kinds:
        row = factories.make_trace_sample(cast, initiative)
    assert kinds == ["evidence added", "trace sample added"]
    assert (row.outputs, row.hits) == (2, 1)
    assert [one["said"] for one in row.ungoverned] == ["Old wiki"]
    item = row.evidence
    assert (item.kind, item.result, item.sha256) == ("log_sample", "partial", row.sha256)
    assert [cover.requirement for cover in item.coverage.all()] == ["int.anchor"]
    assert [name.system for name in item.names.all() if name.system_id] == [system]
    assert "1 of 2 outputs cite a governed source: 50%" in item.note
    assert not story.state(initiative, "int.anchor").satisfied, "partial is not a pass"
    passed = factories.make_trace_sample(
        cast, initiative, "output,source\nA,Customer ledger\n", result="pass"
    )
    found = story.state(initiative, "int.anchor")
    assert found.satisfied
    assert passed.evidence_id in [one.id for one in found.items]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("result", {"result": ""}),
        ("result", {"content": "output,source\nA,A blog\n", "result": "pass"}),
        ("title", {"title": " "}),
        ("taken_on", {"taken_on": date(2099, 1, 1)}),
        ("file", {"file": None}),
        ("file", {"file": ContentFile(b"MZ\x00", "s.csv")}),
        ("file", {"content": "a,b\n1,2\n"}),
    ],
)
def test_nothing_of_a_bad_sample_is_kept(cast, initiative, field, wrong):
    before = initiative.evidence.count()
    with pytest.raises(ValidationError) as said:
        factories.make_trace_sample(cast, initiative, **wrong)
    assert field in said.value.error_dict
    assert (TraceSample.objects.count(), initiative.evidence.count()) == (0, before)


@pytest.mark.django_db
def test_who_does_not_work_on_the_initiative_adds_none(cast, initiative):
    with pytest.raises(Refused):
        factories.make_trace_sample(cast, initiative, by=cast.seat_risk)
