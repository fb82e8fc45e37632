"""How fast intake is, beside what is possible and what is usual: one national month of urenstaten, in one run.

    python -m benchmarks.intake [--rows N] [--files N] [--repeats N] [--only NAME ...] [--data FOLDER] [--json]

Belongs here: running the contenders, each in a process of its own so that its peak memory is its own, in alternating
order; holding their answers against each other; the tables. Does not belong here: the data (month) and how the floor and
the usual way work. `core` is reading, judging and typed Parquet; `whole` is all that production does with the same files.

A contender that comes to another answer ends the run with an error: a benchmark of wrong results is worth nothing.
"""

import argparse
import hashlib
import importlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROWS, FILES = 2_000_000, 650
WORKBOOKS, WORKBOOK_ROWS = 40, 3_000
BYTES_AT_ONCE = 48_000_000
"""Files are offered to `take_in_all` up to so many bytes at a time, as receiving does."""
WARNINGS = ("at_most_twelve_hours", "dated_after_work", "duplicate_row")
"""Warnings that every contender gives; the others are about files, which only ours tells."""

Answer = dict[str, Any]
Contender = Callable[[Sequence[Path], Path], Callable[[], Answer]]
"""Does all the work on files, with a folder to write in; what it returns tells the answer once the clock has stopped."""


def _core(files: Sequence[Path], out: Path) -> Callable[[], Answer]:
    """Ours without the house: take in, write typed Parquet, add up."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    from zio_pipeline.intake import take_in_all  # noqa: PLC0415

    counts, reasons = Counter[str](), Counter[str]()
    for number, some in enumerate(_portions(files)):
        deliveries = take_in_all(some, _keys())
        tables = [
            table.append_column("label", pa.repeat(d.label, len(table)))
            for d in deliveries
            for table in d.accepted.values()
        ]
        pq.write_table(pa.concat_tables(tables), out / f"{number}.parquet", compression="zstd")
        for delivery in deliveries:
            counts.update(
                rows_in=delivery.rows_in, accepted=delivery.rows_accepted, quarantined=delivery.rows_quarantined
            )
            given = [*delivery.warnings, *(reason for row in delivery.quarantined for reason in row.reasons)]
            reasons.update(r.rule for r in given if r.severity == "error" or r.rule in WARNINGS)
    hours = _hours(out)
    return lambda: {**counts, "reasons": dict(reasons), "hours": hours}


def _whole(files: Sequence[Path], out: Path) -> Callable[[], Answer]:
    """Ours as in production: hashes, reading, judging, vault, audit, warehouse, terugmeldingen."""
    from datetime import date  # noqa: PLC0415

    from resources.home import Home  # noqa: PLC0415
    from zio_pipeline.stages.receiving import receive  # noqa: PLC0415

    home = Home.open(out / "home", {})
    received = receive(home, files[0].parent, date(2025, 12, 8))

    def answer() -> Answer:
        import pyarrow.parquet as pq  # noqa: PLC0415

        for name in home.vault.names():
            if name.endswith("-provider_timesheets"):
                pq.write_table(home.vault.get(name), out / f"{name[:16]}.parquet")
        given = home.warehouse.rows("quarantine")
        return {
            "rows_in": sum(one.rows_in for one in received),
            "accepted": sum(one.rows_accepted for one in received),
            "quarantined": sum(one.rows_quarantined for one in received),
            "reasons": Counter(r["rule"] for r in given if r["severity"] == "error" or r["rule"] in WARNINGS),
            "hours": _hours(out),
        }

    return answer


def _hours(folder: Path) -> list[Any]:
    """The minutes per school, class, activity and approval in all the Parquet files of a folder."""
    import duckdb  # noqa: PLC0415

    from benchmarks.floor import aggregate  # noqa: PLC0415

    return duckdb.execute(aggregate(folder / "*.parquet")).fetchall()


def _floor(files: Sequence[Path], out: Path) -> Callable[[], Answer]:
    from benchmarks.floor import run  # noqa: PLC0415

    return run(files, out)


def _usual(files: Sequence[Path], out: Path) -> Callable[[], Answer]:
    from benchmarks.usual import run  # noqa: PLC0415

    return run(files, out)


def _workbooks(files: Sequence[Path], out: Path) -> Callable[[], Answer]:
    """Ours on XLSX: read and judge."""
    from zio_pipeline.intake import take_in_all  # noqa: PLC0415

    rows = sum(d.rows_in for some in _portions(files) for d in take_in_all(some, _keys()))
    return lambda: {"rows_in": rows}


def _calamine(files: Sequence[Path], out: Path) -> Callable[[], Answer]:
    """The XLSX reader alone, every cell of every sheet as a Python object: nothing is judged."""
    from python_calamine import load_workbook  # noqa: PLC0415

    rows = 0
    for path in files:
        book = load_workbook(str(path))
        rows += sum(len(book.get_sheet_by_name(name).to_python()) for name in book.sheet_names)
    return lambda: {"rows_in": rows}


CONTENDERS: dict[str, tuple[Contender, tuple[str, ...]]] = {
    "core": (_core, ("pandas", "pyarrow.parquet", "zio_pipeline.intake")),
    "whole": (_whole, ("great_expectations", "zio_pipeline.stages.receiving")),
    "floor": (_floor, ("duckdb",)),
    "usual": (_usual, ("pandas", "great_expectations")),
    "workbooks": (_workbooks, ("pandas", "zio_pipeline.intake")),
    "calamine": (_calamine, ("python_calamine",)),
}
"""By name: the work, and the packages whose import is counted apart; making an Arrow array imports pandas too."""


def _keys() -> Any:
    from zio_pipeline.privacy import Keys  # noqa: PLC0415

    return Keys(b"fictieve sleutel, 32 bytes lang.", b"fictieve sleutel, 32 bytes lang!", "fictief0")


def _portions(files: Iterable[Path]) -> Iterator[list[bytes]]:
    some: list[bytes] = []
    for path in files:
        some.append(path.read_bytes())
        if sum(map(len, some)) > BYTES_AT_ONCE:
            yield some
            some = []
    if some:
        yield some


def _child(name: str, folder: Path, out: Path) -> None:
    """Run one contender here and print what it took and what it came to."""
    work, packages = CONTENDERS[name]
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    began = time.perf_counter()
    for package in packages:
        importlib.import_module(package)
    started = time.perf_counter()
    answer = work(sorted(folder.iterdir()), out)
    ended, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    came_to = answer()
    if hours := sorted(map(tuple, came_to.pop("hours", ()))):
        came_to["minutes"] = sum(minutes for *_, minutes in hours)
        came_to["hours"] = hashlib.sha256(repr(hours).encode()).hexdigest()[:12]
        came_to["reasons"] = dict(sorted(came_to["reasons"].items()))
    took = {
        "start": started - began,
        "work": ended - started,
        "user": used.ru_utime,
        "processor": used.ru_utime + used.ru_stime,
        "peak_mb": used.ru_maxrss / 1024,
    }
    print(json.dumps({"took": took, "answer": came_to}))


@dataclass(frozen=True)
class Measured:
    """What the repeats of one contender took: seconds and MB, a list per figure; and its one answer."""

    name: str
    rows: int
    took: dict[str, list[float]]
    answer: Answer

    @property
    def wall(self) -> list[float]:
        return [start + work for start, work in zip(self.took["start"], self.took["work"], strict=True)]

    def median(self, figure: str) -> float:
        return statistics.median(self.wall if figure == "wall" else self.took[figure])


def compare(runs: Sequence[tuple[str, Path, int]], repeats: int, scratch: Path) -> list[Measured]:
    """Run every contender so many times, each round beginning with another.

    Raises:
        SystemExit: a contender failed, or gave two different answers.
    """
    said: dict[int, list[dict[str, Any]]] = {place: [] for place in range(len(runs))}
    for turn in range(repeats):
        for place in [*range(turn % len(runs), len(runs)), *range(turn % len(runs))]:
            name, folder, rows = runs[place]
            print(f"ronde {turn + 1} van {repeats}: {name}, {rows} regels", file=sys.stderr)
            said[place].append(_spawned(["--as", name, "--folder", str(folder)], scratch))
    measured = []
    for place, (name, _, rows) in enumerate(runs):
        answers = [one["answer"] for one in said[place]]
        if any(answer != answers[0] for answer in answers):
            raise SystemExit(f"{name} geeft niet elke keer hetzelfde antwoord: {answers}")
        took = {figure: [one["took"][figure] for one in said[place]] for figure in said[place][0]["took"]}
        measured.append(Measured(name, rows, took, answers[0]))
    return measured


def _spawned(arguments: Sequence[str], scratch: Path) -> Any:
    with tempfile.TemporaryDirectory(dir=scratch) as out:
        command = [sys.executable, "-m", "benchmarks.intake", *arguments, "--out", out]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)} is mislukt ({done.returncode})")
    return json.loads(done.stdout.splitlines()[-1])


def _made(what: str, cache: Path, first: int, second: int) -> Path:
    """A folder of data, made in another process: what a parent used would count as the peak of its children."""
    command = [sys.executable, "-m", "benchmarks.month", what, str(cache), str(first), str(second), "1"]
    folder = Path(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip())  # noqa: S603
    for path in folder.iterdir():
        path.read_bytes()  # so that nobody pays for being first to the disk
    return folder


def _require_agreement(measured: Sequence[Measured]) -> None:
    if any(one.answer != measured[0].answer for one in measured):
        raise SystemExit("De uitkomsten verschillen:\n" + "\n".join(f"{one.name}: {one.answer}" for one in measured))


def _ratio(mine: Measured, other: Measured, figure: str = "wall") -> float:
    return mine.median(figure) / other.median(figure)


def _table(title: str, measured: Sequence[Measured], against: Sequence[str]) -> Any:
    from rich.table import Table  # noqa: PLC0415

    by_name = {one.name: one for one in measured}
    others = [by_name[name] for name in against if name in by_name]
    table = Table(title=title)
    heads = (
        "",
        "regels/s",
        "tijd s",
        "spreiding",
        "waarvan start",
        "user s",
        "piek MB",
        *(f"x {o.name}" for o in others),
    )
    for head in heads:
        table.add_column(head, justify="right" if head else "left")
    for one in measured:
        spread = f"{min(one.wall):.2f}-{max(one.wall):.2f}"
        figures = [f"{one.median(figure):.2f}" for figure in ("start", "user")]
        table.add_row(
            one.name, f"{one.rows / one.median('wall'):,.0f}", f"{one.median('wall'):.2f}", spread, *figures,
            f"{max(one.took['peak_mb']):.0f}", *(f"{_ratio(one, other):.2f}" for other in others),
        )  # fmt: skip
    return table


def _summary(measured: Sequence[Measured], linear: Sequence[Measured], books: Sequence[Measured]) -> Iterator[str]:
    """Lines of Markdown with the medians, for docs/performance.md."""
    by_name = {one.name: one for one in [*measured, *books]}
    for one in measured:
        seconds, rate = one.median("wall"), one.rows / one.median("wall")
        yield f"- {one.name}: {seconds:.1f} s, {rate:,.0f} regels/s, {max(one.took['peak_mb']):.0f} MB"
    for mine in ("core", "whole"):
        for other in ("floor", "usual"):
            if mine in by_name and other in by_name:
                clock, processor = (_ratio(by_name[mine], by_name[other], figure) for figure in ("wall", "processor"))
                yield f"- {mine} tegen {other}: {clock:.2f} keer de tijd, {processor:.2f} keer de processortijd"
    for one in linear:
        per_row = (one.median("work") / one.rows) / (linear[0].median("work") / linear[0].rows)
        yield f"- {one.rows} regels: {one.median('work') / one.rows * 1e6:.2f} µs per regel, {per_row:.2f} keer de kleinste"
    if books:
        yield f"- XLSX, ons oordeel tegen alleen lezen: {_ratio(books[0], books[1], 'work'):.2f} keer de tijd"


def main() -> None:
    """Run what is asked and show it."""
    asked = _arguments()
    if asked.contender:
        _child(asked.contender, asked.folder, asked.out)
        return
    from rich.console import Console  # noqa: PLC0415

    asked.data.mkdir(parents=True, exist_ok=True)
    month = _made("month", asked.data, asked.rows, asked.files)
    names = [name for name in ("core", "whole", "floor", "usual") if name in asked.only]
    measured = compare([(name, month, asked.rows) for name in names], asked.repeats, asked.data) if names else []
    _require_agreement(measured)
    linear, books = [], []
    if "linear" in asked.only:
        sizes = [(asked.rows // part, max(1, asked.files // part)) for part in (100, 10, 1)]
        runs = [("core", _made("month", asked.data, *size), size[0]) for size in sizes]
        linear = compare(runs, asked.repeats, asked.data)
    if "xlsx" in asked.only:
        folder = _made("workbooks", asked.data, WORKBOOKS, WORKBOOK_ROWS)
        runs = [(name, folder, WORKBOOKS * WORKBOOK_ROWS) for name in ("workbooks", "calamine")]
        books = compare(runs, asked.repeats, asked.data)
    if asked.json:
        print(json.dumps([vars(one) for one in [*measured, *linear, *books]], indent=1))
        return
    console = Console(width=140)
    for title, some, against in (
        (
            f"Een landelijke maand, fictief: {asked.rows} regels in {asked.files} bestanden",
            measured,
            ("floor", "usual"),
        ),
        ("Lineair: core", linear, ()),
        (f"XLSX: {WORKBOOKS} werkboeken van {WORKBOOK_ROWS} regels", books, ("calamine",)),
    ):
        if some:
            console.print(_table(title, some, against))
    if measured:
        console.print("Alle uitkomsten zijn gelijk:", measured[0].answer)
    print(*_summary(measured, linear, books), sep="\n")


def _arguments() -> argparse.Namespace:
    parts = ("core", "whole", "floor", "usual", "linear", "xlsx")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--files", type=int, default=FILES)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=parts, default=parts)
    parser.add_argument(
        "--data", type=Path, default=Path(tempfile.gettempdir()) / "zio-benchmark", help="cache of the data"
    )
    parser.add_argument("--json", action="store_true", help="every measurement instead of tables")
    parser.add_argument("--as", dest="contender", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
