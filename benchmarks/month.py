"""One national month of urenstaten as providers would send it: the input of the benchmark. Everything in it is fictief.

Belongs here: how many files in which forms (headers, delimiter, encoding, date and duration styles), and the dirty rows.
Does not belong here: reading them back, and what they must come to (the contenders say so, and must agree).

The same arguments give the same bytes. Durations are quarters of an hour, so that a stated total is exact in every form.
"""

# ruff: noqa: S311  (a seeded generator of fictitious data, not a secret)

import contextlib
import csv
import io
import random
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

VERSION = 4
"""Goes up whenever the same arguments give other bytes."""

MONTH = tuple(date(2025, 11, day) for day in range(1, 31) if date(2025, 11, day).weekday() < 5)
DIRTY_PER_MILLE, WARNED_PER_MILLE = 1.0, 0.2
BEGIN_END, CLOCK, DECIMAL, MINUTES = "begin-eind", "7:30", "7,5", "minuten"
DATE_STYLES = ("%d-%m-%Y",) * 6 + ("%Y-%m-%d",) * 2 + ("%-d-%-m-%Y", "%d/%m/%Y")
ENCODINGS = ("utf-8",) * 4 + ("utf-8-sig",) * 3 + ("cp1252",) * 3
DELIMITERS = (";",) * 7 + (",",) * 2 + ("\t",)

Values = dict[str, str]

# Each signature is what one package or template writes: its headers in order, and how it can state a duration.
_TEMPLATE = {
    "school_year": "schooljaar", "provider": "agb", "school": "vestiging", "class_code": "klas",
    "employee": "medewerker", "work_date": "datum", "begin_minute": "begin", "end_minute": "eind",
    "pause_minutes": "pauze", "duration_minutes": "uren", "stated_minutes": "minuten", "activity": "activiteit",
    "function": "functie", "handed_in_on": "ingeleverd op", "approved_on": "akkoord school",
    "forwarded_on": "doorgestuurd op",
}  # fmt: skip
_ROSTER = {
    "school_year": "Schooljaar", "provider": "AGB-code", "school": "BRIN", "class_code": "Groep",
    "employee": "Medewerkernummer", "work_date": "Datum", "duration_minutes": "Aantal uren", "activity": "Soort uren",
    "function": "Zorgfunctie", "handed_in_on": "Ingeleverd op", "approved_on": "Goedgekeurd op",
    "forwarded_on": "Doorgestuurd op", "remark": "Opmerking",
}  # fmt: skip
_CLOCKED = {
    "employee": "Personeelsnummer", "work_date": "Datum", "begin_minute": "Van", "end_minute": "Tot",
    "pause_minutes": "Pauze (min)", "school": "Vestiging", "class_code": "Klas", "activity": "Activiteit",
    "function": "Functie", "school_year": "Schooljaar", "provider": "AGB code", "approved_on": "Akkoord school op",
}  # fmt: skip
_COUNTED = {
    "school_year": "SCHOOLJAAR", "provider": "AGB", "school": "BRIN", "class_code": "GROEP", "employee": "MEDEWERKER",
    "work_date": "DATUM", "stated_minutes": "DUUR (MIN)", "activity": "ACTIVITEIT", "function": "FUNCTIE",
    "handed_in_on": "INGELEVERD OP", "approved_on": "AKKOORD SCHOOL",
}  # fmt: skip
_PAYROLL = {
    "provider": "agb_code", "employee": "personeelsnummer", "school_year": "schooljaar", "school": "brin",
    "class_code": "groep", "function": "zorgfunctie", "activity": "soort_uren", "work_date": "datum",
    "duration_minutes": "duur", "stated_minutes": "duur_minuten", "remark": "opmerking",
    "approved_on": "goedgekeurd_op", "forwarded_on": "doorgestuurd_op", "handed_in_on": "ingeleverd_op",
}  # fmt: skip
SIGNATURES = (
    (_TEMPLATE, (BEGIN_END, CLOCK, DECIMAL, MINUTES)),
    (_TEMPLATE, (BEGIN_END, DECIMAL)),
    (_ROSTER, (DECIMAL, CLOCK)),
    (_CLOCKED, (BEGIN_END,)),
    (_COUNTED, (MINUTES,)),
    (_PAYROLL, (DECIMAL, CLOCK, MINUTES)),
)
_ACTIVITIES = (("direct",) * 16) + (("indirect",) * 2) + ("reistijd", "scholing")
_CLASSES = ("VSO {}a", "VSO {}b", "ZML {}", "Groep één-{}", "SO {}", "Zeeën {}", "EMB {}", "Coöp {}")


@dataclass(frozen=True)
class Form:
    """How one file is written. `preamble` lines go before the header; `total` is '', 'count' or 'sum'."""

    headers: dict[str, str]
    duration: str
    delimiter: str
    encoding: str
    newline: str
    dates: str
    preamble: tuple[str, ...]
    total: str


def month(cache: Path, rows: int, files: int, seed: int = 1) -> Path:
    """The folder with the files, made once per set of arguments."""
    folder = cache / f"month-{VERSION}-{rows}-{files}-{seed}"
    if not folder.exists():
        for unfinished in cache.glob(f".{folder.name}*"):
            shutil.rmtree(unfinished)
        making = cache / f".{folder.name}"
        making.mkdir(parents=True)
        for number, count in enumerate(_spread(rows, files, seed)):
            form, lines = _file(number, count, random.Random(f"{seed} {number}"))
            (making / f"{number:04d}.csv").write_bytes(_text(form, lines).encode(form.encoding))
        making.rename(folder)
    return folder


def workbooks(cache: Path, files: int, rows: int, seed: int = 1) -> Path:
    """As `month`, every file an XLSX workbook of so many rows, with dates, times and numbers as Excel keeps them."""
    folder = cache / f"workbooks-{VERSION}b-{rows}-{files}-{seed}"
    if not folder.exists():
        making = cache / f".{folder.name}"
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True)
        for number in range(files):
            _write_workbook(making / f"{number:04d}.xlsx", *_file(number, rows, random.Random(f"{seed} {number}")))
        making.rename(folder)
    return folder


def _spread(rows: int, files: int, seed: int) -> list[int]:
    """Rows per file: many small schools, a few large ones; together exactly `rows`."""
    rng = random.Random(f"{seed} spread")
    weights = [rng.lognormvariate(0, 0.5) for _ in range(files)]
    counts = [max(20, int(rows * weight / sum(weights))) for weight in weights]
    counts[counts.index(max(counts))] += rows - sum(counts)
    return counts


def _file(number: int, count: int, rng: random.Random) -> tuple[Form, list[Values]]:
    headers, durations = SIGNATURES[number % len(SIGNATURES)]
    title = f"Urenstaat november 2025, vestiging {number} (fictief)"
    form = Form(
        headers=headers,
        duration=rng.choice(durations),
        delimiter=rng.choice(DELIMITERS),
        encoding=rng.choice(ENCODINGS),
        newline=rng.choice(("\r\n", "\r\n", "\n")),
        dates=rng.choice(DATE_STYLES),
        preamble=rng.choice(((), (), (), (title,), (title, ""))),
        total=rng.choice(("", "", "", "", "count", "sum")),
    )
    return form, list(_lines(number, count, form, rng))


def _lines(number: int, count: int, form: Form, rng: random.Random) -> Iterator[Values]:
    fixed = {
        "school_year": "2025-2026",
        "provider": f"{75_000_000 + number % 60:08d}",
        "school": f"{number // 4 % 100:02d}{chr(65 + number // 400)}{chr(65 + number % 23)}{number % 4:02d}",
    }
    classes = [rng.choice(_CLASSES).format(place) for place in range(1, rng.randint(8, 14))]
    staff = [f"m{number:03d}{person:04d}" for person in range(1, rng.randint(15, 45))]
    days = [day.strftime(form.dates) for day in MONTH]
    later = [(MONTH[-1] + timedelta(1 + gone)).strftime(form.dates) for gone in range(9)]
    last: Values = {}
    seen: set[tuple[str, ...]] = set()
    for _ in range(count):
        while True:
            line = fixed | _worked(form, rng) | {
                "class_code": rng.choice(classes),
                "employee": rng.choice(staff),
                "work_date": rng.choice(days),
                "activity": rng.choice(_ACTIVITIES),
                "function": rng.choice(("verzorging", "begeleiding")),
            }  # fmt: skip
            key = tuple(line.values())
            if key not in seen:
                break
        seen.add(key)
        line["handed_in_on"], line["approved_on"], line["forwarded_on"] = later[0], rng.choice(later[:6]), later[7]
        if rng.random() < 0.1:
            line["approved_on"] = line["forwarded_on"] = ""
        line["remark"] = "fictief; invaller, ingeroosterd" if rng.random() < 0.01 else ""
        draw = rng.random() * 1000
        if draw < DIRTY_PER_MILLE:
            line |= _dirt(form, rng)
        elif draw < DIRTY_PER_MILLE + WARNED_PER_MILLE:
            line |= _long_day(form) if draw * 10 % 2 < 1 or not last else last
        else:
            last = line
        yield line


def _worked(form: Form, rng: random.Random) -> Values:
    """The duration of one line, in the columns and the form of the file."""
    quarters = rng.randint(2, 34)
    if form.duration != BEGIN_END:
        return _stated(form, quarters * 15)
    begin, pause = rng.randint(84, 108) * 5, rng.choice((0, 0, 15, 30)) if quarters > 16 else 0
    return {
        "begin_minute": f"{begin // 60:02d}:{begin % 60:02d}",
        "end_minute": f"{(begin + quarters * 15 + pause) // 60:02d}:{(begin + quarters * 15 + pause) % 60:02d}",
        "pause_minutes": str(pause) if pause else "",
    }


def _stated(form: Form, minutes: int) -> Values:
    if form.duration == MINUTES:
        return {"stated_minutes": str(minutes)}
    if form.duration == CLOCK:
        return {"duration_minutes": f"{minutes // 60}:{minutes % 60:02d}"}
    return {"duration_minutes": _hours(minutes)}


def _hours(minutes: int) -> str:
    whole, part = divmod(minutes, 60)
    return f"{whole}" + {0: "", 15: ",25", 30: ",5", 45: ",75"}[part]


def _long_day(form: Form) -> Values:
    """More than twelve hours: accepted with a warning."""
    if form.duration == BEGIN_END:
        return {"begin_minute": "07:00", "end_minute": "20:15", "pause_minutes": ""}
    return _stated(form, 13 * 60 + 15)


def _dirt(form: Form, rng: random.Random) -> Values:
    """One mistake of the kinds that occur in this form."""
    kinds: list[Values] = [
        {"class_code": ""},
        {"work_date": date(2025, 11, 30).strftime(form.dates).replace("30", "31", 1)},
        {"activity": rng.choice(("vakantie", "overleg", "?"))},
    ]
    if form.duration == BEGIN_END:
        kinds.append({"begin_minute": "15:30", "end_minute": "09:00", "pause_minutes": ""})
    if "stated_minutes" in form.headers and form.duration != MINUTES:
        kinds.append({"stated_minutes": "420"})  # beside hours, or beside begin and end
    if form.duration in (CLOCK, DECIMAL) and form.total != "sum":
        kinds.append({"duration_minutes": "450"})  # minutes in a column of hours
    return rng.choice(kinds)


def _total(form: Form, lines: list[Values]) -> list[list[str]]:
    """An empty row and a total row as Excel saves them; a sum only where its column can be added up."""
    column = {DECIMAL: "duration_minutes", MINUTES: "stated_minutes"}.get(form.duration)
    row = dict.fromkeys(form.headers, "")
    if form.total == "sum" and column:
        filled = [line[column] for line in lines if line.get(column)]
        quarters = sum(
            int(float(text.replace(",", ".")) * (4 if column == "duration_minutes" else 1)) for text in filled
        )
        row[column] = _hours(quarters * 15) if column == "duration_minutes" else str(quarters)
        words = "Totaal"
    elif form.total == "count":
        words = f"Totaal aantal regels: {len(lines)}"
    else:
        return []
    return [[""] * len(row), [words, *list(row.values())[1:]]]


def _text(form: Form, lines: list[Values]) -> str:
    out = io.StringIO(newline="")
    out.writelines(line + form.newline for line in form.preamble)
    writer = csv.writer(out, delimiter=form.delimiter, lineterminator=form.newline)
    writer.writerow(form.headers.values())
    writer.writerows([line.get(name, "") for name in form.headers] for line in lines)
    writer.writerows(_total(form, lines))
    return out.getvalue()


def _write_workbook(path: Path, form: Form, lines: list[Values]) -> None:
    import xlsxwriter  # noqa: PLC0415

    with xlsxwriter.Workbook(str(path)) as book:
        formats = {
            "date": book.add_format({"num_format": "dd-mm-yyyy"}),
            "time": book.add_format({"num_format": "hh:mm"}),
        }
        sheet = book.add_worksheet("Uren")
        for number, text in enumerate(form.preamble):
            sheet.write(number, 0, text)  # an empty line stays a row without cells
        top = len(form.preamble)
        sheet.write_row(top, 0, list(form.headers.values()))
        for number, line in enumerate(lines, start=top + 1):
            for column, name in enumerate(form.headers):
                text = line.get(name, "")
                if not text:
                    continue
                value, style = _excel(name, text, form)
                sheet.write(number, column, value, formats.get(style))


def _excel(name: str, text: str, form: Form) -> tuple[str | float | date | time, str]:
    if name in ("begin_minute", "end_minute"):
        hour, minute = map(int, text.split(":"))
        return time(hour, minute), "time"
    if name in ("pause_minutes", "stated_minutes"):
        return int(text), ""
    if name == "duration_minutes" and form.duration == DECIMAL:
        return float(text.replace(",", ".")), ""
    if name.endswith(("_date", "_on")):
        with contextlib.suppress(ValueError):  # the impossible date stays the text it is
            return datetime.strptime(text, form.dates.replace("%-", "%")).date(), "date"  # noqa: DTZ007
    return text, ""


if __name__ == "__main__":
    what, cache, first, second, seed = sys.argv[1:]
    print({"month": month, "workbooks": workbooks}[what](Path(cache), int(first), int(second), int(seed)))
