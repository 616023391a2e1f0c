"""Wording of profiles: keys, blanks, repeated rows, columns that changed their meaning."""

# Factors people change by: thousands, cents, percent, hours and minutes, miles, pounds, inches, feet, gallons.
FACTORS = {
    10: "a tenth or ten times",
    100: "hundredths (cents, percent)",
    1000: "thousands",
    1_000_000: "millions",
    60: "minutes and seconds, or hours and minutes",
    3600: "hours and seconds",
    24: "days and hours",
    7: "weeks and days",
    12: "years and months",
    1.609344: "miles and kilometres",
    2.20462: "kilograms and pounds",
    2.54: "inches and centimetres",
    25.4: "inches and millimetres",
    3.28084: "metres and feet",
    3.78541: "gallons and litres",
}


def share(value: float) -> str:
    """A share as people read it: 4.2 %, under 0.1 %."""
    return "under 0.1 %" if 0 < value < 0.001 else f"{value * 100:.1f}".removesuffix(".0") + " %"


def findings_of(rows: int, columns: list[dict], read: dict) -> list[dict]:
    """Sentences with their kind and column, what matters most first; the first says how the file was read."""
    how = (
        "Parquet"
        if read["format"] == "parquet"
        else f"CSV, {_encoding(read['encoding'])}, {_separator(read['separator'])}"
    )
    found = [read | {"column": "", "words": f"Read as {how}: {rows:,} rows, {len(columns)} columns."}]
    found += [
        {"kind": "eras", "column": column["name"], "words": column["words"]}
        for column in columns
        if column.get("words")
    ]
    for column in columns:
        if column["key"] == "key":
            words = f"{column['name']} is a key: no value is missing and none comes twice."
            found.append({"kind": "key", "column": column["name"], "words": words})
        elif column["key"]:
            parts = []
            if column["duplicates"]:
                parts.append(f"{column['duplicates']:,} rows repeat a value")
            if column["blank_share"]:
                parts.append(f"{share(column['blank_share'])} are blank")
            words = f"{column['name']} is nearly a key: {' and '.join(parts)}."
            found.append({"kind": "nearly a key", "column": column["name"], "words": words})
    if read["repeated_rows"]:
        words = f"{read['repeated_rows']:,} rows repeat another row ({share(read['repeated_rows'] / rows)})."
        found.append({"kind": "repeated rows", "column": "", "words": words})
    if read["unreadable_rows"]:
        words = f"{read['unreadable_rows']:,} rows could not be read: their cells do not fit the header."
        found.append({"kind": "unreadable rows", "column": "", "words": words})
    if read["undated_rows"]:
        words = f"{read['undated_rows']:,} rows have no date that can be read ({share(read['undated_rows'] / rows)})."
        found.append({"kind": "undated rows", "column": "", "words": words})
    for column in columns:
        if column["type"] == "empty":
            found.append({"kind": "empty", "column": column["name"], "words": f"{column['name']} is empty."})
        elif column["blank_share"] >= 0.2:
            words = f"{column['name']} is blank in {share(column['blank_share'])} of the rows."
            found.append({"kind": "blanks", "column": column["name"], "words": words})
        if column["lost_share"] > 0.0005:
            words = (
                f"{column['name']}: characters were lost or read in the wrong code page before this file was written "
                f"({share(column['lost_share'])} of the rows)."
            )
            found.append({"kind": "lost characters", "column": column["name"], "words": words})
    return found + [{"kind": "remark", "column": "", "words": words} for words in read["remarks"]]


def _encoding(name: str) -> str:
    return {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "ascii": "plain ASCII"}.get(name, name)


def _separator(mark: str) -> str:
    return {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}.get(mark, mark)
