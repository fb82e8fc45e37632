"""Odd lines of timesheets: what somebody should look at, how serious it is, and a Dutch sentence that says what to do.

Belongs here: the kinds of signals, how a signal is written down, and those about lines as they stand (SPEC section 7). A
signal deletes nothing: its lines keep counting. Does not belong here: a week against its history and a month against its plan
(`deviations`), what was never handed in or approved (`missing`).

A finding is a kind of oddity in a class (of a school, by a provider) in a week of a month: however many lines it has, it is one
row, and its number stays the same when a corrected file brings the same lines under other row numbers. The row is about the class
as it was established. Two parts of a class that was split are two classes when it comes to being in both at once, or twice in one;
the class under its old and under its new name is one.

An employee is compared by pseudonym over all schools of one provider (a personnel number says nothing of another employer), and
stands in no row. Still a class has few people, and whoever knows it may recognise them: what a signal says of lines is for the
contract manager and audit, and elsewhere signals are only counted (SPEC section 8).

Of a day the lines of one file count, per provider and school (`stages.timesheets`): the same line in the file of a week and in that
of its month counts once and is no signal. A duplicated line therefore stands twice on a sheet or on two sheets of one file.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from zio_pipeline.open_days import OpenDays

Row = dict[str, Any]

SEVERITY: Mapping[str, str] = {
    "over_twelve_hours": "serious",
    "two_classes_at_once": "serious",
    "duplicate_line": "serious",
    "unknown_class": "serious",
    "provider_without_order": "serious",
    "outside_open_days": "warning",
    "under_delivery": "warning",
    "over_delivery": "warning",
    "sudden_change": "info",
}
"""Kind -> severity: serious is what a proof of delivery cannot rest on, warning asks for an answer, info is worth knowing."""
MOST_MINUTES_A_DAY = 720
REFS_SHOWN = 5

# Whole numbers stand for people, classes, files and kinds of work: comparing those is what makes two million lines a matter of
# seconds, and half a gigabyte less.
_OF_MONTH = (
    "create or replace temp table person as select employee, row_number() over () as person"
    " from (select distinct employee from line where month = $month)",
    """
    create or replace temp table signal_line as
    select file, coalesce(sheet, '') as sheet, row_number, provider, school, class_code, place, part, person, work_date,
           case when end_minute is not null then begin_minute end::integer as begin_minute,
           case when begin_minute is not null then end_minute end::integer as end_minute, minutes::integer as minutes,
           activity = 'direct' as direct, hash(activity, "function") as work, order_id is null as unknown,
           status = 'excluded' as excluded
    from line join person using (employee) where month = $month
    """,
)

# Training in a holiday is ordinary; care in a class that is not there is not.
_OUTSIDE_OPEN_DAYS = """
select l.*, minutes as concerned from signal_line l
where direct and school in (select school from open_day)
  and not exists (select 1 from open_day o where o.school = l.school and o.day = l.work_date)
"""

_OVER_TWELVE_HOURS = f"""
select l.*, l.minutes as concerned
from signal_line l
semi join (select person, work_date from signal_line group by all
           having sum(minutes) > {MOST_MINUTES_A_DAY}) d using (person, work_date)
"""  # noqa: S608 - a number of this module


def _fresh(of: str) -> str:
    """SQL: minutes of an interval that no earlier interval of the same has; these add up to the minutes that all of them cover."""
    reached = f"max(until) over (partition by {of} order by since rows between unbounded preceding and 1 preceding)"
    return f"greatest(0, until - greatest(since, coalesce({reached}, since)))"


# Touching intervals share no minute: both comparisons are strict. What fits in the pause of either line need be no overlap.
_TWO_CLASSES_AT_ONCE = f"""
with moment as (select rowid as line, person, work_date, place, part, hash(school, class_code) as class, begin_minute, end_minute,
                       end_minute - begin_minute - minutes as pause
                from signal_line where begin_minute is not null),
     overlap as (
       select a.line, b.line as other, a.pause, a.person, a.work_date, a.class,
              greatest(a.begin_minute, b.begin_minute) as since, least(a.end_minute, b.end_minute) as until
       from moment a join moment b on a.person = b.person and a.work_date = b.work_date
        and a.begin_minute < b.end_minute and b.begin_minute < a.end_minute
        and (a.place <> b.place or a.part <> b.part)),
     explained as (
       select line from (select line, pause, {_fresh("line")} as fresh from overlap semi join
                         (select line from overlap group by line, pause having max(until - since) <= pause) using (line))
       group by line, pause having sum(fresh) <= pause),
     clash as (
       select line, {_fresh("person, work_date, class")} as fresh
       from overlap o anti join explained e on o.line = e.line anti join explained f on o.other = f.line)
select l.*, p.overlap as concerned
from signal_line l join (select line, sum(fresh)::bigint as overlap from clash group by line) p on l.rowid = p.line
"""  # noqa: S608 - of this module

# Two lines may be equal and written differently: one with times and one with their length only, or one with a part of a class and
# one with the class. A line is one too many when it is equal to one before it, the more precise ones first. A hash finds the few
# candidates in one pass over narrow numbers; the columns themselves decide.
_SAME = """a.person = b.person and a.place = b.place and a.work_date = b.work_date
    and a.work = b.work and (a.part = b.part or a.part is null or b.part is null)
    and (a.begin_minute = b.begin_minute and a.end_minute = b.end_minute
         or (a.begin_minute is null or b.begin_minute is null) and a.minutes = b.minutes)"""
_DUPLICATE_LINES = f"""
with content as (
       select rowid as line, begin_minute is not null as timed,
              hash(person, place, work_date, work, minutes) as length,
              hash(person, place, work_date, work, begin_minute, end_minute) as moment
       from signal_line),
     candidate as (
       select line from content semi join
              (select moment from content where timed group by moment having count(*) > 1) using (moment) where timed
       union
       select line from content semi join
              (select length from content group by length having count(*) > 1 and not bool_and(timed)) using (length)),
     listed as (
       select l.*, row_number() over (
                order by begin_minute is null, part is null, minutes desc, f.label, sheet, row_number, l.rowid) as turn
       from signal_line l join candidate c on l.rowid = c.line join file f using (file)),
     equal as (select a.* from listed a semi join listed b on {_SAME} and a.turn <> b.turn),
     again as (select a.turn from equal a semi join equal b on {_SAME} and a.turn > b.turn)
select e.* exclude (turn), case when a.turn is null then 0 else minutes end as concerned
from equal e left join again a using (turn)
"""  # noqa: S608 - of this module

_UNKNOWN_CLASS = "select *, minutes as concerned from signal_line where unknown"

_PROVIDER_WITHOUT_ORDER = """
select *, minutes as concerned from signal_line where excluded and not unknown
"""

_LINES_OF: Mapping[str, str] = {
    "outside_open_days": _OUTSIDE_OPEN_DAYS,
    "over_twelve_hours": _OVER_TWELVE_HOURS,
    "two_classes_at_once": _TWO_CLASSES_AT_ONCE,
    "duplicate_line": _DUPLICATE_LINES,
    "unknown_class": _UNKNOWN_CLASS,
    "provider_without_order": _PROVIDER_WITHOUT_ORDER,
}
"""Kind -> the lines it is about, each with the minutes that are in question."""

_FINDINGS = """
select d.month, d.week, school, class_code, provider, count(*) as line_count, sum(concerned)::bigint as minutes,
       count(distinct work_date) as days,
       min({{'label': f.label, 'sheet': sheet, 'row_number': row_number}}, {refs}) as refs
from ({lines}) join day d using (work_date) join file f using (file) group by all order by all
"""


def line_signals(
    connection: duckdb.DuckDBPyConnection, days: Mapping[str, OpenDays], school_year: str, month: str
) -> list[Row]:
    """The signals about the lines of one month.

    Args:
        connection: holds the view `line` (`lines.lines`).
        days: the open days of every school of the established year; lines of another school are of an unknown class.
        school_year: key of the year.
        month: key of the month; the day of a line decides.

    Returns:
        Rows of the product `hour_signals`.
    """
    connection.register("open_day", _open_day_table(days.values()))
    for statement in _OF_MONTH:
        connection.execute(statement, {"month": month})
    found: list[Row] = []
    for kind, lines in _LINES_OF.items():
        query = _FINDINGS.format(lines=lines, refs=REFS_SHOWN)
        for finding in connection.sql(query).to_arrow_table().to_pylist():
            refs, count = finding.pop("refs"), finding.pop("days")
            text = _SENTENCE[kind].format(**finding | {"days": count, "duration": duration(finding["minutes"])})
            found.append(signal_row(kind, school_year, text, **finding, row_refs=_spelled(refs, finding["line_count"])))
    return found


def signal_row(kind: str, school_year: str, explanation: str, **values: Any) -> Row:
    """A row of `hour_signals`. What is not given is empty; the number follows from what it is about, not from its lines."""
    place: Row = dict.fromkeys(
        ("month", "week", "school", "class_code", "order_id", "doelgroep", "provider", "line_count", "row_refs")
    )
    row: Row = {"school_year": school_year, "kind": kind, "severity": SEVERITY[kind], "explanation": explanation}
    row |= place | values
    about = ("school_year", "kind", "month", "week", "school", "class_code", "order_id", "doelgroep", "provider")
    return row | {"signal_id": stable_id(*(row[name] for name in about))}


def stable_id(*parts: str | None) -> str:
    """Sixteen hex digits that stand for these parts."""
    return hashlib.sha256("\x1f".join(part or "" for part in parts).encode()).hexdigest()[:16]


def duration(minutes: int) -> str:
    """'13:30 uur'."""
    return f"{minutes // 60}:{minutes % 60:02d} uur"


def _open_day_table(schools: Iterable[OpenDays]) -> pa.Table:
    rows = [{"school": one.school, "day": day} for one in schools for day in one.days]
    return pa.Table.from_pylist(rows, schema=pa.schema([("school", pa.string()), ("day", pa.date32())]))


def _spelled(refs: Sequence[Mapping[str, Any]], lines: int) -> str:
    """'label:blad:12, label:blad:13 en 4 andere', as rows are named everywhere."""
    names = [":".join(filter(None, (ref["label"], ref["sheet"], str(ref["row_number"])))) for ref in refs]
    more = lines - len(names)
    return ", ".join(names) + (f" en {more} andere" if more else "")


_WHERE = "Klas {class_code} (vestiging {school}), week {week}, aanbieder {provider}: {line_count} regel(s)"

_SENTENCE: Mapping[str, str] = {
    "outside_open_days": _WHERE
    + " ({duration}) op {days} dag(en) waarop de school dicht is. Aanbieder: controleer de datums; "
    "kloppen zij, laat de school dan haar kalender nagaan.",
    "over_twelve_hours": _WHERE
    + " van een medewerker die op één dag meer dan 12 uur schreef, over alle klassen en scholen van deze aanbieder samen. "
    "Aanbieder: controleer duur en eenheid, en lever een gecorrigeerd bestand aan.",
    "two_classes_at_once": _WHERE + " van een medewerker die op dat moment ook in een andere klas stond. "
    "Aanbieder: controleer klas en tijden, en lever een gecorrigeerd bestand aan.",
    "duplicate_line": _WHERE
    + " die gelijk zijn aan elkaar; {duration} telt te veel mee. Aanbieder: neem de dubbele regels weg, of geef begin en eind op "
    "als het toch twee keer is geweest.",
    "unknown_class": _WHERE
    + " ({duration}) van een klas die in geen opdracht van het vastgestelde jaar staat; zij tellen niet als levering. "
    "Aanbieder: corrigeer de klascode, of laat de school melden hoe de klas nu heet.",
    "provider_without_order": _WHERE
    + " ({duration}) van een aanbieder die op die dag geen opdracht voor deze klas heeft; zij tellen niet als levering. "
    "Aanbieder: corrigeer klas, datum of AGB-code, of laat de contractmanager de opdracht en haar geldigheid nagaan.",
}
