"""The floor: the same month by a hand-written DuckDB script that knows this one contract and nothing else.

Belongs here: the fastest honest way to the same answer (same forms, same rules, same reasons), without keys, vault,
manifest, verdicts or feedback to the sender; and the quick look at each file that the usual way shares.
Does not belong here: anything of zio_pipeline but the names that its contract gives; a benchmark must not time itself.

How: every file is read once to settle its encoding, delimiter and header; cp1252 is rewritten to utf-8 in a scratch
folder. Files with the same header, delimiter and first row go through one `read_csv` with explicit text columns, into a
table in memory whose rowid gives the sender's line. Every distinct date, time and duration is parsed once (an anchored
pattern before every cast) and joined back; the unit of each file is settled; one pass types and judges all rows. It
writes one Parquet file for the month: a file per delivery would be 650 small ones, which only a vault asks for.
"""

# ruff: noqa: S608  (the SQL is put together from names and paths of this module, never from a cell)

import csv
import hmac
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import duckdb

COLUMNS = (
    "school_year", "provider", "school", "class_code", "employee", "work_date", "begin_minute", "end_minute",
    "pause_minutes", "duration_minutes", "stated_minutes", "activity", "function", "handed_in_on", "approved_on",
    "forwarded_on",
)  # fmt: skip
REQUIRED = (*COLUMNS[:6], "activity", "function")
HEADERS = {
    "schooljaar": "school_year", "agb": "provider", "agb code": "provider", "vestiging": "school", "brin": "school",
    "klas": "class_code", "groep": "class_code", "medewerker": "employee", "medewerkernummer": "employee",
    "personeelsnummer": "employee", "datum": "work_date", "begin": "begin_minute", "begintijd": "begin_minute",
    "van": "begin_minute", "eind": "end_minute", "eindtijd": "end_minute", "tot": "end_minute",
    "pauze": "pause_minutes", "pauze min": "pause_minutes", "uren": "duration_minutes", "duur": "duration_minutes",
    "aantal uren": "duration_minutes", "minuten": "stated_minutes", "duur minuten": "stated_minutes",
    "duur min": "stated_minutes", "activiteit": "activity", "soort uren": "activity", "functie": "function",
    "zorgfunctie": "function", "ingeleverd op": "handed_in_on", "akkoord school": "approved_on",
    "akkoord school op": "approved_on", "goedgekeurd op": "approved_on", "doorgestuurd op": "forwarded_on",
}  # fmt: skip
_CHECKS = (
    *((name, "required") for name in REQUIRED),
    ("school_year", "school_year"), ("provider", "agb"), ("school", "brin"), ("work_date", "date"),
    ("begin_minute", "time"), ("end_minute", "time"), ("pause_minutes", "minutes"), ("pause_minutes", "range"),
    ("duration_minutes", "duration"), ("stated_minutes", "minutes"), ("stated_minutes", "range"),
    ("activity", "allowed"), ("function", "allowed"), ("handed_in_on", "date"), ("approved_on", "date"),
    ("forwarded_on", "date"), ("duration_minutes", "mixed_unit"), ("duration_minutes", "range"),
    ("", "one_duration"), ("", "end_after_begin"), ("", "at_most_twelve_hours"), ("", "dated_after_work"),
    ("", "duplicate_row"),
)  # fmt: skip
"""Column and rule by bit. The last three are warnings; what stands from `mixed_unit` on is judged in the second pass."""

KEY = b"fictieve sleutel van het meetraam"
_PLAIN = str.maketrans("_-()", "    ")


@dataclass(frozen=True)
class Sniffed:
    """What a quick look tells of a file. `header_line` counts from 1; `columns` has '' for a header nobody knows."""

    path: Path
    encoding: str
    delimiter: str
    header_line: int
    columns: tuple[str, ...]
    lines: int


def sniff(path: Path, data: bytes) -> Sniffed:
    """Encoding from all the bytes, the rest from the first lines: the delimiter and line with the most known headers."""
    encoding = "utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "utf-8"
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        encoding = "cp1252"
    head = data[:4096].decode(encoding, errors="ignore").splitlines()[:20]
    best: tuple[int, str, int, tuple[str, ...]] = (0, "", 0, ())
    for delimiter in (";", "\t", ",", "|"):
        for number, cells in enumerate(csv.reader(head, delimiter=delimiter), start=1):
            names = tuple(map(_column, cells))
            known = sum(map(bool, names))
            if known > best[0]:
                best = (known, delimiter, number, names)
            if known >= len(REQUIRED):
                break
    if not set(REQUIRED) <= set(best[3]):
        raise SystemExit(f"{path.name}: geen kopregel van een urenstaat")
    return Sniffed(path, encoding, *best[1:], data.count(b"\n"))


@cache
def _column(header: str) -> str:
    return HEADERS.get(" ".join(header.translate(_PLAIN).lower().split()), "")


def pseudonym(provider: str, employee: str) -> str:
    """The keyed pseudonym of an employee of a provider."""
    number = employee.casefold().lstrip("0") or "0"
    return hmac.digest(KEY, f"employee:v1:{provider}:{number}".encode(), "sha256").hex()


_MACROS = r"""
create macro date_of(t) as case
    when regexp_full_match(t, '\d{1,2}[-/.]\d{1,2}[-/.]20\d\d')
        then try_strptime(t, ['%d-%m-%Y', '%d/%m/%Y', '%d.%m.%Y'])::date
    when regexp_full_match(t, '20\d\d-\d\d-\d\d') then try_cast(t as date) end;
create macro time_of(t) as case when regexp_full_match(t, '(?:[01]?\d|2[0-3]):[0-5]\d')
    then (date_part('hour', t::time) * 60 + date_part('minute', t::time))::smallint end;
create macro count_of(t) as case when regexp_full_match(t, '\d{1,7}') then t::integer end;
create macro kind_of(t) as case when regexp_full_match(t, '\d{1,6}[.,]\d{1,2}') then 2
    when regexp_full_match(t, '\d{1,6}') then 3 when regexp_full_match(t, '\d{1,3}:[0-5]\d') then 1 end;
create macro hours_of(t, kind) as case kind when 1 then left(t, length(t) - 3)::integer * 60 + right(t, 2)::integer
    when 2 then (replace(t, ',', '.')::decimal(9, 2) * 100)::integer when 3 then t::integer end;
"""
_DICTIONARIES = {
    "dates": ("date_of(trim(text)) as value", ("work_date", "handed_in_on", "approved_on", "forwarded_on")),
    "times": ("time_of(trim(text)) as value", ("begin_minute", "end_minute")),
    "counts": ("count_of(trim(text)) as value", ("pause_minutes", "stated_minutes")),
    "durations": (
        "coalesce(kind_of(trim(text)), 0) as kind, hours_of(trim(text), kind) as value",
        ("duration_minutes",),
    ),
}
"""Table of distinct texts -> what each comes to, and the columns it serves."""
_TIMED = ("begin_minute", "end_minute", "pause_minutes", "duration_minutes", "stated_minutes")
_FORMS = {"school_year": r"20\d\d-20\d\d", "provider": r"\d{8}", "school": r"\d\d[A-Z]{2}\d\d"}
_WORDS = {
    "activity": {"direct": "direct", "indirect": "indirect", "reistijd": "travel", "scholing": "training"},
    "function": {"verzorging": "care", "begeleiding": "guidance"},
}


def run(files: Sequence[Path], out: Path) -> Callable[[], dict[str, Any]]:
    """Read, judge and write the month; what it returns tells the counts.

    Raises:
        SystemExit: a file is not what its header, its lines or its total row say.
    """
    db = duckdb.connect(":memory:", config={"threads": 2})
    db.execute("set enable_progress_bar = false")
    db.execute(_MACROS)
    sniffed = _look(files, out)
    db.execute(f"create table cells as {' union all '.join(map(_cells, _groups(sniffed)))}")
    for table, (value, columns) in _DICTIONARIES.items():
        distinct = " union ".join(f"select distinct {column} as text from cells" for column in columns)
        db.execute(f"create table {table} as select text, {value} from ({distinct}) where trim(text) <> ''")
    _settle_files(db, sniffed)
    _name_employees(db)
    db.execute(f"create table judged as {_judged()}")
    db.execute("drop table cells")
    db.execute("set preserve_insertion_order = false")
    db.execute(f"copy ({_ACCEPTED}) to '{out / 'accepted.parquet'}' (compression zstd)")
    db.execute("create table again as select hashed from judged group by hashed having count(*) > 1")
    db.execute(f"create table reasons as {_reasons()}")
    db.execute(f"copy reasons to '{out / 'reasons.parquet'}' (compression zstd)")
    db.execute(f"create table hours as {aggregate(out / 'accepted.parquet')}")
    return partial(_counts, db)


def aggregate(accepted: Path) -> str:
    """SQL of the minutes per school, class, activity and approval, out of Parquet with the contract's columns."""
    return f"""select school, class_code, activity, approved_on is not null as approved,
        sum(coalesce(duration_minutes, stated_minutes, end_minute - begin_minute - coalesce(pause_minutes, 0)))::bigint
        as minutes from read_parquet('{accepted}') group by all"""


def _look(files: Sequence[Path], out: Path) -> list[Sniffed]:
    found = []
    for path in files:
        data = path.read_bytes()
        file = sniff(path, data)
        if file.encoding == "cp1252":  # DuckDB reads latin-1, which has no euro sign and no curly quotes
            (out / path.name).write_bytes(data.decode("cp1252").encode())
            file = replace(file, path=out / path.name)
        found.append(file)
    return found


def _groups(sniffed: Sequence[Sniffed]) -> Iterator[list[tuple[int, Sniffed]]]:
    """Files that one `read_csv` can read: it binds columns by position."""
    groups: dict[tuple[Any, ...], list[tuple[int, Sniffed]]] = defaultdict(list)
    for number, file in enumerate(sniffed):
        groups[file.delimiter, file.header_line, file.columns].append((number, file))
    yield from groups.values()


def _cells(group: list[tuple[int, Sniffed]]) -> str:
    """SQL that reads the files of one group as text, with the columns of the contract in order."""
    _, first = group[0]
    names = [name or f"x{place}" for place, name in enumerate(first.columns)]
    texts = ", ".join(f"'{name}': 'VARCHAR'" for name in names)
    paths = ", ".join(f"'{file.path}'" for _, file in group)
    numbers = ", ".join(str(number) for number, _ in group)
    cells = ", ".join(name if name in names else f"null as {name}" for name in COLUMNS)
    total = f"if(starts_with(lower({names[0]}), 'totaal') and coalesce(school, '') = '', {names[0]}, null)"
    return f"""select [{numbers}][file_index::bigint + 1]::smallint as file, {total} as words, {cells}
        from read_csv([{paths}], auto_detect=false, header=false, skip={first.header_line}, delim='{first.delimiter}',
            quote='"', escape='"', columns={{{texts}}})"""


def _typed() -> str:
    """SQL of the data rows with a typed value `v_...` beside each text, and the bits of what is wrong with a cell."""
    joins = [
        f"left join {table} as d_{column} on d_{column}.text = cells.{column}"
        for table, (_, columns) in _DICTIONARIES.items()
        for column in columns
    ]
    looked_up = {column: f"d_{column}.value" for _, columns in _DICTIONARIES.values() for column in columns}
    values = ", ".join(f"{looked_up.get(name) or _value(name)} as v_{name}" for name in COLUMNS)
    own = " + ".join(f"if({bad}, {1 << bit}, 0)" for bit, bad in enumerate(_own()))
    # Nearly every row is good, which a few tests for null tell; only the others are asked what is wrong.
    absent = [
        f"v_{name} is null" if name in REQUIRED else f"v_{name} is null and {name} is not null" for name in COLUMNS
    ]
    outside = ["v_pause_minutes > 240", "v_stated_minutes not between 1 and 1440"]
    return f"""select *, if({" or ".join(absent + outside)}, {own}, 0)::integer as own from (
        select cells.*, cells.rowid as row, d_duration_minutes.kind as kind, {values} from cells {" ".join(joins)}
        where {_DATA})"""


_DATA = "words is null and coalesce(school_year, provider, school, class_code, employee, work_date) is not null"
"""A row that is neither a total nor empty."""


def _value(name: str) -> str:
    """SQL of the value of a column that goes without a dictionary."""
    if name in _FORMS:
        return f"if(regexp_full_match({name}, '{_FORMS[name]}'), {name}, null)"
    if name in _WORDS:
        cases = " ".join(f"when '{dutch}' then '{value}'" for dutch, value in _WORDS[name].items())
        return f"case lower({name}) {cases} end"
    return f"nullif(trim({name}), '')"


def _own() -> Iterator[str]:
    """SQL per bit of what is wrong with a cell by itself, in the order of _CHECKS."""
    for name, rule in _CHECKS[: _bit("duration_minutes", "mixed_unit")]:
        if rule == "required":
            yield f"{name} is null or trim({name}) = ''"
        elif rule == "range":
            yield f"v_{name} not between {'0 and 240' if name == 'pause_minutes' else '1 and 1440'}"
        else:
            yield f"v_{name} is null and trim({name}) <> ''"


def _bit(column: str, rule: str) -> int:
    return _CHECKS.index((column, rule))


def _settle_files(db: duckdb.DuckDBPyConnection, sniffed: Sequence[Sniffed]) -> None:
    """Table `facts`: per file its first row, its header line and the unit of its hours, after checking what it states."""
    db.execute("create table looked (file smallint, header_line integer, lines integer)")
    db.executemany("insert into looked values (?, ?, ?)", [(n, f.header_line, f.lines) for n, f in enumerate(sniffed)])
    db.execute(_FACTS)
    wrong = db.sql(
        """select file from facts where coalesce(last_row - first_row + 1 <> rows or header_line + rows <> lines
        or stated_rows <> data_rows or stated_hours <> hours or stated_minutes <> minutes or unit is null and filled > 0,
        false)"""
    ).fetchall()
    if wrong:
        raise SystemExit(f"geweigerd: {[sniffed[number].path.name for (number,) in wrong]}")


_FACTS = rf"""create table facts as
    with rows as (select cells.rowid as row, file, words, {_DATA} as data, d.kind, m.value as minutes,
            d.value * if(d.kind = 3, 100, 1) as hours
            from cells left join durations d on d.text = duration_minutes left join counts m on m.text = stated_minutes),
        counted as (select file, min(row) as first_row, max(row) as last_row, count(*) as rows,
            count(*) filter (data) as data_rows,
            max(try_cast(regexp_extract(words, 'aantal regels: (\d+)$', 1) as integer)) as stated_rows,
            sum(hours) filter (data and kind > 1) as hours, max(hours) filter (words is not null) as stated_hours,
            sum(minutes) filter (data) as minutes, max(minutes) filter (words is not null) as stated_minutes,
            count(kind) filter (data) as filled, count(*) filter (data and kind = 1) as clock,
            count(*) filter (data and (kind = 2 or kind = 3 and hours <= 2400)) as decimal,
            count(*) filter (data and kind = 3) as whole from rows group by file)
    select *, case when clock >= 0.9 * filled then 1 when decimal >= 0.9 * filled then 2
        when whole >= 0.9 * filled then 3 end as unit from counted join looked using (file)"""


def _name_employees(db: duckdb.DuckDBPyConnection) -> None:
    pairs = db.sql("select distinct trim(provider), trim(employee) from cells").fetchall()
    people = [(provider, number, pseudonym(provider, number)) for provider, number in pairs if provider and number]
    columns = [list(column) for column in zip(*people, strict=True)]
    names = ("provider", "employee", "pseudonym")
    db.execute(
        f"create table people as select {', '.join(f'unnest(?::varchar[]) as {name}' for name in names)}", columns
    )


def _judged() -> str:
    """SQL of all data rows with their final duration and the bits of what is wrong with them."""

    def mask(*checks: tuple[str, str]) -> int:
        return sum(1 << _bit(*check) for check in checks)

    durations = [check for check in _CHECKS if check[0] in _TIMED]
    clocks = [check for check in durations if check[0] in ("begin_minute", "end_minute", "pause_minutes")]
    rules = {
        ("duration_minutes", "mixed_unit"): "kind > 0 and d is null",
        ("duration_minutes", "range"): "d not between 1 and 1440",
        ("", "one_duration"): f"own & {mask(*durations)} = 0 and (kind is null or d between 1 and 1440) and "
        "(least(d, v_stated_minutes, worked) = greatest(d, v_stated_minutes, worked)) is not true",
        ("", "end_after_begin"): f"own & {mask(*clocks)} = 0 and worked <= 0",
        ("", "at_most_twelve_hours"): f"own & {mask(*durations)} = 0 and coalesce(d, v_stated_minutes, worked) > 720"
        " and (kind is null or d between 1 and 1440)",
        ("", "dated_after_work"): "least(v_handed_in_on, v_approved_on, v_forwarded_on) < v_work_date",
    }
    found = " + ".join(f"if({bad}, {1 << _bit(*check)}, 0)" for check, bad in rules.items())
    kept = ", ".join(f"{'d' if name == 'duration_minutes' else f'v_{name}'} as {name}" for name in COLUMNS)
    return f"""select file, (row - first_row + header_line + 1)::integer as row_number, {kept}, own + {found} as problems,
            hash(file, {", ".join(f"v_{name}" for name in COLUMNS[3:])}) as hashed
        from (select typed.*, first_row, header_line,
            v_end_minute - v_begin_minute - coalesce(v_pause_minutes, 0) as worked,
            case when kind = 1 and unit = 1 or kind = 3 and unit = 3 then v_duration_minutes
                when kind = 2 and unit = 2 then (v_duration_minutes * 60 + 50) // 100
                when kind = 3 and unit = 2 and v_duration_minutes <= 24 then v_duration_minutes * 60 end as d
            from ({_typed()}) as typed join facts using (file))"""


_ERRORS = (1 << _bit("", "at_most_twelve_hours")) - 1
_ACCEPTED = f"""select file, row_number, {", ".join(name for name in COLUMNS if name != "employee")},
    pseudonym as employee from judged join people using (provider, employee) where problems & {_ERRORS} = 0"""


def _reasons() -> str:
    """SQL of a line per row and broken rule; of equal good rows the second and later ones get a warning."""
    columns, rules = zip(*_CHECKS, strict=True)
    return f"""with
        bits as (select file, row_number, unnest(list_filter(range({len(_CHECKS)}), lambda b: problems >> b & 1 = 1)) as bit
            from (select file, row_number, problems::bigint as problems from judged where problems <> 0)),
        repeats as (select file, row_number, row_number() over (partition by {", ".join(("file", *COLUMNS))}
            order by row_number) as turn
            from judged semi join again using (hashed) where problems & {_ERRORS} = 0)
        select file, row_number, {list(columns)}[bit + 1] as "column", {list(rules)}[bit + 1] as rule from bits
        union all select file, row_number, '', 'duplicate_row' from repeats where turn > 1"""


def _counts(db: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    counted = f"select count(*), count(*) filter (problems & {_ERRORS} <> 0) from judged"
    ((rows_in, bad),) = db.sql(counted).fetchall()
    return {
        "rows_in": rows_in,
        "accepted": rows_in - bad,
        "quarantined": bad,
        "reasons": dict(db.sql("select rule, count(*) from reasons group by rule order by rule").fetchall()),
        "hours": [list(row) for row in db.sql("select * from hours").fetchall()],
    }
