"""The fictitious children: numbers that pass the public checks, ages that fit a school, homes that exist."""

import random
import re
from collections import Counter
from datetime import date

import stdnum.nl.bsn
import stdnum.nl.onderwijsnummer
from hypothesis import given
from hypothesis import strategies as st

from tests.demo.conftest import Made
from tests.demo.raw import Row, pupils_of, wlz_of
from zio_pipeline.demo.people import random_bsn, random_onderwijsnummer
from zio_pipeline.demo.places import LEIJPARK, PLACES, STAY_POSTCODES
from zio_pipeline.reference import municipalities

START, PEILDATUM = date(2025, 8, 18), date(2025, 7, 1)


@given(st.integers())
def test_numbers_pass_the_public_checks(seed: int):
    rng = random.Random(seed)
    bsn, number = random_bsn(rng), random_onderwijsnummer(rng)
    assert stdnum.nl.bsn.is_valid(bsn)
    assert stdnum.nl.onderwijsnummer.is_valid(number)
    assert not stdnum.nl.bsn.is_valid(number)
    assert bsn.startswith("9")
    assert max(Counter(bsn).values()) < 5


def test_every_pupil_has_a_number_of_its_own(full: Made):
    own = set(full.year.planted["onderwijsnummer"])
    rows = pupils_of(full.folder)
    numbers = {row["pupil"] for row in rows}
    assert all(stdnum.nl.bsn.is_valid(number) for number in numbers - own)
    assert len(own) == 1
    assert own < numbers
    assert len(numbers) == full.year.counts["pupils"] + full.year.counts["pupils_not_placed"]
    assert len(rows) == len(numbers) + len(full.year.planted["double_placement"])


def test_ages_fit_the_schools(full: Made):
    ages = Counter(age(row) for row in pupils_of(full.folder))
    assert min(ages) == 4
    assert 18 <= max(ages) <= 19
    assert max(ages.values()) < 0.15 * ages.total()


def test_whoever_is_18_has_wlz_or_is_planted(full: Made):
    with_wlz = {row["pupil"] for row in wlz_of(full.folder)}
    adults = {row["pupil"] for row in pupils_of(full.folder) if age(row) >= 18}
    assert adults - with_wlz == set(full.year.planted["adult"])


def test_names_are_made_up_and_carry_accents(full: Made):
    rows = pupils_of(full.folder)
    names = {f"{row['roepnaam']} {row['achternaam']}" for row in rows}
    assert len(names) > 300
    assert sum(bool(re.search("[éüëïö’]", name)) for name in names) > 100


def test_postcodes_lie_in_the_municipality_that_the_file_names(full: Made):
    named = {place.name.casefold(): place for place in PLACES.values()}
    checked = 0
    for row in pupils_of(full.folder):
        code = re.sub(r"^GM", "", row["municipality"])
        place = PLACES.get(code) or named.get(row["municipality"].casefold())
        if place and row["postcode"] and row["pupil"] not in full.year.planted["verblijf"]:
            checked += 1
            assert int(row["postcode"][:4]) in place.postcodes
            assert not row["postcode"].endswith(("SA", "SD", "SS"))
            assert row["postcode"].replace(" ", "") not in STAY_POSTCODES
    assert checked > 950


def test_every_stated_municipality_is_one_on_the_peildatum(full: Made):
    for row in pupils_of(full.folder):
        if row["municipality"]:
            resolved = municipalities().resolve(
                row["municipality"], PEILDATUM, row["postcode"].replace(" ", "") or None
            )
            assert resolved.code in PLACES


def test_zorgkantoor_follows_the_municipality(full: Made):
    homes = {row["pupil"]: row for row in pupils_of(full.folder)}
    elsewhere = 0
    for row in wlz_of(full.folder):
        home = municipalities().resolve(homes[row["pupil"]]["municipality"], PEILDATUM, None).code
        assert row["responsible_zorgkantoor"] == PLACES[home].zorgkantoor
        elsewhere += row["responsible_zorgkantoor"] != "5527"
    assert elsewhere


def test_origin_is_that_of_the_schools(full: Made):
    homes = Counter(
        municipalities().resolve(row["municipality"], PEILDATUM, row["postcode"].replace(" ", "") or None).code
        for row in pupils_of(full.folder)
        if row["municipality"] and row["school"] == LEIJPARK
    )
    assert 0.50 < homes["0855"] / homes.total() < 0.60
    assert homes["0824"] > homes["0785"] > homes["0798"]


def age(row: Row) -> int:
    born = date.fromisoformat(row["birth_date"])
    return START.year - born.year - ((START.month, START.day) < (born.month, born.day))
