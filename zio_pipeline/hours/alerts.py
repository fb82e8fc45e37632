"""What a person is told about the hours of a month: one message, in Dutch, that says who must do what.

Belongs here: when there is something to tell, and its words. Does not belong here: sending it (`resources.notifier`), remembering
that it was sent (`stages.signals`).

A message is about one month in one state: which weeks are owed and which serious signals there are. The key stands for that state,
so a state is told once as long as it lasts, and told again when it comes back. That a month is well again is told too, shortly:
whoever was asked to mend something need not go on asking. No message holds a person or a pseudonym.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    "provider_without_order": (
        "aanbieder die op die dag geen opdracht voor de klas heeft",
        "de contractmanager gaat de opdracht na.",
    ),
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
    signals: Rows,
    missing: Rows,
    school_year: str,
    as_of: date,
    *,
    fictitious: bool,
    month: str | None = None,
    troubled: Iterable[str] = (),
) -> list[Alert]:
    """A message for every month that has a serious signal or an owed week, and for one that had and is well now.

    Args:
        signals: rows of `hour_signals` of the school year.
        missing: rows of `missing_statements` of the school year.
        school_year: key of the year.
        as_of: the business date, which stands in the message and not in its key.
        fictitious: whether the year is; then the subject says so.
        month: only this month.
        troubled: months of which the last that was told is that something was wrong.
    """
    serious = [row for row in signals if row["severity"] == "serious"]
    weeks = _class_weeks(missing)
    months = sorted({row["month"] for row in (*serious, *missing)} | set(troubled))
    states = (
        _State(
            school_year,
            one,
            as_of,
            serious=[row for row in serious if row["month"] == one],
            missing=[row for row in missing if row["month"] == one],
            weeks={step: weeks[one, step] for step in _STEPS},
        )
        for one in months
        if month in (None, one)
    )
    return [_alert(state, "[fictief] " if fictitious else "") for state in states]


def is_well(row: Mapping[str, Any]) -> bool:
    """Whether a message that was told (a row of `alerts`) was that a month is well again."""
    return not row["missing_weeks"] and not row["serious_signals"]


def serious_in_words(signals: Rows) -> list[str]:
    """The serious signals for a screen that more people see than the table: of every kind how many there are, and where."""
    counted = _places(row for row in signals if row["severity"] == "serious")
    return [
        f"{kind[0].upper()}{kind[1:]}: {where}. Wat te doen: {todo} Klas en regels staan in de tabel hour_signals (vertrouwelijk)."
        for kind, where, todo in counted
    ]


def _class_weeks(missing: Rows) -> Counter[tuple[str, str]]:
    """Weeks of classes per month and step. A week that lies in two months counts once, in the first of which it is owed."""
    first: dict[tuple[str, ...], str] = {}
    for row in missing:
        week = row["step"], row["school"], row["class_code"], row["week"]
        first[week] = min(row["month"], first.get(week, row["month"]))
    return Counter((month, step) for (step, *_), month in first.items())


@dataclass(frozen=True)
class _State:
    """What stands of a month on a day; `weeks` of classes that are owed, by step."""

    school_year: str
    month: str
    as_of: date
    serious: Rows
    missing: Rows
    weeks: Mapping[str, int]

    @property
    def is_well(self) -> bool:
        return not self.serious and not self.missing


def _alert(state: _State, mark: str) -> Alert:
    return Alert(
        school_year=state.school_year,
        month=state.month,
        key=_key(state),
        subject=f"{mark}ZiO uren {state.month}: {'weer in orde' if state.is_well else _counts(state)}",
        body="\n".join(_well(state) if state.is_well else _body(state)),
        missing_weeks=len(state.missing),
        serious_signals=len(state.serious),
    )


def _key(state: _State) -> str:
    """What would make a person look again: another signal, other lines or minutes in it, another week or another step."""
    about = [
        state.school_year,
        state.month,
        sorted([row["signal_id"], row["line_count"], row["minutes"]] for row in state.serious),
        sorted([row["week"], row["school"], row["class_code"], row["step"]] for row in state.missing),
    ]
    return hashlib.sha256(json.dumps(about).encode()).hexdigest()[:16]


def _counts(state: _State) -> str:
    weeks, signals = state.weeks, len(state.serious)
    return (
        f"{weeks[HAND_IN]} {'klasweek' if weeks[HAND_IN] == 1 else 'klasweken'} niet ingeleverd, {weeks[APPROVE]} niet akkoord, "
        f"{weeks[FORWARD]} niet doorgestuurd, {signals} {'ernstig signaal' if signals == 1 else 'ernstige signalen'}"
    )


def _places(serious: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """(kind in words, how many where, what to do) of every kind."""
    places: dict[str, Counter[str]] = {}
    for row in serious:
        places.setdefault(row["kind"], Counter())[f"aanbieder {row['provider']}, vestiging {row['school']}"] += 1
    for kind in sorted(places):
        title, todo = _SERIOUS[kind]
        yield title, "; ".join(f"{place}: {count}" for place, count in sorted(places[kind].items())), todo


def _head(state: _State) -> str:
    return f"Uren van {state.month} in schooljaar {state.school_year}, zoals het stond op {state.as_of:%d-%m-%Y}."


def _well(state: _State) -> Iterator[str]:
    yield _head(state)
    yield "Er ontbreekt geen week meer en er is geen ernstig signaal meer. U hoeft niets te doen."
    yield "In dit bericht staan geen persoonsgegevens."


def _body(state: _State) -> Iterator[str]:
    yield _head(state)
    for step, (title, todo) in _STEPS.items():
        if owed := owed_in_words(state.missing, step):
            yield from ("", f"{title}. Wat te doen: {todo}", *(f"- {sentence}" for sentence in owed))
    if sum(state.weeks.values()) < len(state.missing):
        yield from ("", "Een week die in twee maanden ligt, telt in het onderwerp alleen bij de eerste maand.")
    if state.serious:
        yield from ("", "Ernstige signalen:")
    for title, where, todo in _places(state.serious):
        yield f"- {title}: {where}. Wat te doen: {todo}"
    about = f"--school-year {state.school_year} --month {state.month}"
    yield ""
    yield "Klas, week en regels staan in de tabellen hour_signals en missing_statements."
    yield f"Na herstel: zio hours {about} --as-of <dag>, en dan zio signals {about} --as-of <dag> --notify."
    yield "In dit bericht staan geen persoonsgegevens."
