"""Fictitious children: numbers that pass the checks but belong to nobody, made-up names, homes and Wlz indications.

Belongs here: filling the classes with ordinary pupils whose payer follows from the rules alone.
Does not belong here: the planted cases (planted), writing files (school_files).

A BSN here starts with 9, far above the numbers in use; it passes the elfproef and is drawn at random.
"""

import random
from collections.abc import Iterator
from datetime import date, timedelta

from zio_pipeline.demo.model import PGB, Draft, Group, Indication, Placement, Pupil, SchoolClass
from zio_pipeline.demo.places import MIDDEN_BRABANT, ORIGIN, PLACES, random_postcode
from zio_pipeline.money import largest_remainder

MPT, DTV = "7", "8"

# fmt: off
_FIRST_NAMES = (
    "Zoë", "Renée", "Noëlle", "Anaïs", "Jürgen", "Chloé", "André", "Loïs", "Daniël", "Michaël", "Thijs", "Sem", "Noor",
    "Fleur", "Yasmin", "Bilal", "Amélie", "Björn", "Desirée", "Günther", "Hélène", "Ismaël", "Joëlle", "Kaj", "Luuk",
    "Maud", "Naïma", "Ömer", "Pien", "Quirijn", "Raúl", "Søren", "Teun", "Ümit", "Vera", "Wout", "Xavi", "Yfke",
)
_LAST_NAMES = (
    "Fictiefsen", "van ’t Voorbeeld", "de Testé", "Müller-Verzonnen", "van der Demonstratie", "Bedachté",
    "van den Nepnaam", "Zomaariemand", "in ’t Verzinsel", "Dummé", "Schijnbaarë", "Nergenshuizen", "Van Nergens",
    "Öngeloofwaardig", "Denkbeeldig-Pröll", "ten Verhaal", "Fantasiëns", "O’Nonexistent", "Teststra", "Voorbeeldsma",
)
# fmt: on


def random_bsn(rng: random.Random) -> str:
    """Nine digits that pass the elfproef, starting with 9 and not a pattern such as 999999990."""
    while True:
        digits = "9" + "".join(rng.choice("0123456789") for _ in range(7))
        check = _weighted(digits) % 11
        number = f"{digits}{check}"
        if check < 10 and max(number.count(d) for d in set(number)) < 5:
            return number


def random_onderwijsnummer(rng: random.Random) -> str:
    """Nine digits starting with 10 whose elfproef leaves 5: for a pupil without a BSN."""
    while True:
        digits = "10" + "".join(rng.choice("0123456789") for _ in range(6))
        check = (_weighted(digits) - 5) % 11
        if check < 10:
            return f"{digits}{check}"


def _weighted(digits: str) -> int:
    return sum((9 - i) * int(digit) for i, digit in enumerate(digits))


class People:
    """Draws pupils one after the other; no two share a number."""

    def __init__(self, draft: Draft):
        self._draft = draft
        self._rng = draft.rng("people")
        self._numbers: set[str] = set()

    def pupil(self, school_class: SchoolClass) -> Pupil:
        """A child of the age of the class, under 18 on the startdatum, placed there for the year."""
        draft, rng = self._draft, self._rng
        first = draft.start if rng.random() < 0.08 else draft.year.first_day
        last = draft.year.last_day if rng.random() < 0.4 else None
        return Pupil(
            pgn=self._new_number(),
            first_name=rng.choice(_FIRST_NAMES),
            last_name=rng.choice(_LAST_NAMES),
            birth_date=self._birth_date(school_class),
            placements=[Placement(school_class.school, school_class.code, first, last)],
            counted_in=school_class,
            needs_care=None if rng.random() < 0.05 else True,
        )

    def _new_number(self) -> str:
        while (number := random_bsn(self._rng)) in self._numbers:
            pass
        self._numbers.add(number)
        return number

    def _birth_date(self, school_class: SchoolClass) -> date:
        first, last = school_class.ages
        # A year wide at least; the oldest classes take in 16 and 17, who are there for longer than their age says.
        oldest = min(max(last, first + 12), 18 * 12)
        youngest = min(first, 16 * 12)
        born_before = years_before(self._draft.start, months=youngest)
        born_after = years_before(self._draft.start, months=oldest)
        days = (born_before - born_after).days - 1
        return born_after + timedelta(days=1 + self._rng.randrange(days))


def years_before(day: date, years: int = 0, months: int = 0) -> date:
    """The same day that many years and months earlier (29 February becomes the 28th)."""
    count = day.year * 12 + day.month - 1 - years * 12 - months
    return date(count // 12, count % 12 + 1, min(day.day, 28))


def fill_classes(draft: Draft) -> People:
    """Every class filled to its size with ordinary pupils, with a home and, where drawn, a Wlz indication."""
    people = People(draft)
    draft.pupils = [people.pupil(c) for c in draft.classes for _ in range(c.size)]
    _give_homes(draft)
    _give_indications(draft)
    return people


def _give_homes(draft: Draft) -> None:
    """Per school the proportions of the real origin, shuffled over its pupils."""
    rng = draft.rng("homes")
    for school, weights in ORIGIN.items():
        pupils = [p for p in draft.pupils if p.counted_in is not None and p.counted_in.school == school]
        numbers = largest_remainder(len(pupils), list(weights.values()))
        homes = [code for code, number in zip(weights, numbers, strict=True) for _ in range(number)]
        rng.shuffle(homes)
        for pupil, home in zip(pupils, homes, strict=True):
            move(pupil, home, draft, rng)


def move(pupil: Pupil, municipality: str, draft: Draft, rng: random.Random) -> None:
    """Let a pupil live in a municipality, written the way school files write it, known since before the peildatum."""
    name = PLACES[municipality].name
    pupil.municipality = municipality
    pupil.stated = rng.choices((name, name.upper(), municipality, f"GM{municipality}"), weights=(70, 12, 12, 6))[0]
    pupil.postcode = "" if rng.random() < 0.02 else random_postcode(municipality, rng)
    pupil.evidence = rng.choices(("brp", "school", "address", "confirmed", None), weights=(55, 20, 10, 10, 5))[0]
    since = draft.reference - timedelta(days=rng.randrange(30, 3000))
    pupil.since = max(since, pupil.birth_date) if rng.random() < 0.6 else None


def _give_indications(draft: Draft) -> None:
    """Per doelgroep its share of pupils with Wlz; a fifth of all of them pgb, and some older ones turned 18 or 19."""
    rng, numbers = draft.rng("wlz"), decision_numbers(draft)
    with_wlz = [pupil for group in draft.groups for pupil in _wlz_pupils(draft, group, rng)]
    rng.shuffle(with_wlz)
    for position, pupil in enumerate(with_wlz):
        pupil.indication = current_indication(pupil, draft, next(numbers), rng, pgb=position % 5 == 0)
        if rng.random() < 0.05:
            pupil.other_indications.append(_expired(pupil.indication, next(numbers)))
        if pupil.counted_in is not None and pupil.counted_in.ages[1] > 18 * 12 and rng.random() < 0.4:
            pupil.birth_date = years_before(pupil.birth_date, rng.choice((1, 2)))


def _wlz_pupils(draft: Draft, group: Group, rng: random.Random) -> list[Pupil]:
    pupils = [p for p in draft.pupils if p.counted_in is not None and p.counted_in.group == group]
    return rng.sample(pupils, round(len(pupils) * group.wlz_permille / 1000))


def decision_numbers(draft: Draft, topic: str = "besluitnummers") -> Iterator[int]:
    """CIZ besluitnummers, no two the same: a stride that shares no factor with the range visits each once."""
    span = 400_000_000
    low = 100_000_000 if topic == "besluitnummers" else 500_000_000
    start = draft.rng(topic).randrange(span)
    return (low + (start + 123_456_791 * step) % span for step in range(span))


def current_indication(pupil: Pupil, draft: Draft, number: int, rng: random.Random, *, pgb: bool) -> Indication:
    """An indication valid and known on the peildatum."""
    earliest = max(pupil.birth_date + timedelta(days=400), draft.reference - timedelta(days=2500))
    issued = draft.list_date - timedelta(days=rng.randrange(10, max(11, (draft.list_date - earliest).days)))
    form = PGB if pgb else rng.choices((MPT, DTV), weights=(85, 15))[0]
    return Indication(
        list_date=draft.list_date,
        number=number,
        # Where the list leaves it out, its dagtekening tells since when the indication is known.
        issued_on=None if rng.random() < 0.03 else issued,
        starts_on=issued + timedelta(days=rng.randrange(0, 10)),
        form=form,
        zorgkantoor=PLACES[pupil.municipality].zorgkantoor if pupil.municipality else MIDDEN_BRABANT,
        pgb_percentage=100 if pgb and rng.random() < 0.5 else None,
        parents_agree=True if pgb else None,
    )


def _expired(current: Indication, number: int) -> Indication:
    """An earlier indication that the current one replaced."""
    ended = current.starts_on - timedelta(days=20)
    begun = ended - timedelta(days=365)
    return Indication(current.list_date, number, begun, begun, MPT, current.zorgkantoor, ends_on=ended)
