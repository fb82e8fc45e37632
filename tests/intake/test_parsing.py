"""Texts to values, kind by kind: what is read, what is refused, and nothing lenient in between."""

import random
from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.nl import bsn, onderwijsnummer

from zio_pipeline.contracts import KINDS, Column, sources
from zio_pipeline.intake.parsing import UNITS, connect, prepare_sql, value_sql

Parse = Callable[[Column, list[str]], list[object]]


@pytest.fixture(scope="module")
def parse() -> Iterator[Parse]:
    """Read texts as cells of a column."""
    with connect() as database:

        def run(of: Column, texts: list[str]) -> list[object]:
            sql = f"""with numbered as (select unnest(range(len($texts))) as i, unnest($texts) as t),
                prepared as (select i, {prepare_sql(of, "clean(t)")} as p from numbered)
                select {value_sql(of, "p")} from prepared order by i"""
            return [value for (value,) in database.execute(sql, {"texts": texts}).fetchall()]

        yield run


def column(kind: str, allowed: tuple[tuple[str, str], ...] = ()) -> Column:
    return Column("c", "c", kind, KINDS[kind], "", "internal", False, 0, None, None, None, (), allowed, None)


MONTHS = (
    *("januari", "februari", "maart", "april", "mei", "juni", "juli"),
    *("augustus", "september", "oktober", "november", "december"),
)

READ: dict[str, dict[str, object]] = {
    "text": {
        "  Van der\t Berg ": "Van der Berg",
        "Cafe\u0301": "Café",
        "a\u00a0\u2009b": "a b",
        "a\u200bb": "ab",
        "": None,
    },
    "code": {"SO 1": "SO 1", "5": "5"},
    "pgn": {
        "123456782": "123456782",
        "1234.56.782": "123456782",
        "12345672": "012345672",
        " 123 456 782 ": "123456782",
        "101222331": "101222331",
        "999990007": "999990007",
    },
    "brin": {
        **{"02ZX 0": "02ZX00", "00 02ZX": "02ZX00", "02ZX 02ZX00": "02ZX00"},
        "02ZX00": "02ZX00",
        "02zx00": "02ZX00",
        "2ZX00": "02ZX00",
        "02ZX 00": "02ZX00",
        "02ZX-00": "02ZX00",
    },
    "agb": {"06012345": "06012345", "6012345": "06012345"},
    "municipality": {"Tilburg": "Tilburg", " 's-Hertogenbosch ": "'s-Hertogenbosch", "855": "855"},
    "payer": {"855": "0855", "5527": "5527", "SWV-3003": "SWV-3003"},
    "gemeentecode": {"0855": "0855", "855": "0855", "GM0855": "0855", "gm 855": "0855"},
    "zorgkantoor": {"5501": "5501", "5527": "5527", "5533": "5533"},
    "postcode": {"5022KE": "5022KE", "5022 ke": "5022KE"},
    "month": {"2025-09": "2025-09", "2025-09-01": "2025-09"},
    "school_year": {
        **{"2025-2026": "2025-2026", "2025/2026": "2025-2026", "2025-26": "2025-2026"},
        **{"2025 – 2026": "2025-2026"},
    },
    "date": {
        **{"01-09-2025": date(2025, 9, 1), "1-9-2025": date(2025, 9, 1), "1/9/2025": date(2025, 9, 1)},
        **{"01.09.2025": date(2025, 9, 1), "2025-09-01": date(2025, 9, 1), "2025-09-01T00:00:00": date(2025, 9, 1)},
        **{"01-09-2025 0:00": date(2025, 9, 1), "45901": date(2025, 9, 1), "29-02-2024": date(2024, 2, 29)},
        **{"1-9-25": date(2025, 9, 1), "01-09-49": date(2049, 9, 1), "1/9/90": date(1990, 9, 1)},
        **{"1 september 2025": date(2025, 9, 1), "1 sep. 2025": date(2025, 9, 1), "1-sep-25": date(2025, 9, 1)},
        **{"ma 1 sept 2025": date(2025, 9, 1), "Maandag 1 September 2025": date(2025, 9, 1)},
        **{f"2 {m} 2025": date(2025, n, 2) for n, m in enumerate(MONTHS, 1)},
        **{f"2-{m[:3]}-25": date(2025, n, 2) for n, m in enumerate(MONTHS, 1) if n != 3},
        **{"2-mrt-25": date(2025, 3, 2), "2 mrt. 2025": date(2025, 3, 2), "29 feb 2024": date(2024, 2, 29)},
        **{"20000": date(1954, 10, 3), "79999": date(2119, 1, 10), "31-12-9999": date(9999, 12, 31)},
    },
    "integer": {"12": 12, "1.234": 1234, "1.234.567": 1234567, "-3": -3, "007": 7},
    "hours": {"7,5": 750, "7.5": 750, "7,25": 725, "30": 3000, "-1": -100},
    "euro": {
        **{
            "1.234,56": 123456,
            "1234,56": 123456,
            "1234.56": 123456,
            "€ 62,50": 6250,
            "€62,5": 6250,
            "250000": 25000000,
        },
        **{"1.234": 123400, "1.234.567": 123456700, "1.23": 123, "250.000,-": 25000000, "-5": -500, "-€ 5,00": -500},
        **{"EUR 12": 1200, "9999999999999,99": 999999999999999},
    },
    "minutes": {"450": 450, "0": 0},
    "time": {
        **{"8:05": 485, "08:05": 485, "23:59": 1439, "00:00": 0, "08:05:00": 485},
        **{"8u05": 485, "8:05 uur": 485, "8.05 uur": 485, "8:05u": 485, "0,375": 540, "0,336805555555556": 485},
    },
    "boolean": {
        **dict.fromkeys(("ja", "Ja", "J", "yes", "Y", "true", "WAAR", "1"), True),
        **dict.fromkeys(("nee", "NEE", "n", "no", "false", "onwaar", "0"), False),
    },
}

REFUSED: dict[str, list[str]] = {
    "text": ["#N/B", "#N/A", "#VERW!", "#REF!", "########"],
    "code": ["#DEEL/0!", "#NAAM?"],
    "pgn": ["123456789", "000000000", "1234567", "1234567890", "12345678A", "١٢٣٤٥٦٧٨٢", "111222333x", "-"],
    "brin": ["02ZX", "002ZX00", "ZX0200", "02ZX0", "02E+00"],
    "agb": ["123456", "123456789", "0601234A"],
    "municipality": ["#N/B"],
    "payer": ["#N/B"],
    "gemeentecode": ["0000", "08550", "Tilburg", "GM", "-855"],
    "zorgkantoor": ["5500", "5522", "5534", "527", "05527"],
    "postcode": ["0022KE", "5022", "5022SA", "5022SD", "5022SS", "5022K1", "5022KEX"],
    "month": ["2025-13", "09-2025", "2025-9", "2025-09-02"],
    "school_year": ["2025-2027", "2025", "2025-2025", "25-26", "2025-2026-2027", "1999-2000"],
    "date": [
        *("1-9-50", "1-9-89", "31 feb 2025", "0 mei 2025", "2 foo 2025", "2 mei", "mei 2025", "2-mei-5"),
        *("31-02-2025", "29-02-2025", "2025-13-01", "32-01-2025", "00-01-2025", "19999", "80000", "45901,5"),
        *(
            "01-09-2025 12:00",
            "2025-09-01T10:00:00",
            "20250901",
            "2025-9-1",
            "01-09-0202",
            "vandaag",
        ),
    ],
    "integer": ["1.5", "1,0", "0x1F", "1e3", "12 34", "1.23", "", "9999999999999999", "0.123", "een", "1.2345"],
    "hours": ["7,333", "7:30", "7,", ",5", "1.234,5", "0.3125", "7u"],
    "euro": ["1,234", "1,234.56", "1.2345", "0.123", "12 50", "62,505", "€", "1e5", "1.23.45", "12,5-", "--5"],
    "minutes": ["7,5", "-90", "1.000", "7:30"],
    "time": ["24:00", "8", "8.05", "8,5", "0,5", "08:60", "08:05:30", "8:5", "33:00", "0,3334", "8 uur"],
    "boolean": ["x", "-", "misschien", "2", "ja nee", "01"],
}


IN_UNIT: dict[str, dict[str, int]] = {
    "clock": {"7:30": 450, "07:30:00": 450, "7u30": 450, "7:30 uur": 450, "25:15": 1515, "0:00": 0},
    "hours": {
        **{"7,5": 750, "7.5": 750, "8": 800, "0,33": 33, "7,5 uur": 750, "7 u": 700, "0,25": 25, "24": 2400, "0": 0},
        **{"15": 1500, "12": 1200},
    },
    "minutes": {"450": 450, "25": 25, "15": 15, "24": 24, "1440": 1440, "8 min": 8, "450 minuten": 450, "30 min.": 30},
    "fraction": {"0,3125": 450, "0.3125": 450, ",3125": 450, "0,347222222222222": 500, "0,25": 360, "0,375": 540},
}
"""The same text may be read in more than one unit: that is why a column settles its own."""

NO_DURATION = ["7:60", "-1,5", "-1:30", "7:30:15", "7,333", ":30", "0,3334", "24,01", "acht", "7;30", "1.440"]


def test_every_kind_is_tested() -> None:
    assert set(READ) == set(REFUSED) == set(KINDS) - {"duration"}
    assert set(IN_UNIT) == set(UNITS)


@pytest.mark.parametrize("unit", IN_UNIT)
def test_a_duration_is_read_in_the_unit_of_its_column(unit: str) -> None:
    """Minutes, in hours: hundredths of an hour. What is not of the unit is not read in it."""
    everything = {text for forms in IN_UNIT.values() for text in forms} | set(NO_DURATION)
    with connect() as database:
        sql = f"select t, duration_{unit}(prepare_duration(clean(t))) from (select unnest($texts) as t)"
        found = dict(database.execute(sql, {"texts": sorted(everything)}).fetchall())
    assert {text: value for text, value in found.items() if value is not None} == IN_UNIT[unit]


@pytest.mark.parametrize("kind", READ)
def test_read(parse: Parse, kind: str) -> None:
    texts = list(READ[kind])
    assert dict(zip(texts, parse(column(kind), texts), strict=True)) == READ[kind]


@pytest.mark.parametrize("kind", REFUSED)
def test_refused(parse: Parse, kind: str) -> None:
    texts = REFUSED[kind]
    assert dict(zip(texts, parse(column(kind), texts), strict=True)) == dict.fromkeys(texts)


def test_a_closed_list_takes_value_and_label_in_any_case(parse: Parse) -> None:
    activity = sources()["provider_timesheets"].datasets[0].column("activity")
    assert parse(activity, ["direct", "Reistijd", "TRAVEL", " scholing ", "reis", ""]) == [
        *("direct", "travel", "travel", "training"),
        *(None, None),
    ]


def test_no_label_of_a_closed_list_means_two_values() -> None:
    for contract in sources().values():
        for dataset in contract.datasets:
            for of in dataset.columns:
                words: dict[str, str] = {}
                for value, label in of.allowed:
                    assert words.setdefault(value.lower(), value) == value, (dataset.name, of.name)
                    assert words.setdefault(label.lower(), value) == value, (dataset.name, of.name)


def test_pgn_agrees_with_stdnum(parse: Parse) -> None:
    """Differential: ours is vectorised and strict, theirs one by one and lenient; over digits they must agree."""
    rng = random.Random(20252026)
    numbers = [f"{rng.randrange(10**9):09d}" for _ in range(6_000)]
    numbers += [f"10{rng.randrange(10**7):07d}" for _ in range(6_000)] + ["000000000", "000000012", "100000009"]
    ours = [value is not None for value in parse(column("pgn"), numbers)]
    theirs = [bsn.is_valid(number) or onderwijsnummer.is_valid(number) for number in numbers]
    assert ours == theirs
    assert 1_000 < sum(ours) < 3_000


@settings(max_examples=20)
@given(cents=st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=50))
def test_every_way_to_write_an_amount_gives_its_cents(parse: Parse, cents: list[int]) -> None:
    texts = []
    for value in cents:
        sign, (euros, rest) = "-" if value < 0 else "", divmod(abs(value), 100)
        dotted = f"{euros:,}".replace(",", ".")
        texts += [
            f"{sign}{dotted},{rest:02d}",
            f"{sign}{euros},{rest:02d}",
            f"{sign}{euros}.{rest:02d}",
            f"€ {sign}{dotted},{rest:02d}",
        ]
    assert parse(column("euro"), texts) == [value for value in cents for _ in range(4)]


@settings(max_examples=20)
@given(days=st.lists(st.integers(0, 100_000), min_size=1, max_size=50))
def test_every_way_to_write_a_day_gives_that_day(parse: Parse, days: list[int]) -> None:
    dates = [date(1900, 1, 1) + timedelta(days=day) for day in days]
    texts = [text for d in dates for text in (d.isoformat(), f"{d:%d-%m-%Y}", f"{d.day}/{d.month}/{d.year}")]
    assert parse(column("date"), texts) == [d for d in dates for _ in range(3)]


@settings(max_examples=5)
@given(texts=st.lists(st.text() | st.text("0123456789.,:-/€ ", max_size=10), min_size=50, max_size=200))
def test_no_text_makes_a_parser_stop(parse: Parse, texts: list[str]) -> None:
    for kind in READ:
        assert len(parse(column(kind), texts)) == len(texts)
    with connect() as database:
        for unit in UNITS:
            sql = f"select duration_{unit}(prepare_duration(clean(t))) from (select unnest($texts) as t)"
            assert len(database.execute(sql, {"texts": texts}).fetchall()) == len(texts)
