"""One school, three classes, five weeks: every cell of the hours worked out by hand. Everything in it is fictief.

The school year is 2023-2024, which for this school begins on Monday 29 January and ends on Friday 1 March 2024, a leap year. Week 7
is its carnival holiday, Wednesday 21 February a study day; weeks 5 and 9 lie in two months. That leaves 19 open days:

    week 5: 29 30 31 January, 1 2 February      week 6: 5 6 7 8 9 February      week 8: 19 20 22 23 February
    week 9: 26 27 28 29 February, 1 March

EMB1 has 10 hours a week for 4 weeks: 2400 minutes. Up to and including day k floor(2400 k / 19) minutes are planned: 378 after day
3, 631 after 5, 1263 after 10, 1768 after 14, 2273 after 18, 2400 after 19. MG1 has 2,5 hours a week, 600 minutes: 94, 157, 315,
442, 568, 600. VMBO1 has no hours.
"""

from datetime import date

import pytest

from tests.hours.timesheets import line, timesheet
from tests.year_builder import AMARANT, LEIJPARK, SIZA, Year
from zio_pipeline.hours.delivery import MEASURES, delivery_control, delivery_summary
from zio_pipeline.hours.lines import Timesheet, lines
from zio_pipeline.open_days import OpenDays, open_days_or_region
from zio_pipeline.setup import SchoolYearSetup

JAN, FEB, MAR = "2024-01", "2024-02", "2024-03"
W5, W6, W7, W8, W9 = (f"2024-W0{week}" for week in (5, 6, 7, 8, 9))


def january(day: int) -> date:
    return date(2024, 1, day)


def february(day: int) -> date:
    return date(2024, 2, day)


@pytest.fixture(scope="module")
def setup() -> SchoolYearSetup:
    year = Year(empty=True, schooljaar="2023-2024", startdatum="29-01-2024", peildatum="01-07-2023")
    year.order("LP", weeks=4)
    for group, hours in (("EMB", 10_00), ("MG", 2_50), ("VMBO", 0)):
        year.doelgroep("LP", group, hours)
        year.school_class(f"{group}1", doelgroep=group)
    closed = {"school": LEIJPARK, "kind": "holiday"}
    year.add("calendar", **closed, closed_from=february(10), closed_to=february(18), description="carnaval")
    year.add("calendar", **closed | {"kind": "study_day"}, closed_from=february(21), closed_to=february(21))
    year.add("calendar", **closed, closed_from=date(2024, 3, 2), closed_to=date(2024, 7, 31))
    year.add(
        "class_names",
        school=LEIJPARK,
        class_code="EMB1a",
        established_class_code="EMB1",
        valid_from=february(26),
    )
    for rows in year.sheets.values():
        for row in rows:
            if row.get("valid_from") == date(2025, 8, 1):
                row["valid_from"] = date(2023, 8, 1)
    return year.setup()


@pytest.fixture(scope="module")
def days(setup: SchoolYearSetup) -> OpenDays:
    return open_days_or_region(setup.settings, setup.sheets["calendar"], LEIJPARK)


SHEETS = (
    timesheet(
        "januari",
        line(january(29), begin_minute=9 * 60, end_minute=12 * 60 + 15, pause_minutes=15),  # 180
        line(january(30), 240, employee="e2"),
        line(january(31), None, "MG1", employee="e3", stated_minutes=60, activity="travel"),
    ),
    timesheet(
        "februari",
        line(february(1), 300),
        line(february(2), 120, employee="e2", approved_on=None),
        # e3 is in two classes at once, between half past nine and ten: a signal, both count.
        line(february(5), None, "MG1", employee="e3", begin_minute=540, end_minute=600),
        line(february(5), None, "EMB1", employee="e3", begin_minute=570, end_minute=630),
        # The same line twice: a signal, both count.
        line(february(6), 300),
        line(february(6), 300),
        # In the carnival holiday, and on a Saturday.
        line(february(14), 90),
        line(february(17), 45, employee="e2", activity="indirect"),
        line(february(19), 120, "MG1", employee="e3"),
        line(february(20), 30, "MG1", employee="e3", activity="training", approved_on=None),
        line(february(22), 75, "VMBO1", employee="e4"),
        line(february(23), 50, "EMB-00"),
        # A name that the class got a week later.
        line(february(20), 15, "EMB1a"),
        # Two employees with the whole group.
        line(february(26), 60, employee="e1"),
        line(february(26), 60, employee="e2"),
        line(february(29), 200, "EMB1a"),
    ),
    timesheet("amarant", line(february(23), 25, provider=AMARANT)),
    timesheet("maart", line(date(2024, 3, 1), 100, "EMB1a", approved_on=None)),
)

#                                    open  plan delivered provisional indirect travel training excluded
CELLS = {
    (JAN, W5, "EMB1", SIZA):         (3, 378, 420,   0,  0,  0,  0,  0),
    (JAN, W5, "MG1", SIZA):          (3,  94,   0,   0,  0, 60,  0,  0),
    (FEB, W5, "EMB1", SIZA):         (2, 253, 300, 120,  0,  0,  0,  0),
    (FEB, W5, "MG1", SIZA):          (2,  63,   0,   0,  0,  0,  0,  0),
    (FEB, W6, "EMB1", SIZA):         (5, 632, 660,   0,  0,  0,  0,  0),
    (FEB, W6, "MG1", SIZA):          (5, 158,  60,   0,  0,  0,  0,  0),
    (FEB, W7, "EMB1", SIZA):         (0,   0,  90,   0, 45,  0,  0,  0),
    (FEB, W8, "EMB-00", SIZA):       (4,   0,   0,   0,  0,  0,  0, 50),
    (FEB, W8, "EMB1", SIZA):         (4, 505,   0,   0,  0,  0,  0,  0),
    (FEB, W8, "EMB1", AMARANT):      (4,   0,   0,   0,  0,  0,  0, 25),
    (FEB, W8, "EMB1a", SIZA):        (4,   0,   0,   0,  0,  0,  0, 15),
    (FEB, W8, "MG1", SIZA):          (4, 127, 120,   0,  0,  0, 30,  0),
    (FEB, W8, "VMBO1", SIZA):        (4,   0,  75,   0,  0,  0,  0,  0),
    (FEB, W9, "EMB1", SIZA):         (4, 505, 320,   0,  0,  0,  0,  0),
    (FEB, W9, "MG1", SIZA):          (4, 126,   0,   0,  0,  0,  0,  0),
    (MAR, W9, "EMB1", SIZA):         (1, 127,   0, 100,  0,  0,  0,  0),
    (MAR, W9, "MG1", SIZA):          (1,  32,   0,   0,  0,  0,  0,  0),
}  # fmt: skip

#                                             planned delivered provisional per mille
SUMS = {
    ("class", "02ZX00 / EMB1", W5):           (631,   720, 120, 1141),  # 1141,04
    ("class", "02ZX00 / EMB1", W7):           (0,      90,   0, None),
    ("class", "02ZX00 / EMB1", FEB):          (1895, 1370, 120, 723),   # 722,96
    ("class", "02ZX00 / EMB1", MAR):          (127,     0, 100, 0),
    ("class", "02ZX00 / EMB1", "2023-2024"):  (2400, 1790, 220, 746),   # 745,83
    ("doelgroep", "LP / EMB", "2023-2024"):   (2400, 1790, 220, 746),
    ("doelgroep", "LP / MG", "2023-2024"):    (600,   180,   0, 300),
    ("doelgroep", "LP / VMBO", "2023-2024"):  (0,      75,   0, None),
    ("school", "02ZX00", W9):                 (790,   320, 100, 405),   # 405,06
    ("school", "02ZX00", "2023-2024"):        (3000, 2045, 220, 682),   # 681,67
    ("provider", SIZA, JAN):                  (472,   420,   0, 890),   # 889,83
    ("provider", SIZA, "2023-2024"):          (3000, 2045, 220, 682),
    ("order", "LP", "2023-2024"):             (3000, 2045, 220, 682),
}  # fmt: skip


def control(setup: SchoolYearSetup, days: OpenDays, sheets: tuple[Timesheet, ...] = SHEETS) -> list[dict[str, object]]:
    with lines(sheets, setup, setup.class_names) as connection:
        return delivery_control(connection, setup, {LEIJPARK: days})


def test_the_open_days_are_those_of_the_calendar(days: OpenDays) -> None:
    assert len(days) == 19
    assert days.per_week == {W5: 5, W6: 5, W8: 4, W9: 5}
    assert days.per_month == {JAN: 3, FEB: 15, MAR: 1}


def test_every_cell_of_the_control(setup: SchoolYearSetup, days: OpenDays) -> None:
    found = {
        (row["month"], row["week"], row["class_code"], row["provider"]): (
            row["open_days"],
            *(row[measure] for measure in MEASURES),
        )
        for row in control(setup, days)
    }
    assert found == CELLS


def test_a_row_names_the_doelgroep_and_order_of_the_established_class(setup: SchoolYearSetup, days: OpenDays) -> None:
    found = {(row["class_code"], row["doelgroep"], row["order_id"], row["school"]) for row in control(setup, days)}
    assert found == {
        ("EMB1", "EMB", "LP", LEIJPARK),
        ("MG1", "MG", "LP", LEIJPARK),
        ("VMBO1", "VMBO", "LP", LEIJPARK),
        ("EMB-00", None, None, LEIJPARK),
        ("EMB1a", None, None, LEIJPARK),
    }


def test_the_sums_per_week_month_and_year(setup: SchoolYearSetup, days: OpenDays) -> None:
    summary = delivery_summary(control(setup, days))
    found = {
        (row["level"], row["subject"], row["period"]): tuple(
            row[name] for name in ("planned_minutes", "delivered_minutes", "provisional_minutes", "ratio_permille")
        )
        for row in summary
    }
    assert {key: found.get(key) for key in SUMS} == SUMS
    subjects = {(row["level"], row["subject"], row["school"]) for row in summary}
    assert subjects == {
        *(("class", f"02ZX00 / {c}1", LEIJPARK) for c in ("EMB", "MG", "VMBO")),
        *(("doelgroep", f"LP / {c}", LEIJPARK) for c in ("EMB", "MG", "VMBO")),
        ("school", LEIJPARK, LEIJPARK),
        ("provider", SIZA, None),
        ("order", "LP", LEIJPARK),
    }, "what is outside every order proves nothing for anybody"


def test_one_month_has_its_own_rows_only(setup: SchoolYearSetup, days: OpenDays) -> None:
    with lines(SHEETS[1:3], setup, setup.class_names) as connection:
        rows = delivery_control(connection, setup, {LEIJPARK: days}, FEB)
    assert rows == [row for row in control(setup, days) if row["month"] == FEB]


def test_without_a_name_for_it_a_renamed_class_is_in_no_order(setup: SchoolYearSetup, days: OpenDays) -> None:
    with lines(SHEETS, setup) as connection:
        rows = delivery_control(connection, setup, {LEIJPARK: days})
    assert sum(row["excluded_minutes"] for row in rows if row["class_code"] == "EMB1a") == 15 + 200 + 100
