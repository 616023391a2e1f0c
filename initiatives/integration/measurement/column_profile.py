"""Measuring one sample with DuckDB: within a memory limit, without a look at anything but its own working folder.

No name or value of the file ever stands in a statement: columns are c0, c1, ... there, and paths are our own.
"""

import tempfile
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path

import duckdb

from governance.tables.reader import MAX_COLUMNS
from initiatives.integration.measurement import change_points, patterns, sql
from initiatives.integration.measurement.patterns import BLANK, MOST, OTHER, TEXT
from initiatives.integration.measurement.sample_reader import MAX_LINE, Opened, Trouble, open_sample, tidy
from initiatives.integration.measurement.wording import findings_of

MEMORY = "140MB"
DISK = "6GB"
MAX_ROWS = 50_000_000
MAX_GROUPS = 200_000  # row groups of a Parquet file
SAMPLE = 5_000  # rows by which types and period are guessed
MASKS = 20_000  # masks of a column, by month, that are looked at; the rest is "other"
MANY = 400  # masks in the sample of a column above which its text has no form
KEYED = 0.9  # distinct values among those that are there; above it a key is looked for exactly
CATEGORIES = 50  # values of a column that are counted one by one
LEAST_OF_A_CATEGORY = 5  # rows; a value that fewer have is not kept
EXACT = 300_000  # rows up to which distinct values are counted, not estimated
MONTHS_TOLD = 240
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
TOO_WIDE = (
    f"One row of the file is longer than {MAX_LINE >> 20} MB. Look for a quotation mark that never ends."
)
YES_NO = (
    {"true", "false"},
    {"yes", "no"},
    {"y", "n"},
    {"t", "f"},
    {"0", "1"},
    {"ja", "nein"},
    {"oui", "non"},
)
DATED = ("date", "created", "_at", "_on", "day", "time", "month", "datum", "period", "since", "opened")


def measure(
    path: Path | str,
    *,
    encoding: str = "",
    period_column: str = "",
    taken_on: date | None = None,
    most: int = 0,
    folder: Path | str | None = None,
) -> dict:
    """What the sample looks like: rows, columns, findings, the column whose months it was read by, how it was read.

    `period_column`: the column with the date of a row; "" guesses one. `most`: bytes the file may have. `folder`: where
    working copies lie, removed at the end. Raises Trouble in words for people. Run it in a process of its own.
    """
    with tempfile.TemporaryDirectory(prefix="measuring-", dir=folder) as work:
        opened = open_sample(Path(path), Path(work), encoding=encoding, most=most)
        try:
            return _Table(opened, Path(work)).measured(period_column, taken_on)
        except duckdb.OutOfMemoryException:
            raise Trouble(
                "Measuring took more memory than a sample may. Send fewer rows or columns."
            ) from None
        except duckdb.Error as error:
            raise Trouble(_words(opened, error)) from None


def _words(opened: Opened, error: Exception) -> str:
    text = str(error)
    if "line size" in text.lower():
        return TOO_WIDE
    if opened.kind == "parquet":
        return "The Parquet file is damaged, encrypted or of a kind that cannot be read. Write it again."
    return "The rows of the file cannot be read. Look for quotation marks that never end, and save it again as CSV."


class _Table:
    """The sample in a database of its own, in the working folder: all columns are text, outer spaces cut off."""

    def __init__(self, opened: Opened, work: Path):
        self.opened, self.names, self.stored = opened, opened.names, []
        self.remarks = list(opened.remarks)
        self.period: tuple[int, str] | None = None
        self.base = duckdb.connect(
            str(work / "work.duckdb"),
            config={
                "memory_limit": MEMORY,
                "threads": 1,
                "temp_directory": str(work / "spill"),
                "max_temp_directory_size": DISK,
                "preserve_insertion_order": False,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )
        self.base.execute(f"SET allowed_paths = [{sql.literal(str(opened.path))}]")
        self.base.execute("SET enable_external_access = false")
        self.base.execute("SET lock_configuration = true")
        try:
            self._load()
        finally:
            opened.path.unlink()

    def _all(self, statement: str) -> list[tuple]:
        return self.base.execute(statement).fetchall()

    def _one(self, statement: str) -> tuple:
        return self.base.execute(statement).fetchone()

    # From the file to rows

    def _load(self) -> None:
        source = self._described() if self.opened.kind == "parquet" else self._lines()
        spaces = sql.literal(sql.SPACES)
        cells = ", ".join(
            f"nullif(trim(CAST(c{i} AS VARCHAR), {spaces}), '') AS c{i}" for i in range(len(self.names))
        )
        some = " OR ".join(f"c{i} IS NOT NULL" for i in range(len(self.names)))
        self.base.execute(
            f"CREATE TABLE t AS SELECT * FROM (SELECT {cells} FROM {source}) WHERE {some} LIMIT {MAX_ROWS + 1}"
        )
        self.rows = self._one("SELECT count(*) FROM t")[0]
        if self.rows > MAX_ROWS:
            raise Trouble(f"The file has more than {MAX_ROWS:,} rows. Send a sample of them.")
        self.rejected = 0
        if self.opened.kind == "csv":
            wide = "error_type = 'LINE SIZE OVER MAXIMUM'"
            self.rejected, endless = self._one(
                f"SELECT count(DISTINCT line), count(*) FILTER ({wide}) FROM reject_errors"
            )
            if endless:
                raise Trouble(TOO_WIDE)
        if self.rejected > max(5, self.rows // 10):
            raise Trouble(
                f"{self.rejected:,} rows do not have the cells of the header. Look at quotation marks and separators."
            )
        if not self.rows:
            raise Trouble("The file has no rows below its header.")

    def _lines(self) -> str:
        kinds = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(len(self.names)))
        return (
            f"read_csv({sql.literal(str(self.opened.path))}, header = false, auto_detect = false,"
            f" columns = {{{kinds}}},"
            f" delim = {sql.literal(self.opened.delimiter)}, quote = '\"', escape = '\"', new_line = '\\n',"
            f" compression = 'none', null_padding = true, strict_mode = false, store_rejects = true,"
            f" rejects_limit = 100000, max_line_size = {MAX_LINE}, buffer_size = {4 * MAX_LINE}, parallel = false)"
        )

    def _described(self) -> str:
        path = sql.literal(str(self.opened.path))
        groups, rows = self._one(f"SELECT num_row_groups, num_rows FROM parquet_file_metadata({path})")
        if groups > MAX_GROUPS or rows > MAX_ROWS or groups < 0 or rows < 0:
            raise Trouble(
                "The Parquet file describes far more rows or row groups than a sample holds. Write it again."
            )
        columns = self._all(f"DESCRIBE SELECT * FROM read_parquet({path})")
        if len(columns) > MAX_COLUMNS:
            raise Trouble(f"The table has more than {MAX_COLUMNS} columns. Send those that matter.")
        self.names = tidy([row[0] for row in columns])
        self.stored = [str(row[1]).split("(")[0][:40] for row in columns]
        return f"read_parquet({path}) AS p ({', '.join(f'c{i}' for i in range(len(columns)))})"

    # From rows to what they look like

    def measured(self, period_column: str, taken_on: date | None) -> dict:
        """Everything that `measure` promises."""
        looks = [self._guess(i) for i in range(len(self.names))]
        self._find_period(period_column, looks)
        by_month = dict(self._all(f"SELECT {self._month()}, count(*) FROM t GROUP BY 1"))
        columns = [self._column(i, look, by_month, taken_on) for i, look in enumerate(looks)]
        row = ", ".join(f"c{i}" for i in range(len(self.names)))
        repeated = self.rows - self._one(f"SELECT count(*) FROM (SELECT DISTINCT hash({row}) FROM t)")[0]
        dated = sum(count for month, count in by_month.items() if month is not None)
        read = {
            "kind": "read",
            "format": self.opened.kind,
            "encoding": self.opened.encoding,
            "separator": self.opened.delimiter,
            "repeated_rows": repeated,
            "unreadable_rows": self.rejected,
            "undated_rows": self.rows - dated if self.period else 0,
            "months": {
                change_points.month_key(month): count
                for month, count in sorted(by_month.items(), key=str)
                if month is not None
            }
            if self.period
            else {},
            "remarks": self.remarks[:20],
        }
        period = self.names[self.period[0]] if self.period else ""
        return {
            "rows": self.rows,
            "period_column": period,
            "columns": columns,
            "findings": findings_of(self.rows, columns, read),
        }

    def _guess(self, i: int) -> dict:
        """What a sample of the column says: its types, whether its masks are many, its categories."""
        values = [
            row[0]
            for row in self._all(
                f"SELECT c{i} FROM (SELECT c{i} FROM t USING SAMPLE reservoir({SAMPLE} ROWS) REPEATABLE (7))"
                f" WHERE c{i} IS NOT NULL AND NOT {sql.stands_in(f'c{i}')}"
            )
        ]
        each = [sql.mask_of(value) for value in values]
        masks = Counter(each)
        types = Counter()
        for mask, count in masks.items():
            types[patterns.type_of(mask)] += count
        spaced = sum(count for mask, count in masks.items() if " " in mask or mask.startswith(patterns.LONG))
        kinds = {mask: patterns.type_of(mask) for mask in masks}
        commas = sum(
            kinds[mask] == "decimal" and _comma(value) for mask, value in zip(each, values, strict=True)
        )
        return {
            "values": len(values),
            "types": types,
            "many": len(masks) > MANY,
            "spaced": spaced > len(values) / 2,
            "comma": commas * 2 > types["decimal"] > 0,
        }

    # The month of a row

    def _find_period(self, wanted: str, looks: list[dict]) -> None:
        if wanted:
            if wanted not in self.names:
                raise Trouble(
                    f"There is no column \u201c{wanted}\u201d. The file has: {', '.join(self.names[:30])}."
                )
            i = self.names.index(wanted)
            if not (expression := self._day(i, at_all=True)):
                raise Trouble(
                    f"No dates can be read in \u201c{wanted}\u201d. Choose another column, or none."
                )
            self.period = (i, expression)
            return
        best = (0.0, None)
        for i, look in enumerate(looks):
            dates = look["types"]["date"] + look["types"]["timestamp"]
            if look["values"] < 20 or dates < 0.8 * look["values"]:
                continue
            expression = self._day(i)
            if not expression:
                continue
            months, filled = self._one(
                f"SELECT approx_count_distinct({sql.month(expression)}), count({expression}) FROM t"
            )
            named = any(word in self.names[i].lower() for word in DATED)
            score = (months >= 3) * filled / self.rows * (1.2 if named else 1.0) * (1 - i / 5000)
            if score > best[0]:
                best = (score, (i, expression))
        self.period = best[1] if best[0] > 0.5 else None

    def _day(self, i: int, *, at_all: bool = False) -> str:
        """SQL for the day of a value of the column, in the ways its dates are written; "" where there are too few."""
        value, ways = f"c{i}", []
        masks = self._all(
            f"SELECT {sql.mask(i)} AS m, count(*) AS n FROM t GROUP BY 1 ORDER BY n DESC LIMIT 50"
        )
        filled = sum(count for mask, count in masks if mask)
        known = [(mask, n) for mask, n in masks if mask and patterns.type_of(mask) in ("date", "timestamp")]
        if sum(n for _, n in known) < (0.3 if at_all else 0.7) * filled:
            known = [(mask, n) for mask, n in masks if at_all and mask in sql.COARSE_DAYS]
            if sum(n for _, n in known) < 0.3 * filled:
                return ""
            form = sql.COARSE_DAYS[max(known, key=lambda pair: pair[1])[0]]
            return f"CAST(try_strptime({value}, '{form}') AS DATE)"
        for mask, _ in known:
            mark = next((mark for mark in "-/." if mark in mask), "")
            words = mask.startswith("9999") or "A" in mask
            ways += sql.way(value, mask, day_first=not words and self._day_first(i, mark))
        return sql.day(ways)

    def _day_first(self, i: int, mark: str) -> bool:
        parts = [
            f"try_cast(split_part({sql.first_word(f'c{i}')}, '{mark}', {place}) AS INTEGER)"
            for place in (1, 2)
        ]
        first, second = self._one(
            f"SELECT count(*) FILTER ({parts[0]} BETWEEN 13 AND 31), count(*) FILTER ({parts[1]} BETWEEN 13 AND 31)"
            f" FROM t WHERE c{i} LIKE '%{mark}%'"
        )
        if not first and not second:
            self.remarks.append(
                f"Day and month of {self.names[i]} cannot be told apart: read with the day first."
            )
        return first >= second

    def _month(self) -> str:
        return sql.month(self.period[1]) if self.period else "CAST(NULL AS INTEGER)"

    # One column

    def _column(self, i: int, look: dict, by_month: dict, taken_on: date | None) -> dict:
        mask = sql.mask(i, many=look["many"], spaced=look["spaced"])
        groups = self._all(
            f"SELECT p, m, count(*) AS n FROM (SELECT {self._month()} AS p, {mask} AS m FROM t)"
            f" GROUP BY p, m ORDER BY n DESC LIMIT {MASKS}"
        )
        masks: Counter = Counter()
        for _, mask, count in groups:
            masks[mask] += count
        seen = sum(masks.values())
        blank = masks[""]
        filled = max(0, self.rows - blank)
        distinct, shortest, longest = self._one(
            f"SELECT {'count(DISTINCT' if self.rows <= EXACT else 'approx_count_distinct('} c{i}),"
            f" min(length(c{i})), max(length(c{i})) FROM t"
        )
        distinct = min(distinct, filled)
        types = self._types(masks, filled)
        kind = max(types, key=lambda name: types[name], default="text")
        if types.get(kind, 0) < 0.8:
            kind = "date" if types.get("date", 0) + types.get("timestamp", 0) >= 0.8 else "text"
            if types.get("integer", 0) + types.get("decimal", 0) >= 0.8:
                kind = "decimal"
        level = patterns.level_of(masks) if not look["many"] or not look["spaced"] else None
        if kind == "decimal" and level is not None:
            level = 2
        table = self._patterns(groups, by_month, level)
        total: Counter = Counter()
        for counts in table.values():
            total.update(counts)
        told = [(name, n) for name, n in total.most_common() if name not in (BLANK, OTHER)][:MOST]
        column = {
            "name": self.names[i],
            "type": kind if filled else "empty",
            "types": {name: round(share, 4) for name, share in types.items() if share},
            "blank_share": round(blank / self.rows, 6),
            "distinct": distinct,
            "distinct_share": round(distinct / filled, 6) if filled else 0.0,
            "min": None,
            "max": None,
            "min_length": shortest,
            "max_length": longest,
            "patterns": {name: round(n / filled, 4) for name, n in told} if filled else {},
            "level": level,
            "key": "",
            "duplicates": 0,
        }
        if self.stored:
            column["stored_as"] = self.stored[i]
        self._add_key(i, column, filled)
        self._add_range(i, column, look, taken_on)
        self._add_categories(i, column, filled)
        found = self._eras(table, level)
        column["eras"] = [
            {
                "from": change_points.month_key(era.first),
                "to": change_points.month_key(era.last),
                "rows": era.rows,
                "patterns": era.mix,
            }
            for era in found
        ]
        if len(found) > 1:
            column["words"] = change_points.words_of(self.names[i], found)
        column["periods"] = (
            self._periods(table, {name for name, _ in told})
            if len(self.names) <= 60 or len(found) > 1
            else []
        )
        lost = self._one(f"SELECT count(*) FROM t WHERE {sql.lost(i)}")[0]
        column["lost_share"] = round(lost / self.rows, 6)
        if seen < self.rows:
            column["unseen_share"] = round(1 - seen / self.rows, 6)
        return column

    def _types(self, masks: Counter, filled: int) -> dict[str, float]:
        types: Counter = Counter()
        for mask, count in masks.items():
            if mask:
                types[patterns.type_of(mask)] += count
        types["text"] += max(0, filled - sum(types.values()))
        return {name: count / filled for name, count in types.items()} if filled else {}

    def _patterns(self, groups, by_month, level) -> dict[int | None, Counter]:
        """Rows of each pattern by month; what was beyond the limit of masks is "other"."""
        table: dict[int | None, Counter] = defaultdict(Counter)
        for month, mask, count in groups:
            name = BLANK if not mask else TEXT if level is None else patterns.pattern_of(mask, level)
            table[month][name] += count
        for month, rows in by_month.items():
            rest = rows - sum(table[month].values())
            if rest > 0:
                table[month][TEXT if level is None else OTHER] += rest
        return table

    def _eras(self, table, level) -> list:
        if not self.period:
            return []
        return change_points.eras_of({month: counts for month, counts in table.items() if month is not None})

    def _periods(self, table, told: set[str]) -> list[dict]:
        """Months (years, where there are too many) with their rows, blanks and patterns."""
        months = sorted(month for month in table if month is not None)
        key = change_points.month_key if len(months) <= MONTHS_TOLD else lambda month: str(month // 12)
        merged: dict[str, Counter] = defaultdict(Counter)
        for month in months:
            merged[key(month)].update(table[month])
        found = []
        for period, counts in merged.items():
            rows = sum(counts.values())
            shares = {name: round(n / rows, 4) for name, n in counts.most_common() if name in told}
            found.append(
                {
                    "period": period,
                    "rows": rows,
                    "blank_share": round(counts[BLANK] / rows, 4),
                    "patterns": shares,
                }
            )
        return found

    def _add_key(self, i: int, column: dict, filled: int) -> None:
        """Whether the column identifies a row; counted exactly, by fingerprints of values, where it may."""
        if column["distinct_share"] < KEYED * 0.95 or filled < 20:
            return
        distinct = self._one(
            f"SELECT count(*) FROM (SELECT DISTINCT hash(c{i}) FROM t WHERE c{i} IS NOT NULL)"
        )[0]
        column["distinct"] = distinct = min(distinct, filled)
        column["distinct_share"] = round(distinct / filled, 6)
        column["duplicates"] = filled - distinct
        if column["distinct_share"] >= KEYED:
            whole = column["duplicates"] == 0 and column["blank_share"] == 0
            column["key"] = "key" if whole else "nearly"

    def _add_range(self, i: int, column: dict, look: dict, taken_on: date | None) -> None:
        """Least, most and quantiles of numbers and days. Of text nothing is kept: it would be a piece of the sample."""
        marks = ", ".join(map(str, QUANTILES))
        if column["type"] in ("integer", "decimal"):
            number = sql.number(i, signs=column["type"] == "decimal", comma=look["comma"])
            least, greatest, quantiles = self._one(
                f"SELECT min(x), max(x), approx_quantile(x, [{marks}]) FROM (SELECT {number} AS x FROM t)"
                " WHERE isfinite(x)"
            )
            if least is not None:
                column["min"], column["max"] = _short(least), _short(greatest)
                column["quantiles"] = [_short(value) for value in quantiles]
        elif column["type"] in ("date", "timestamp"):
            day = self.period[1] if self.period and self.period[0] == i else self._day(i)
            if not day:
                return
            until = f"DATE '{taken_on.isoformat()}' + 1" if taken_on else "DATE '2100-12-31'"
            least, greatest, newest, quantiles = self._one(
                f"SELECT min(x), max(x), max(x) FILTER (x <= {until}), approx_quantile(epoch(x) / 86400, [{marks}])"
                f" FROM (SELECT {day} AS x FROM t) WHERE x IS NOT NULL"
            )
            if least is not None:
                column["min"], column["max"] = least.isoformat(), greatest.isoformat()
                column["newest"] = newest.isoformat() if newest else None
                column["quantiles"] = [round(value) for value in quantiles]

    def _add_categories(self, i: int, column: dict, filled: int) -> None:
        """The values of a column that has few, with their shares; what only a few rows have is not kept."""
        if not 0 < column["distinct"] <= CATEGORIES or filled < 20 * min(column["distinct"], 5):
            return
        rows = self._all(
            f"SELECT left(c{i}, 60), count(*) AS n FROM t WHERE c{i} IS NOT NULL GROUP BY 1"
            f" HAVING n >= {LEAST_OF_A_CATEGORY} ORDER BY n DESC LIMIT {CATEGORIES}"
        )
        column["categories"] = {value: round(count / filled, 6) for value, count in rows}
        if {value.lower() for value in column["categories"]} in YES_NO:
            column["type"] = "boolean"


def _comma(value: str) -> bool:
    """Whether the comma of a number stands before its fraction."""
    head, mark, tail = value.rpartition(",")
    return bool(mark) and "." not in tail and ("." in head or len(tail.strip(" %$€£¥")) != 3)


def _short(value: float) -> float | int:
    return int(value) if float(value).is_integer() and abs(value) < 1e15 else float(f"{value:.6g}")
