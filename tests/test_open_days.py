"""Open days of a school by hand, and against the counts of six real school years of region Zuid."""

import csv
import io
from datetime import date, timedelta
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.intake.files import deliver, rules, setup_sheets, xlsx_bytes
from tests.year_builder import DE_BODDE, LEIJPARK, SETTINGS, Year, sheet_row
from zio_pipeline.demo.calendar import PUBLISHED
from zio_pipeline.errors import SetupError
from zio_pipeline.open_days import (
    FEWEST_OPEN_DAYS,
    HOLIDAYS,
    MOST_OPEN_DAYS,
    OpenDays,
    WeekPart,
    open_days,
    open_days_or_region,
    region_holidays,
    week_of,
)
from zio_pipeline.school_year import SchoolYear, public_holidays
from zio_pipeline.settings import Settings, read_settings
from zio_pipeline.setup_checks import require_plausible_calendars


def settings(**changed: str) -> Settings:
    return read_settings([sheet_row("settings", key=key, value=value) for key, value in (SETTINGS | changed).items()])


def closed(first: str, last: str, school: str = LEIJPARK) -> dict:
    return {"school": school, "closed_from": date.fromisoformat(first), "closed_to": date.fromisoformat(last)}


SUMMER = closed("2026-07-11", "2026-08-23")


def test_a_school_is_open_on_working_days_that_its_calendar_does_not_close():
    days = open_days(settings(), [closed("2025-08-20", "2025-08-21"), SUMMER], LEIJPARK)
    assert days.days[:5] == tuple(date(2025, 8, day) for day in (18, 19, 22, 25, 26))
    assert days.days[-1] == date(2026, 7, 10)
    assert date(2025, 8, 18) in days
    assert date(2025, 8, 20) not in days, "closed by the calendar"
    assert date(2025, 8, 23) not in days, "a Saturday"
    assert date(2025, 12, 25) not in days, "a public holiday, also when the calendar does not name it"
    assert date(2025, 8, 15) not in days, "before the startdatum"


def test_counting_takes_both_ends_along():
    days = open_days(settings(), [closed("2025-08-20", "2025-08-21"), SUMMER], LEIJPARK)
    assert days.up_to(date(2025, 8, 17)) == 0
    assert days.up_to(date(2025, 8, 18)) == 1
    assert days.up_to(date(2025, 8, 24)) == 3
    assert days.between(date(2025, 8, 18), date(2025, 8, 22)) == 3
    assert days.between(date(2025, 8, 19), date(2025, 8, 19)) == 1
    assert days.between(date(2025, 8, 22), date(2025, 8, 18)) == 0
    assert days.up_to(date(2030, 1, 1)) == len(days)


def test_every_school_has_its_own_calendar():
    calendar = [SUMMER, closed("2026-07-18", "2026-08-23", DE_BODDE)]
    assert open_days(settings(), calendar, DE_BODDE).days[-1] == date(2026, 7, 17)
    assert open_days(settings(), calendar, LEIJPARK).days[-1] == date(2026, 7, 10)


def test_a_school_without_a_calendar_stops():
    with pytest.raises(SetupError, match=f"geen sluitingen van vestiging {DE_BODDE}"):
        open_days(settings(), [SUMMER], DE_BODDE)


def test_a_school_that_is_never_open_stops():
    with pytest.raises(SetupError, match="geen dag open"):
        open_days(settings(), [closed("2025-08-01", "2026-07-31")], LEIJPARK)


@pytest.mark.parametrize(
    ("first", "last_day", "count", "permille"),
    [
        (2022, "2023-07-14", 194, 387),
        (2023, "2024-07-05", 195, 410),
        (2024, "2025-07-04", 199, 427),
        (2025, "2026-07-10", 204, 417),
        (2026, "2027-07-23", 209, 383),
        (2027, "2028-07-21", 199, 377),
    ],
)
def test_real_years_count_what_was_counted_by_hand(first: int, last_day: str, count: int, permille: int):
    """Published holidays and the Friday after Ascension Day, before study days; the part up to 31 December, per mille."""
    table, year = PUBLISHED[first], SchoolYear(first)
    spans = [table.autumn, table.christmas, table.carnival, table.may, table.summer]
    ascension = next(d for d in sorted(public_holidays(first + 1)) if d.weekday() == 3 and d.month in (4, 5, 6))
    spans.append((ascension + timedelta(days=1), ascension + timedelta(days=1)))
    calendar = [{"school": LEIJPARK, "closed_from": a, "closed_to": b} for a, b in spans]
    changed = {"schooljaar": year.key, "startdatum": f"{table.start:%d-%m-%Y}", "peildatum": f"01-07-{first}"}
    rows = [sheet_row("settings", key=k, value=v, valid_from=year.first_day) for k, v in (SETTINGS | changed).items()]
    days = open_days(read_settings(rows), calendar, LEIJPARK)
    assert (days.days[0], days.days[-1], len(days)) == (table.start, date.fromisoformat(last_day), count)
    in_first_year = days.up_to(date(first, 12, 31))
    assert (2000 * in_first_year + count) // (2 * count) == permille


@given(st.sets(st.dates(date(2025, 8, 1), date(2026, 7, 31)), min_size=1), st.lists(st.dates(), min_size=1, max_size=9))
def test_stretches_that_follow_each_other_add_up_to_the_year(days: set[date], cuts: list[date]):
    found = OpenDays(LEIJPARK, tuple(sorted(days)))
    ends = [*sorted(cuts), date.max]
    starts = [date.min, *(cut + timedelta(days=1) if cut < date.max else cut for cut in ends[:-1])]
    assert sum(found.between(a, b) for a, b in zip(starts, ends, strict=True)) == len(found)


# --- weeks and months ---------------------------------------------------------------------------------------------------


def test_weeks_and_months_count_their_open_days():
    """Monday 29 September to Friday 3 October is one week in two months: two days in the one, three in the other."""
    days = open_days(settings(), [closed("2025-08-18", "2025-09-28"), closed("2025-10-11", "2026-07-31")], LEIJPARK)
    assert days.parts == (
        WeekPart("2025-09", "2025-W40", passed=0, days=2),
        WeekPart("2025-10", "2025-W40", passed=2, days=3),
        WeekPart("2025-10", "2025-W41", passed=5, days=5),
    )
    assert days.per_week == {"2025-W40": 5, "2025-W41": 5}
    assert days.per_month == {"2025-09": 2, "2025-10": 8}
    assert days.in_part("2025-10", "2025-W40") == 3
    assert days.in_part("2025-10", "2025-W42") == 0


def test_a_week_belongs_to_the_iso_year_of_its_thursday():
    assert [week_of(date(2025, 12, 28)), week_of(date(2025, 12, 29))] == ["2025-W52", "2026-W01"]
    assert [week_of(date(2027, 1, 3)), week_of(date(2027, 1, 4))] == ["2026-W53", "2027-W01"]


@given(st.sets(st.dates(date(2025, 8, 1), date(2026, 7, 31)), min_size=1))
def test_weeks_and_months_add_up_to_the_year(days: set[date]):
    found = OpenDays(LEIJPARK, tuple(sorted(days)))
    assert sum(found.per_week.values()) == sum(found.per_month.values()) == len(found)
    for part in found.parts:
        own = [day for day in found.days if (f"{day:%Y-%m}", f"{day:%G-W%V}") == (part.month, part.week)]
        assert (part.days, part.passed) == (len(own), found.up_to(min(own) - timedelta(days=1)))


# --- the holidays of the region -----------------------------------------------------------------------------------------


def row(first: str, last: str, kind: str = "holiday") -> dict:
    return closed(first, last) | {"kind": kind}


OWN_YEAR = [
    row("2025-08-01", "2025-08-17"),
    row("2025-10-11", "2025-10-19"),
    row("2025-12-20", "2026-01-04"),
    row("2026-02-07", "2026-02-15"),
    row("2026-04-18", "2026-05-03"),
    row("2026-07-11", "2026-08-23"),
]


@pytest.mark.parametrize(
    ("first", "count"), [(2022, 194), (2023, 195), (2024, 199), (2025, 204), (2026, 209), (2027, 199)]
)
def test_a_school_without_a_calendar_has_the_holidays_of_the_region(first: int, count: int):
    """The counts by hand leave out the Friday after Ascension Day, which is a school's own choice: one day more here."""
    year = SchoolYear(first)
    changed = {
        "schooljaar": year.key,
        "startdatum": f"{PUBLISHED[first].start:%d-%m-%Y}",
        "peildatum": f"01-07-{first}",
    }
    rows = [sheet_row("settings", key=k, value=v, valid_from=year.first_day) for k, v in (SETTINGS | changed).items()]
    days = open_days_or_region(read_settings(rows), [row("2025-10-01", "2025-10-01") | {"school": DE_BODDE}], LEIJPARK)
    friday = next(d for d in sorted(public_holidays(first + 1)) if d.weekday() == 3 and d.month in (4, 5, 6))
    in_may_holiday = PUBLISHED[first].may[0] <= friday <= PUBLISHED[first].may[1]
    assert len(days) == count + (0 if in_may_holiday else 1)


def test_what_the_school_states_goes_before_the_region():
    """A carnival week of its own takes the place of the spring holiday; study days and single days come beside it."""
    bare = open_days_or_region(settings(), [], LEIJPARK)
    assert date(2026, 2, 16) not in bare
    assert date(2026, 2, 9) in bare
    own = open_days_or_region(
        settings(),
        [
            row("2026-02-07", "2026-02-15"),
            row("2025-10-07", "2025-10-07", "study_day"),
            row("2026-05-15", "2026-05-15"),
        ],
        LEIJPARK,
    )
    assert date(2026, 2, 16) in own
    assert date(2026, 2, 9) not in own
    gone = set(bare.days) - set(own.days)
    carnival = {date(2026, 2, day) for day in range(9, 14)}
    assert gone == carnival | {date(2025, 10, 7), date(2026, 5, 15)}, "the long weekend in May takes no holiday's place"
    assert set(own.days) - set(bare.days) == {date(2026, 2, day) for day in range(16, 21)}


@pytest.mark.parametrize(
    "own",
    [
        ("2025-07-05", "2025-08-17"),
        ("2026-08-01", "2026-08-23"),
        ("2024-12-21", "2025-01-05"),
        ("2025-04-26", "2025-05-04"),
        ("2026-04-03", "2026-04-07"),
        ("2026-05-13", "2026-05-17"),
        ("2026-05-13", "2026-05-19"),
        ("2026-05-23", "2026-05-31"),
        ("2026-06-06", "2026-06-14"),
        ("2026-05-02", "2026-05-10"),
        ("2026-04-18", "2026-04-26"),
        ("2026-04-21", "2026-04-27"),
        ("2025-12-13", "2025-12-21"),
        ("2026-03-16", "2026-03-20"),
        ("2026-02-07", "2026-02-11"),
    ],
    ids=[
        "last summer",
        "the coming summer from August on",
        "last Christmas",
        "last May",
        "Goede Vrijdag up to and including Tuesday",
        "Hemelvaart from Wednesday to Sunday",
        "Hemelvaart of a week",
        "Pinksteren",
        "a week in June",
        "a second week in May, after it",
        "a second week in May, before it",
        "a week before it up to and including Koningsdag",
        "a week before Christmas",
        "more than three weeks after the spring holiday",
        "three days of carnival",
    ],
)
def test_a_closure_that_is_another_one_takes_no_holiday_away(own: tuple[str, str]):
    """All the holidays of the region stay closed; what the school states comes beside them."""
    bare, stated = open_days_or_region(settings(), [], LEIJPARK), row(*own)
    found = open_days_or_region(settings(), [stated], LEIJPARK)
    first, last = stated["closed_from"], stated["closed_to"]
    assert found.days == tuple(day for day in bare.days if not first <= day <= last)


@pytest.mark.parametrize(
    ("own", "holiday"),
    [
        (("2025-10-18", "2025-10-26"), "herfst"),
        (("2025-10-20", "2025-10-24"), "herfst"),
        (("2025-12-22", "2026-01-02"), "kerst"),
        (("2026-02-07", "2026-02-15"), "voorjaar"),
        (("2026-03-09", "2026-03-13"), "voorjaar"),
        (("2026-04-18", "2026-05-03"), "mei"),
        (("2026-04-29", "2026-05-10"), "mei"),
        (("2026-07-18", "2026-08-30"), "zomer"),
    ],
)
def test_a_closure_that_is_the_holiday_takes_its_place(own: tuple[str, str], holiday: str):
    """An advised holiday may lie in another week; the others share a weekday with that of the region."""
    found = open_days_or_region(settings(), [row(*own)], LEIJPARK)
    others = [
        {"school": LEIJPARK, **dict(zip(("closed_from", "closed_to"), days, strict=True))}
        for days in (region_holidays()["2025-2026", name] for name in HOLIDAYS if name != holiday)
    ]
    assert found == open_days(settings(), [row(*own), *others], LEIJPARK)


def test_a_study_week_or_a_public_holiday_is_no_holiday_of_the_school():
    bare = open_days_or_region(settings(), [], LEIJPARK)
    week = open_days_or_region(settings(), [row("2026-02-02", "2026-02-06", "study_day")], LEIJPARK)
    assert set(week.days) == set(bare.days) - {date(2026, 2, day) for day in range(2, 7)}


@given(st.lists(st.tuples(st.dates(date(2024, 8, 1), date(2027, 7, 31)), st.integers(1, 60)), max_size=6))
def test_what_the_law_fixes_is_closed_whatever_else_a_school_states(stated: list[tuple[date, int]]):
    """Some weekday of Christmas, May and summer is closed, and no day of the region opens but for a holiday of the school's own."""
    own = [closed(str(first), str(first + timedelta(days=n - 1))) | {"kind": "holiday"} for first, n in stated]
    try:
        found = open_days_or_region(settings(), own, LEIJPARK)
    except SetupError:
        return  # closed all year
    for name in ("kerst", "mei", "zomer"):
        first, last = region_holidays()["2025-2026", name]
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        assert any(day not in found for day in days if day.weekday() < 5 and day not in public_holidays(day.year))
        theirs = [one for one in own if one["closed_from"] <= last and first <= one["closed_to"]]
        assert theirs or found.between(first, last) == 0


def test_the_summer_before_the_school_year_is_not_the_summer_after_it():
    days = open_days_or_region(settings(), [row("2025-08-01", "2025-08-24")], LEIJPARK)
    assert (days.days[0], days.days[-1]) == (date(2025, 8, 25), date(2026, 7, 10))


def test_a_whole_calendar_of_its_own_needs_no_region(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("zio_pipeline.open_days.region_holidays", dict)
    assert open_days_or_region(settings(), OWN_YEAR, LEIJPARK) == open_days(settings(), OWN_YEAR, LEIJPARK)


@pytest.mark.parametrize("left_out", range(1, 6), ids=HOLIDAYS)
def test_in_a_year_the_table_does_not_know_every_holiday_is_asked_for(left_out: int, monkeypatch: pytest.MonkeyPatch):
    """Last summer and a week in June stand for none of them."""
    monkeypatch.setattr("zio_pipeline.open_days.region_holidays", dict)
    own = [
        *OWN_YEAR[:left_out],
        *OWN_YEAR[left_out + 1 :],
        row("2025-07-05", "2025-08-17"),
        row("2026-06-06", "2026-06-14"),
    ]
    with pytest.raises(SetupError, match=f"noemt de {HOLIDAYS[left_out - 1]}vakantie van vestiging {LEIJPARK} niet"):
        open_days_or_region(settings(), own, LEIJPARK)


def test_a_year_that_is_not_in_the_table_stops():
    year = SchoolYear(2031)
    changed = {"schooljaar": year.key, "startdatum": "25-08-2031", "peildatum": "01-07-2031"}
    rows = [sheet_row("settings", key=k, value=v, valid_from=year.first_day) for k, v in (SETTINGS | changed).items()]
    with pytest.raises(SetupError, match=r"herfstvakantie van vestiging 02ZX00 .*regio Zuid .* 2031-2032 niet bekend"):
        open_days_or_region(read_settings(rows), [], LEIJPARK)


def test_the_table_holds_every_holiday_of_the_years_it_knows_each_with_a_source():
    text = resources.files("zio_pipeline").joinpath("reference_data", "schoolvakanties_zuid.csv").read_text("utf-8")
    table = list(csv.DictReader(io.StringIO(text), delimiter=";", strict=True))
    assert [(r["school_year"], r["holiday"]) for r in table] == [
        (SchoolYear(year).key, name) for year in range(2022, 2028) for name in HOLIDAYS
    ]
    assert all(r["source"] for r in table)
    for (key, name), (first, last) in region_holidays().items():
        assert (first.weekday(), last.weekday()) == (5, 6), "from Saturday up to and including Sunday"
        assert SchoolYear.parse(key).contains(first)
        assert (last - first).days + 1 == {"kerst": 16, "zomer": 44}.get(name, 9)


def test_the_carnival_of_the_demo_is_the_spring_holiday_but_in_two_years():
    """Where they differ a Brabant school states its own week; elsewhere the generator and the table say the same."""
    for first, table in PUBLISHED.items():
        region = [region_holidays()[SchoolYear(first).key, name] for name in HOLIDAYS]
        same = [table.autumn, table.christmas, table.carnival, table.may, table.summer]
        differ = [name for name, a, b in zip(HOLIDAYS, region, same, strict=True) if a != b]
        assert differ == (["voorjaar"] if first in (2024, 2026) else [])


# --- what is not plausible ----------------------------------------------------------------------------------------------


CLOSURES = (
    ("13-02-2027", "21-03-2027", "vakantie", ["plausible_holiday"]),  # a spring of 37 days, as a feed had it
    ("18-04-2026", "10-05-2026", "vakantie", []),  # 23 days
    ("18-04-2026", "11-05-2026", "vakantie", ["plausible_holiday"]),
    ("01-07-2026", "31-08-2026", "vakantie", []),  # 62 days of summer
    ("01-07-2026", "01-09-2026", "vakantie", ["plausible_holiday"]),
    ("25-05-2026", "20-06-2026", "vakantie", ["plausible_holiday"]),  # begins before June
    ("01-08-2025", "17-08-2025", "vakantie", []),
    ("06-10-2025", "10-10-2025", "studiedag", []),
    ("06-10-2025", "11-10-2025", "studiedag", ["plausible_study_days"]),
    ("03-04-2026", "06-04-2026", "feestdag", []),
    ("03-04-2026", "07-04-2026", "feestdag", ["plausible_public_holiday"]),
    ("02-10-2025", "01-10-2025", "studiedag", ["closed_period"]),
)


def offered(*closures: tuple[str, str, str]) -> tuple[str, dict[int, list[str]]]:
    """A workbook with these closures: how it ends, and the rules each of them breaks."""
    names = ("vanaf", "tot en met", "soort")
    rows = [{"vestiging": LEIJPARK, "bron": "fictief", **dict(zip(names, one, strict=True))} for one in closures]
    delivery = deliver(xlsx_bytes(setup_sheets(calendar=rows)))
    return delivery.status, {number - 2: broken for number, broken in rules(delivery).items()}


def test_an_implausible_closure_is_refused_with_its_reason():
    status, broken = offered(*(closure[:3] for closure in CLOSURES))
    assert status == "refused"
    assert broken == {number: expected for number, (*_, expected) in enumerate(CLOSURES) if expected}


def test_the_holidays_of_the_region_are_plausible_themselves():
    spans = [(f"{first:%d-%m-%Y}", f"{last:%d-%m-%Y}", "vakantie") for first, last in region_holidays().values()]
    assert offered(*spans) == ("accepted", {})


# --- a calendar that cannot be right --------------------------------------------------------------------------------------


def judged(*closures: dict, **order: date) -> None:
    """A workbook with this calendar of Leijpark, as it is judged when it comes in."""
    year = Year()
    year.pupils(1)
    year.sheets["orders"][0] |= order
    for closure in closures:
        year.add("calendar", **closure)
    require_plausible_calendars(year.setup())


def test_a_closure_of_another_school_year_is_refused():
    """One that lies in it for a part, as last summer and the coming one do, is not; every row is named."""
    judged(row("2025-07-05", "2025-08-17"), row("2026-07-11", "2026-08-23"))
    judged(row("2025-07-28", "2025-08-01"), row("2026-07-31", "2026-08-04", "study_day"))
    with pytest.raises(SetupError) as refused:
        judged(row("2024-12-21", "2025-01-05"), row("2026-08-01", "2026-08-23"), row("2025-07-05", "2025-07-31"))
    assert str(refused.value).splitlines()[1:] == [
        f"- Blad 'kalender': de sluiting van {first} tot en met {last} van vestiging 02ZX00 ligt niet in schooljaar 2025-2026; "
        "verbeter het jaartal of laat de regel weg."
        for first, last in (("21-12-2024", "05-01-2025"), ("05-07-2025", "31-07-2025"), ("01-08-2026", "23-08-2026"))
    ]


@pytest.mark.parametrize(
    ("open_for", "plausible"),
    [
        (FEWEST_OPEN_DAYS - 1, False),
        (FEWEST_OPEN_DAYS, True),
        (204, True),
        (MOST_OPEN_DAYS, True),
        (MOST_OPEN_DAYS + 1, False),
    ],
)
def test_a_year_of_too_few_or_too_many_open_days_is_refused(open_for: int, plausible: bool):
    """All of them closed by one summer that begins on the day after the last; without the Friday after Hemelvaart a day more."""
    days = open_days(settings(), [*OWN_YEAR[1:-1], row("2026-07-31", "2026-08-23")], LEIJPARK).days
    assert len(days) > MOST_OPEN_DAYS + 1
    summer = row(str(days[open_for]), "2026-08-23")
    assert len(open_days(settings(), [*OWN_YEAR[1:-1], summer], LEIJPARK)) == open_for
    if plausible:
        judged(*OWN_YEAR[1:-1], summer)
    else:
        with pytest.raises(
            SetupError, match=rf"02ZX00 zou in 2025-2026 op {open_for} dagen open zijn, van 18-08-2025 tot en met"
        ):
            judged(*OWN_YEAR[1:-1], summer)


@pytest.mark.parametrize("first", PUBLISHED)
def test_every_real_year_is_plausible_with_and_without_study_days(first: int):
    """By hand the fewest are 194 and the most 209; a second week in May and ten study days take some fifteen."""
    assert all(FEWEST_OPEN_DAYS <= days <= MOST_OPEN_DAYS for days in (194 - 15, 209 + 1))
    year = SchoolYear(first)
    dates = {"schooljaar": year.key, "startdatum": f"{PUBLISHED[first].start:%d-%m-%Y}", "peildatum": f"01-07-{first}"}
    region = open_days_or_region(
        read_settings(
            [sheet_row("settings", key=k, value=v, valid_from=year.first_day) for k, v in (SETTINGS | dates).items()]
        ),
        [],
        LEIJPARK,
    )
    assert FEWEST_OPEN_DAYS <= len(region) <= MOST_OPEN_DAYS


def test_a_school_that_leaves_a_holiday_to_an_unknown_region_is_not_judged(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("zio_pipeline.open_days.region_holidays", dict)
    monkeypatch.setattr("zio_pipeline.setup_checks.region_holidays", dict)
    judged()
    judged(row("2025-10-07", "2025-10-07", "study_day"))
    with pytest.raises(SetupError, match="geen dag open"):
        judged(*OWN_YEAR, row("2025-08-01", "2026-07-31"))


def test_an_order_that_holds_on_no_open_day_is_refused():
    """It ends on the startdatum, and the school opens a week later."""
    with pytest.raises(SetupError, match=r"Opdracht LP geldt op geen enkele dag waarop vestiging 02ZX00 open is"):
        judged(row("2025-08-01", "2025-08-24"), valid_to=date(2025, 8, 18))
