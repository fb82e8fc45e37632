"""What a person is told about the hours of a month: one message, in Dutch, that says who must do what.

Belongs here: when there is something to tell, and its words. Does not belong here: sending it (`resources.notifier`), remembering
that it was sent (`stages.signals`).

A message is about one month in one state: which weeks are owed and which serious signals there are. The key stands for that state,
so the same state is told once, and a state that changed is told again. No message holds a person or a pseudonym.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from zio_pipeline.hours.missing import APPROVE, FORWARD, HAND_IN, owed_in_words

Rows = Sequence[Mapping[str, Any]]

_STEPS: Mapping[str, tuple[str, str]] = {
    HAND_IN: (
        "Niet ingeleverd",
        "de aanbieder levert de urenstaat met deze weken aan; daarna innemen (zio run of de inbox).",
    ),
    APPROVE: ("Nog niet akkoord", "de school keurt de urenstaat goed, of geeft de aanbieder door wat niet klopt."),
    FORWARD: ("Nog niet doorgestuurd", "de school stuurt de goedgekeurde urenstaat door."),
}
_SERIOUS: Mapping[str, tuple[str, str]] = {
    "over_twelve_hours": ("meer dan 12 uur op een dag", "de aanbieder controleert duur en eenheid."),
    "two_classes_at_once": ("in twee klassen tegelijk", "de aanbieder controleert klas en tijden."),
    "duplicate_line": ("dubbele regels", "de aanbieder neemt de dubbele regels weg."),
    "unknown_class": ("klas die niet in het vastgestelde jaar staat", "de aanbieder corrigeert de klascode."),
    "provider_without_order": ("aanbieder zonder opdracht voor de klas", "de contractmanager gaat de opdracht na."),
}


@dataclass(frozen=True)
class Alert:
    """One message. `key` is the same for the same state of the same month, and for no other."""

    school_year: str
    month: str
    key: str
    subject: str
    body: str
    missing_weeks: int
    serious_signals: int


def alerts(
    signals: Rows, missing: Rows, school_year: str, as_of: date, *, fictitious: bool, month: str | None = None
) -> list[Alert]:
    """A message for every month that has a serious signal or an owed week; none for a month in which all is well.

    Args:
        signals: rows of `hour_signals` of the school year.
        missing: rows of `missing_statements` of the school year.
        school_year: key of the year.
        as_of: the business date, which stands in the message and not in its key.
        fictitious: whether the year is; then the subject says so.
        month: only this month.
    """
    serious = [row for row in signals if row["severity"] == "serious"]
    months = sorted({row["month"] for row in (*serious, *missing)})
    return [
        _alert(
            [row for row in serious if row["month"] == one],
            [row for row in missing if row["month"] == one],
            school_year,
            one,
            as_of=as_of,
            mark="[fictief] " if fictitious else "",
        )
        for one in months
        if month in (None, one)
    ]


def _alert(serious: Rows, missing: Rows, school_year: str, month: str, *, as_of: date, mark: str) -> Alert:
    weeks = f"{len(missing)} {'klasweek ontbreekt' if len(missing) == 1 else 'klasweken ontbreken'}"
    signals = f"{len(serious)} {'ernstig signaal' if len(serious) == 1 else 'ernstige signalen'}"
    return Alert(
        school_year=school_year,
        month=month,
        key=_key(serious, missing, school_year, month),
        subject=f"{mark}ZiO uren {month}: {weeks}, {signals}",
        body="\n".join(_body(serious, missing, school_year, month, as_of)),
        missing_weeks=len(missing),
        serious_signals=len(serious),
    )


def _key(serious: Rows, missing: Rows, school_year: str, month: str) -> str:
    """What would make a person look again: another signal, other lines or minutes in it, another week or another step."""
    state = [
        school_year,
        month,
        sorted([row["signal_id"], row["line_count"], row["minutes"]] for row in serious),
        sorted([row["week"], row["school"], row["class_code"], row["step"]] for row in missing),
    ]
    return hashlib.sha256(json.dumps(state).encode()).hexdigest()[:16]


def _body(serious: Rows, missing: Rows, school_year: str, month: str, as_of: date) -> Iterable[str]:
    yield f"Uren van {month} in schooljaar {school_year}, zoals het stond op {as_of:%d-%m-%Y}."
    for step, (title, todo) in _STEPS.items():
        if owed := owed_in_words(missing, step):
            yield from ("", f"{title}. Wat te doen: {todo}", *(f"- {sentence}" for sentence in owed))
    if serious:
        yield from ("", "Ernstige signalen:")
    places: dict[str, Counter[str]] = {}
    for row in serious:
        places.setdefault(row["kind"], Counter())[f"aanbieder {row['provider']}, vestiging {row['school']}"] += 1
    for kind in sorted(places):
        title, todo = _SERIOUS[kind]
        found = "; ".join(f"{place}: {count}" for place, count in sorted(places[kind].items()))
        yield f"- {title}: {found}. Wat te doen: {todo}"
    yield ""
    yield "Klas, week en regels staan in de tabellen hour_signals en missing_statements."
    yield f"Na herstel: zio signals --school-year {school_year} --month {month} --as-of <dag>."
    yield "In dit bericht staan geen persoonsgegevens."
