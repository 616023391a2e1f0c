"""Measuring a sample: what a column holds and since when, whatever dirt is in it; files that are broken or hostile."""

import gzip
import io
import os
import random
import struct
import time
import zipfile
from contextlib import suppress
from datetime import date, timedelta

import duckdb
import pytest

from initiatives.integration.measurement import change_points, measuring_process, patterns
from initiatives.integration.measurement.column_profile import measure
from initiatives.integration.measurement.coverage import cover, strata_of
from initiatives.integration.measurement.sample_reader import Trouble
from tests.drills.systems import profiles


def sample(folder, text: str | bytes, name: str = "sample.csv"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def column(said: dict, name: str) -> dict:
    return next(one for one in said["columns"] if one["name"] == name)


def parquet(path, query: str, *options) -> None:
    duckdb.connect().execute(f"COPY ({query}) TO '{path}' (FORMAT parquet{''.join(options)})")


# Patterns


@pytest.mark.parametrize(
    ("mask", "pattern", "kind"),
    [
        ("AA99999999", "A{2}9{8}", "text"),
        ("9999999999", "9{10}", "integer"),
        ("9999-99-99", "9{4}-9{2}-9{2}", "date"),
        ("99/99/9999", "9{2}/9{2}/9{4}", "date"),
        ("9999-99-99A99:99:99", "9{4}-9{2}-9{2}A{1}9{2}:9{2}:9{2}", "timestamp"),
        ("9,999.99", "9{1},9{3}.9{2}", "decimal"),
        ("99aA9aAa9", "X{9}", "text"),
        ("999aAaaA-9999-9999-9999-aaaaaaaaaaaa", "h{8}-h{4}-h{4}-h{4}-h{12}", "text"),
    ],
)
def test_a_mask_becomes_a_pattern_and_a_type(mask, pattern, kind):
    assert patterns.pattern_of(mask) == pattern
    assert patterns.type_of(mask) == kind


def test_a_counter_that_goes_on_changed_nothing():
    assert patterns.grown("9{5}", "9{6}")
    assert patterns.grown("A{3}-9{3}", "A{3}-9{4}")
    assert not patterns.grown("9{6}", "9{5}")
    assert not patterns.grown("9{10}", "A{2}9{8}")


# Eras


def _months(*mixes: tuple[int, dict]) -> dict:
    """Months from January 2018 on: how many, and the rows of each pattern in one."""
    found, month = {}, 2018 * 12
    for count, mix in mixes:
        for _ in range(count):
            found[month] = dict(mix)
            month += 1
    return found


def test_a_column_that_means_something_else_since_a_month_is_told_so():
    months = _months((14, {"9{10}": 95, "": 5}), (20, {"A{2}9{8}": 94, "9{10}": 1, "": 5}))
    found = change_points.eras_of(months)
    assert [(one.first, one.told) for one in found] == [
        (2018 * 12, ("9{10}",)),
        (2019 * 12 + 2, ("A{2}9{8}",)),
    ]
    assert (
        change_points.words_of("id", found) == "id: “9{10}” until February 2019, “A{2}9{8}” from March 2019."
    )


def test_a_month_in_which_both_ways_are_in_use_belongs_to_the_larger_half():
    months = _months((12, {"9{10}": 100}), (1, {"9{10}": 40, "A{2}9{8}": 60}), (12, {"A{2}9{8}": 100}))
    assert [one.first for one in change_points.eras_of(months)] == [2018 * 12, 2019 * 12]


@pytest.mark.parametrize(
    "months",
    [
        _months((36, {"9{10}": 90, "": 8, "other": 2})),
        _months((12, {"9{4}": 100}), (12, {"9{5}": 100})),  # a counter
        _months(
            (12, {"9{10}": 100}), (1, {"A{4}": 1, "9{10}": 1}), (12, {"9{10}": 100})
        ),  # a small month of dirt
        _months(
            (12, {"9{10}": 60, "A{2}9{8}": 40}), (12, {"9{10}": 50, "A{2}9{8}": 50})
        ),  # two systems, side by side
    ],
)
def test_dirt_growth_and_small_shifts_are_no_change(months):
    assert len(change_points.eras_of(months)) == 1


def test_customer_id_with_three_meanings_is_found_in_dirty_rows_by_the_month(tmp_path):
    path = tmp_path / "sample.csv"
    profiles.write(path, 12_000)
    said = measuring_process.run(path, folder=tmp_path)
    assert (said["rows"], said["period_column"]) == (12_000, "opened")
    found = column(said, "customer_id")
    began = [one["from"] for one in found["eras"]]
    assert began[1:] == ["2018-03", "2020-11"]
    assert [max(one["patterns"], key=one["patterns"].get) for one in found["eras"]] == [
        "9{10}",
        "A{2}9{8}",
        "X{18}",
    ]
    assert found["words"] in [one["words"] for one in said["findings"]]
    assert not [one["name"] for one in said["columns"] if one.get("words") and one["name"] != "customer_id"]
    assert column(said, "order_id")["key"] == "key"
    assert list(tmp_path.iterdir()) == [path]


def test_every_column_says_what_the_register_reads(tmp_path):
    rows = "\n".join(f"{n},{'' if n % 4 else 'x@y.example'},2024-0{1 + n % 9}-03,{n / 2}" for n in range(400))
    said = measure(sample(tmp_path, f"id,mail,on,amount\n{rows}\n"), folder=tmp_path)
    wanted = {
        "name",
        "type",
        "patterns",
        "blank_share",
        "distinct_share",
        "min",
        "max",
        "min_length",
        "max_length",
    }
    assert all(wanted | {"periods"} <= set(one) for one in said["columns"])
    assert column(said, "mail")["blank_share"] == 0.75
    assert (column(said, "amount")["min"], column(said, "amount")["max"]) == (0, 199.5)
    assert (column(said, "on")["min"], column(said, "on")["type"]) == ("2024-01-03", "date")
    assert column(said, "mail")["min"] is None  # text would be a piece of the sample


def test_parquet_reads_as_the_same_rows_in_csv_do(tmp_path):
    path = tmp_path / "rows.parquet"
    parquet(
        path,
        "SELECT i AS id, DATE '2022-01-01' + (i % 900)::INT AS day, 'K' || (i % 7) AS kind FROM range(3000) t(i)",
    )
    said = measure(path, folder=tmp_path)
    assert (said["rows"], said["period_column"]) == (3000, "day")
    assert [one["type"] for one in said["columns"]] == ["integer", "date", "text"]
    assert column(said, "kind")["categories"].keys() == {f"K{n}" for n in range(7)}


def test_day_and_month_are_told_apart_by_all_rows(tmp_path):
    first = date(2023, 1, 1)
    rows = "\n".join(f"{first + timedelta(n % 700):%d/%m/%Y},{n}" for n in range(2000))
    said = measure(sample(tmp_path, f"when,n\n{rows}\n"), folder=tmp_path, period_column="when")
    assert (column(said, "when")["min"], column(said, "when")["max"]) == ("2023-01-01", "2024-11-30")


def test_a_period_column_that_is_not_there_is_named_with_those_that_are(tmp_path):
    with pytest.raises(Trouble, match="The file has: a, b"):
        measure(sample(tmp_path, "a,b\n1,2\n"), folder=tmp_path, period_column="born")
    with pytest.raises(Trouble, match="No dates can be read"):
        measure(sample(tmp_path, "a,b\nx,2\n"), folder=tmp_path, period_column="a")


def test_a_code_page_that_cannot_be_told_is_asked_for(tmp_path):
    path = sample(tmp_path, "name,town\n" + "Gr\u00fc\u00df,K\u00f6ln\n" * 30, "x.csv")
    path.write_bytes(("name,town\n" + "Gr\u00fc\u00df,K\u00f6ln\n" * 30).encode("cp1252"))
    with pytest.raises(Trouble) as asked:
        measure(path, folder=tmp_path)
    assert any("K\u00f6ln" in line for _, _, lines in asked.value.ask for line in lines)
    assert measure(path, folder=tmp_path, encoding="cp1252")["findings"][0]["encoding"] == "cp1252"


# What it stands for


def test_a_sample_is_held_against_the_population():
    whole = [
        {"stratum": "Retail", "share": 0.6},
        {"stratum": "Trade", "share": 0.3},
        {"stratum": "State", "share": 0.1},
    ]
    part = [
        {"stratum": "retail ", "share": 0.9},
        {"stratum": "Trade", "share": 0.08},
        {"stratum": "Test", "share": 0.02},
    ]
    found = cover(whole, part, rows=2000)
    assert (found.covered, found.missing, found.unknown) == (0.9, ("State",), ("Test",))
    assert (found.over, found.under) == (("Retail",), ("Trade",))
    assert cover(whole, whole, rows=200).over == cover(whole, whole, rows=200).under == ()
    fair = cover(whole, [{"stratum": "Retail", "share": 0.65}, {"stratum": "Trade", "share": 0.35}], rows=20)
    assert fair.over == ()  # twenty rows say no more
    assert strata_of({"categories": {"a": 0.5}}) == [{"stratum": "a", "share": 0.5}]


# Hostile and broken files


def _bomb(kind: str) -> bytes:
    zeros, store = b"0," * 5_000_000, io.BytesIO()
    if kind == "gzip":
        return gzip.compress(zeros)
    with zipfile.ZipFile(store, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", zeros)
    return store.getvalue()


def _parquet_bytes(folder, query="SELECT i AS a FROM range(5000) t(i)") -> bytes:
    path = folder / "made.parquet"
    parquet(path, query)
    content = path.read_bytes()
    path.unlink()
    return content


REFUSED = {
    "empty": (lambda _: b"", "empty"),
    "a header alone": (lambda _: b"a,b\n", "no rows"),
    "a gzip bomb": (lambda _: _bomb("gzip"), "gzip"),
    "a zip bomb": (lambda _: _bomb("zip"), "zip"),
    "zero bytes": (lambda _: b"a,b\n1,\x00\n" * 50, "not text"),
    "zero bytes far in": (lambda _: b"a,b\n" + b"1,2\n" * 300_000 + b"1,\x00\n", "not text|zero bytes"),
    "bytes of a machine": (lambda _: bytes(range(1, 32)) * 400, "not text|not a table|header|read"),
    "a page": (lambda _: b"<html><script>alert(1)</script></html>\n" * 5, "web page"),
    "JSON": (lambda _: b'{"a": [1, 2]}\n' * 50, "JSON"),
    "a million columns": (lambda _: b",".join([b"x"] * 1_000_000) + b"\n1\n", "columns|longer"),
    "a cell of megabytes": (lambda _: b"a,b\n1,2\n3," + b"x" * 3_000_000 + b"\n", "longer|cannot be read"),
    "quotes that never end": (lambda _: b'a,b\n1,2\n3,"' + b"x\n" * 2_000_000, "quotation mark"),
    "half a Parquet file": (lambda folder: _parquet_bytes(folder)[:-500], "cut off"),
    "the ends of a Parquet file": (
        lambda _: b"PAR1" + b"\0" * 200 + struct.pack("<I", 100) + b"PAR1",
        "damaged",
    ),
    "a lying length": (
        lambda f: _parquet_bytes(f)[:-8] + struct.pack("<I", 2**31) + b"PAR1",
        "outside|far more",
    ),
    "a changed middle": (
        lambda f: (lambda c: c[:200] + b"\xff" * 400 + c[600:])(_parquet_bytes(f)),
        "damaged|rows",
    ),
    "a changed description": (
        lambda f: (lambda c: c[:-150] + bytes(b ^ 0x5A for b in c[-150:-8]) + c[-8:])(_parquet_bytes(f)),
        "damaged|far more|memory|broke|rows|took",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_broken_or_hostile_file_is_refused_in_words_and_leaves_nothing(tmp_path, what):
    make, words = REFUSED[what]
    path = sample(tmp_path, make(tmp_path), "hostile")
    began = time.process_time() + sum(os.times()[2:4])
    with pytest.raises(Trouble, match=words) as refused:
        measuring_process.run(path, folder=tmp_path, seconds=60)
    assert str(refused.value).endswith(".")
    assert time.process_time() + sum(os.times()[2:4]) - began < 30
    assert os.listdir(tmp_path) == ["hostile"]


def test_more_row_groups_than_a_sample_has_are_refused_before_a_row_is_read(tmp_path, monkeypatch):
    path = tmp_path / "groups.parquet"
    parquet(path, "SELECT 1 AS a FROM range(40960)", ", ROW_GROUP_SIZE 1")
    assert measuring_process.run(path, folder=tmp_path)["rows"] == 40960
    monkeypatch.setattr("initiatives.integration.measurement.column_profile.MAX_GROUPS", 10)
    with pytest.raises(Trouble, match="row groups"):
        measure(path, folder=tmp_path)
    assert os.listdir(tmp_path) == ["groups.parquet"]


def test_a_symbolic_link_a_pipe_and_a_folder_are_no_samples(tmp_path):
    target = sample(tmp_path, "a,b\n1,2\n")
    (tmp_path / "link").symlink_to(target)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("link", "pipe", "folder", "nothing"):
        with pytest.raises(Trouble, match="plain file"):
            measuring_process.run(tmp_path / name, folder=tmp_path)


def test_words_in_headers_and_cells_are_words(tmp_path):
    """Names and values that would be SQL, formulas, files or JSON elsewhere are measured as the text they are."""
    secret = sample(tmp_path, "secret\nvalue\n", "secret.csv")
    names = [
        '"; DROP TABLE t; --',
        "' OR 1=1",
        "c0",
        f"read_csv('{secret}')",
        "=cmd|' /C calc'!A0",
        "{{ 7*7 }}",
    ]
    header = ",".join('"' + name.replace('"', '""') + '"' for name in names)
    cells = (
        f'"read_text(\'{secret}\')",\'; ATTACH \'x\',=1+1,{secret},"{{""a"": [1, {{""b"": 2}}]}}",\u202eabc'
    )
    path = sample(tmp_path, header + "\n" + f"{cells}\n" * 40)
    said = measuring_process.run(path, folder=tmp_path)
    assert said["rows"] == 40
    assert [one["name"] for one in said["columns"]] == names
    assert all(one["distinct"] == 1 for one in said["columns"])
    assert sorted(os.listdir(tmp_path)) == ["sample.csv", "secret.csv"]


def test_the_names_of_a_parquet_file_are_words(tmp_path):
    path = tmp_path / "x.parquet"
    parquet(
        path,
        'SELECT 1 AS "a""; DROP TABLE t; --", [1, 2] AS "c0", {\'b\': 2} AS "A""; drop table T; --2" FROM range(30)',
    )
    said = measuring_process.run(path, folder=tmp_path)
    assert said["rows"] == 30
    assert said["columns"][0]["name"] == 'a"; DROP TABLE t; --'


def test_a_file_elsewhere_is_out_of_reach_while_measuring(tmp_path):
    from initiatives.integration.measurement import column_profile
    from initiatives.integration.measurement.sample_reader import open_sample

    outside = sample(tmp_path, "a\nsecret\n", "outside.csv")
    work = tmp_path / "work"
    work.mkdir()
    table = column_profile._Table(open_sample(sample(tmp_path, "a,b\n1,2\n"), work), work)
    for wish in (
        f"SELECT * FROM read_csv('{outside}')",
        "SELECT * FROM read_text('/etc/passwd')",
        f"COPY t TO '{tmp_path / 'out.csv'}'",
        f"ATTACH '{tmp_path / 'out.db'}'",
        "SET enable_external_access = true",
        "SET memory_limit = '100GB'",
        "INSTALL httpfs",
    ):
        with pytest.raises(duckdb.Error):
            table.base.execute(wish)


def test_measuring_ends_with_its_time_and_leaves_nothing(tmp_path):
    path = tmp_path / "sample.csv"
    profiles.write(path, 500_000)  # a fast machine measures 60,000 rows in a second
    with pytest.raises(Trouble, match="longer than"):
        measuring_process.run(path, folder=tmp_path, seconds=1)
    assert os.listdir(tmp_path) == ["sample.csv"]


def test_measuring_has_only_so_much_memory(tmp_path):
    path = sample(tmp_path, "a,b\n" + "1,2\n" * 1000)
    with pytest.raises(Trouble):
        measuring_process.run(path, folder=tmp_path, memory=120 << 20)


def test_the_process_that_measures_knows_no_secrets(tmp_path, monkeypatch):
    monkeypatch.setenv("PLUMBLINE_SECRET_KEY", "very secret")
    seen = {}
    real = measuring_process.subprocess.Popen

    def popen(command, **options):
        seen.update(options)
        return real(command, **options)

    monkeypatch.setattr(measuring_process.subprocess, "Popen", popen)
    measuring_process.run(sample(tmp_path, "a,b\n" + "1,2\n" * 30), folder=tmp_path)
    assert set(seen["env"]) == {"PATH", "TMPDIR", "HOME", "PYTHONDONTWRITEBYTECODE"}


def test_random_tables_are_measured_or_refused_in_words(tmp_path):
    draw = random.Random(4)
    alphabet = "a1,;\"\n\t|' \u00e9=@-.\r"
    for place in range(40):
        text = "".join(draw.choices(alphabet, k=draw.randrange(1, 400)))
        path = sample(tmp_path, text, f"r{place}")
        with suppress(Trouble):
            assert measure(path, folder=tmp_path)["rows"] >= 1
        path.unlink()
    assert not list(tmp_path.iterdir())
