"""How fast a national month of accepted hours becomes `delivered_hours`, `delivery_control` and the signals about its lines, beside
queries written by hand for that, in one run.

    python -m benchmarks.hours [--rows N] [--files N] [--repeats N] [--data FOLDER]

Belongs here: the month (rows as the vault holds them; everything in it is fictief), the query by hand, running both in turns,
each in a process of its own so that its peak memory is its own, and holding their answers against each other.
Does not belong here: taking files in (`benchmarks.intake`).

Both begin with the same Arrow tables, one per provider and school, as they come out of the vault, and end with the rows of the
table in Python. Reading the tables is told apart; it counts in the peak memory. The query by hand knows this one question.
"""

import argparse
import hashlib
import importlib
import io
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.hours_by_hand import CONTROL, HOURS, LINES, SIGNALS
from tests.year_builder import Year
from zio_pipeline.hours.delivery import delivered_hours, delivery_control
from zio_pipeline.hours.lines import Timesheet, lines
from zio_pipeline.hours.planning import granted_minutes
from zio_pipeline.hours.signals import line_signals
from zio_pipeline.intake.parsing import schema
from zio_pipeline.open_days import OpenDays, open_days_or_region
from zio_pipeline.school_year import SchoolYear
from zio_pipeline.setup import Doelgroep, Order, SchoolClass, SchoolYearSetup

ROWS, FILES = 2_000_000, 650
YEAR, MONTH = "2025-2026", "2025-11"
DAYS = [day for n in range(30) if (day := date(2025, 11, 1) + timedelta(n)).weekday() < 6]
"""Saturdays too: hours outside the open days are counted like any other."""
CLASSES = 12
"""Classes in a file; the last one is in no order."""
HOURS_PER_WEEK = {"EMB": 2000, "MG": 1400, "ASS": 1000, "LG": 600, "LZ": 250, "VMBO": 0}
EVERY = 40
"""Of so many files one comes from a provider whose order it is not."""

Rows = list[dict[str, Any]]
Tables = dict[str, Rows]
Sheets = Sequence[Timesheet]
SIGNAL = ("kind", "week", "school", "class_code", "provider", "line_count", "minutes")
"""What is compared of a signal: its sentence is ours alone."""


def ours(sheets: Sheets, setup: SchoolYearSetup, open_days: dict[str, OpenDays]) -> Tables:
    """As the stages do it, after the vault and before publishing."""
    with lines(sheets, setup) as connection:
        hours = delivered_hours(connection, YEAR)
        control = delivery_control(connection, setup, open_days, MONTH)
        signals = line_signals(connection, open_days, YEAR, MONTH)
    found = [{name: row[name] for name in SIGNAL} for row in signals]
    return {"delivered_hours": hours, "delivery_control": control, "hour_signals": found}


def by_hand(sheets: Sheets, setup: SchoolYearSetup, open_days: dict[str, OpenDays]) -> Tables:
    """The same tables by queries that know these questions only, from accepted rows to rows in Python."""
    providers = {order.order_id: order.provider for order in setup.orders}
    classes = [
        (c.school, c.class_code, c.order_id, c.doelgroep, providers[c.order_id], granted_minutes(setup, c))
        for c in setup.classes
    ]
    with duckdb.connect(":memory:", config={"threads": 2}) as db:
        names = ("school", "class_code", "order_id", "doelgroep", "provider", "granted")
        db.register("class", pa.table(dict(zip(names, map(list, zip(*classes, strict=True)), strict=True))))
        schools = [school for school, days in open_days.items() for _ in days.days]
        every = [day for days in open_days.values() for day in days.days]
        db.register("open", pa.table({"school": schools, "day": every}))
        named = [sheet.rows.append_column("label", pa.repeat(sheet.label, len(sheet.rows))) for sheet in sheets]
        db.register("timesheet", pa.concat_tables(named))
        db.execute(HOURS)
        made = {
            "delivered_hours": db.sql("from hours").to_arrow_table().to_pylist(),
            "delivery_control": db.sql(CONTROL).to_arrow_table().to_pylist(),
        }
        db.execute(LINES)
        made["hour_signals"] = db.sql(SIGNALS).select(*SIGNAL).to_arrow_table().to_pylist()
    return made


CONTENDERS: dict[str, Callable[[Sheets, SchoolYearSetup, dict[str, OpenDays]], Tables]] = {
    "ours": ours,
    "by hand": by_hand,
}


def _school(number: int) -> str:
    return f"{number // 26:02d}Z{chr(65 + number % 26)}00"


def _provider(number: int) -> str:
    return f"{75_000_000 + number % 60:08d}"


def _setup(files: int) -> SchoolYearSetup:
    """One order per file, with its doelgroepen and classes; hours in hundredths per week."""
    orders, groups, classes = [], [], []
    for n in range(files):
        order = f"O{n:04d}"
        orders.append(Order(order, _school(n), _provider(n), 40, 6000, None, "computed", None, None, "fictief"))
        groups += [Doelgroep(order, d, d, hours, 0, None, (), "fictief") for d, hours in HOURS_PER_WEEK.items()]
        names = list(HOURS_PER_WEEK)
        classes += [
            SchoolClass(_school(n), f"K{c}", order, names[c % len(names)], None, None, None, 9)
            for c in range(CLASSES - 1)
        ]
    setup, year = Year().setup(), SchoolYear.parse(YEAR)
    held = [
        {"order_id": o.order_id, "provider": o.provider, "valid_from": year.first_day, "valid_to": None} for o in orders
    ]
    sheets = {**setup.sheets, "orders": held}
    return replace(setup, orders=tuple(orders), doelgroepen=tuple(groups), classes=tuple(classes), sheets=sheets)


def _make(folder: Path, rows: int, files: int) -> None:
    """The month as Parquet, the same bytes for the same arguments."""
    making = folder.with_name(f".{folder.name}")
    making.mkdir(parents=True, exist_ok=True)
    columns = schema_of_vault()
    for n in range(files):
        count = rows * (n + 1) // files - rows * n // files
        pq.write_table(_sheet(n, count).select(columns.names).cast(columns), making / f"{n:04d}.parquet")
    making.rename(folder)


def schema_of_vault() -> pa.Schema:
    """Columns of an accepted table of `provider_timesheets`."""
    from zio_pipeline.contracts import sources  # noqa: PLC0415

    contract = schema(sources()["provider_timesheets"].datasets[0])
    return pa.schema(
        [("sheet", pa.string()), ("row_number", pa.int64()), *zip(contract.names, contract.types, strict=True)]
    )


def _sheet(n: int, count: int) -> pa.Table:
    rng = np.random.default_rng(n)
    minutes, clocked, approved = rng.integers(2, 34, count) * 15, rng.random(count) < 0.4, rng.random(count) < 0.9
    begin = rng.integers(84, 108, count) * 5

    def text(values: Sequence[str], share: Sequence[float] | None = None) -> pa.Array:
        return pa.DictionaryArray.from_arrays(rng.choice(len(values), count, p=share), list(values)).cast(pa.string())

    day = pa.array(DAYS, pa.date32())
    later = pa.array(np.full(count, 20_430), pa.int32()).cast(pa.date32())
    return pa.table(
        {
            "sheet": pa.repeat("", count),
            "row_number": pa.array(np.arange(2, count + 2)),
            "school_year": pa.repeat(YEAR, count),
            "provider": pa.repeat(_provider(n + (n % EVERY == 0)), count),
            "school": pa.repeat(_school(n), count),
            "class_code": text([f"K{c}" for c in range(CLASSES)]),
            "employee": text([hashlib.sha256(f"{n} {e}".encode()).hexdigest() for e in range(30)]),
            "work_date": day.take(pa.array(rng.integers(0, len(DAYS), count))),
            "begin_minute": pa.array(begin, mask=~clocked),
            "end_minute": pa.array(begin + minutes + 15, mask=~clocked),
            "pause_minutes": pa.array(np.full(count, 15), mask=~clocked),
            "duration_minutes": pa.array(minutes, mask=clocked),
            "stated_minutes": pa.nulls(count, pa.int64()),
            "activity": text(("direct", "indirect", "travel", "training"), (0.8, 0.1, 0.05, 0.05)),
            "function": text(("care", "guidance")),
            "handed_in_on": later,
            "approved_on": later.filter(pa.array(approved)).take(_positions(approved)),
            "forwarded_on": later,
        }
    )


def _positions(kept: np.ndarray[Any, np.dtype[np.bool_]]) -> pa.Array:
    """Where each kept row stands among the kept ones; null for the others."""
    return pa.array(np.cumsum(kept) - 1, mask=~kept)


def _child(name: str, folder: Path, files: int) -> None:
    """Run one contender here, and print what it took and a hash of what it came to."""
    for package in ("pandas", "pyarrow.dataset"):  # what Arrow imports when it is first used is no part of the work
        importlib.import_module(package)
    setup, paths = _setup(files), sorted(folder.iterdir())
    days = {order.school: open_days_or_region(setup.settings, [], order.school) for order in setup.orders}
    began = time.perf_counter()
    sheets = [Timesheet(path.stem, pq.read_table(io.BytesIO(path.read_bytes()))) for path in paths]
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    made = CONTENDERS[name](sheets, setup, days)
    ended, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    processor = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    took = {"read": started - began, "work": ended - started, "processor": processor, "peak_mb": used.ru_maxrss / 1024}
    answer = {name: [len(table), _hash(table)] for name, table in made.items()}
    print(json.dumps({"took": took, "answer": answer}))


def _hash(rows: Rows) -> str:
    spelled = sorted(json.dumps(row, sort_keys=True) for row in rows)
    return hashlib.sha256("\n".join(spelled).encode()).hexdigest()[:12]


def _spawned(asked: argparse.Namespace, name: str) -> str:
    """The last line of one contender, or of the maker of the data, in a process of its own."""
    size = ["--rows", str(asked.rows), "--files", str(asked.files), "--data", str(asked.data)]
    command = [sys.executable, "-m", "benchmarks.hours", *size, "--as", name]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise SystemExit(f"{name} is mislukt ({done.returncode})")
    return done.stdout.strip()


def main() -> None:
    """Run what is asked and show it."""
    asked = _arguments()
    folder = asked.data / f"hours-{asked.rows}-{asked.files}"
    if asked.contender == "make":
        _make(folder, asked.rows, asked.files)
        return
    if asked.contender:
        _child(asked.contender, folder, asked.files)
        return
    if not folder.exists():
        _spawned(asked, "make")
    for path in folder.iterdir():
        path.read_bytes()  # so that nobody pays for being first to the disk
    said: dict[str, list[dict[str, Any]]] = {name: [] for name in CONTENDERS}
    for turn in range(asked.repeats):
        for name in sorted(CONTENDERS, reverse=bool(turn % 2)):
            print(f"ronde {turn + 1} van {asked.repeats}: {name}", file=sys.stderr)
            said[name].append(json.loads(_spawned(asked, name)))
    answers = [one["answer"] for found in said.values() for one in found]
    if any(answer != answers[0] for answer in answers):
        raise SystemExit(f"De uitkomsten verschillen: {answers}")
    for name, found in said.items():
        seconds, read = ([one["took"][figure] for one in found] for figure in ("work", "read"))
        peak = max(one["took"]["peak_mb"] for one in found)
        spread = f"{min(seconds):.2f}-{max(seconds):.2f}"
        beside = f"lezen {statistics.median(read):.2f} s, piek {peak:.0f} MB"
        print(f"- {name}: {statistics.median(seconds):.2f} s ({spread}) voor {asked.rows} regels; {beside}")
    for figure, dutch in (("work", "tijd"), ("processor", "processortijd")):
        mine, theirs = (statistics.median(one["took"][figure] for one in said[name]) for name in CONTENDERS)
        print(f"- {mine / theirs:.2f} keer de {dutch}")
    print(f"- alle uitkomsten zijn gelijk: {answers[0]}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--files", type=int, default=FILES)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument(
        "--data", type=Path, default=Path(tempfile.gettempdir()) / "zio-benchmark", help="cache of the data"
    )
    parser.add_argument("--as", dest="contender", choices=(*CONTENDERS, "make"), help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
