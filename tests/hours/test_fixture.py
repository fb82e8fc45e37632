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
from operator import itemgetter

import pytest

from tests.hours.timesheets import line, timesheet
from tests.year_builder import AMARANT, LEIJPARK, SIZA, Year
from zio_pipeline.hours.delivery import MEASURES, delivery_control, delivery_summary
from zio_pipeline.hours.faces import fixed_faces, presence
from zio_pipeline.hours.lines import Timesheet, lines
from zio_pipeline.hours.missing import handed_in, missing_statements
from zio_pipeline.hours.signals import line_signals
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
    (FEB, W8, "EMB1", SIZA):         (4, 505,   0,   0,  0,  0,  0,  0),
    (FEB, W8, "EMB1", AMARANT):      (4,   0,   0,   0,  0,  0,  0, 25),
    (FEB, W8, "EMB1a", SIZA):        (4,   0,   0,   0,  0,  0,  0, 15),
    (FEB, W8, "MG1", SIZA):          (4, 127, 120,   0,  0,  0, 30,  0),
    (FEB, W8, "VMBO1", SIZA):        (4,   0,  75,   0,  0,  0,  0,  0),
    (FEB, W8, "onbekend", SIZA):     (4,   0,   0,   0,  0,  0,  0, 50),
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
        ("onbekend", None, None, LEIJPARK),
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
        # What is in no order proves nothing for anybody; it stands apart.
        *(("class", f"02ZX00 / {code}", LEIJPARK) for code in ("EMB1a", "onbekend")),
        *((level, "geen opdracht", None) for level in ("doelgroep", "order")),
        ("provider", AMARANT, None),
    }


def test_one_month_has_its_own_rows_only(setup: SchoolYearSetup, days: OpenDays) -> None:
    with lines(SHEETS[1:3], setup, setup.class_names) as connection:
        rows = delivery_control(connection, setup, {LEIJPARK: days}, FEB)
    assert rows == [row for row in control(setup, days) if row["month"] == FEB]


def test_without_a_name_for_it_a_renamed_class_is_unknown(setup: SchoolYearSetup, days: OpenDays) -> None:
    with lines(SHEETS, setup) as connection:
        rows = delivery_control(connection, setup, {LEIJPARK: days})
    assert {row["class_code"] for row in rows} == {"EMB1", "MG1", "VMBO1", "onbekend"}
    assert sum(row["excluded_minutes"] for row in rows if row["class_code"] == "onbekend") == 50 + 15 + 200 + 100


#                                                               severity   lines minutes rows
SIGNALS = {
    ("duplicate_line", FEB, W6, "EMB1", SIZA):                  ("serious", 2, 300, "februari:6, februari:7"),
    ("outside_open_days", FEB, W7, "EMB1", SIZA):               ("warning", 1,  90, "februari:8"),
    ("provider_without_order", FEB, W8, "EMB1", AMARANT):       ("serious", 1,  25, "amarant:2"),
    ("two_classes_at_once", FEB, W6, "EMB1", SIZA):             ("serious", 1,  30, "februari:5"),
    ("two_classes_at_once", FEB, W6, "MG1", SIZA):              ("serious", 1,  30, "februari:4"),
    ("unknown_class", FEB, W8, "EMB1a", SIZA):                  ("serious", 1,  15, "februari:14"),
    ("unknown_class", FEB, W8, "onbekend", SIZA):               ("serious", 1,  50, "februari:13"),
}  # fmt: skip
"""In February only; on the Saturday somebody did no direct work, and 600 minutes on 6 February are ten hours."""


def test_every_signal(setup: SchoolYearSetup, days: OpenDays) -> None:
    with lines(SHEETS, setup, setup.class_names) as connection:
        found = [
            row for month in (JAN, FEB, MAR) for row in line_signals(connection, {LEIJPARK: days}, "2023-2024", month)
        ]
    place = itemgetter("kind", "month", "week", "class_code", "provider")
    cells = itemgetter("severity", "line_count", "minutes", "row_refs")
    assert {place(row): cells(row) for row in found} == SIGNALS
    assert len(found) == len(SIGNALS)
    assert {row["school"] for row in found} == {LEIJPARK}


AFTER = date(2026, 8, 1)
"""Long after: the school approved on 20 July 2026, and forwarded nothing."""
#                     step       open lines minutes in time until
MISSING = {
    (JAN, W5, "EMB1"):  ("forward", 3, 2, 420, date(2024, 2, 20)),  # ten days for the provider, and ten for the school
    (JAN, W5, "MG1"):   ("hand_in", 3, 0,   0, date(2024, 2, 10)),  # travel only
    (FEB, W5, "EMB1"):  ("approve", 2, 1, 120, date(2024, 3, 20)),
    (FEB, W5, "MG1"):   ("hand_in", 2, 0,   0, date(2024, 3, 10)),
    (FEB, W6, "EMB1"):  ("forward", 5, 3, 660, date(2024, 3, 20)),
    (FEB, W6, "MG1"):   ("forward", 5, 1,  60, date(2024, 3, 20)),
    (FEB, W7, "EMB1"):  ("forward", 0, 1,  90, date(2024, 3, 20)),  # in the holiday too
    (FEB, W8, "EMB1"):  ("hand_in", 4, 0,   0, date(2024, 3, 10)),  # another provider's line, and a name that was not yet so
    (FEB, W8, "MG1"):   ("forward", 4, 1, 120, date(2024, 3, 20)),
    (FEB, W8, "VMBO1"): ("forward", 4, 1,  75, date(2024, 3, 20)),  # without hours of its own
    (FEB, W9, "EMB1"):  ("forward", 4, 3, 320, date(2024, 3, 20)),
    (FEB, W9, "MG1"):   ("hand_in", 4, 0,   0, date(2024, 3, 10)),
    (MAR, W9, "EMB1"):  ("approve", 1, 1, 100, date(2024, 4, 20)),
    (MAR, W9, "MG1"):   ("hand_in", 1, 0,   0, date(2024, 4, 10)),
}  # fmt: skip


def test_every_missing_week(setup: SchoolYearSetup, days: OpenDays) -> None:
    with lines(SHEETS, setup, setup.class_names) as connection:
        rows = missing_statements(handed_in(connection, AFTER), setup, {LEIJPARK: days}, AFTER, 10)
    cells = ("step", "open_days", "line_count", "minutes", "due_on")
    found = {(row["month"], row["week"], row["class_code"]): tuple(row[name] for name in cells) for row in rows}
    assert found == MISSING
    assert len(rows) == len(MISSING)
    owes = {(row["step"], row["owed_by"], row["party"]) for row in rows}
    assert owes == {("hand_in", "provider", SIZA), ("approve", "school", LEIJPARK), ("forward", "school", LEIJPARK)}


FACE = (
    *("days", "direct_minutes", "employees", "most_per_day", "average_per_day_hundredths", "top_three_permille"),
    *("newcomers", "leavers", "employees_so_far", "top_three_so_far_permille"),
)
#                   days minutes people most average top3 new left so far top3
FACES = {
    (JAN, "EMB1"):  (2,  420, 2, 1, 100, 1000, 2, 0, 2, 1000),
    (FEB, "EMB1"):  (7, 1490, 3, 2, 114, 1000, 1, 0, 3, 1000),  # e1 1250, e2 180, e3 60; 8 on 7 days
    (MAR, "EMB1"):  (1,  100, 1, 1, 100, 1000, 0, 2, 3, 1000),  # renamed, and still the same class
    (FEB, "MG1"):   (2,  180, 1, 1, 100, 1000, 1, 0, 1, 1000),
    (FEB, "VMBO1"): (1,   75, 1, 1, 100, 1000, 1, 0, 1, 1000),
}  # fmt: skip


def test_every_face(setup: SchoolYearSetup) -> None:
    with lines(SHEETS, setup, setup.class_names) as connection:
        rows = fixed_faces("2023-2024", [presence(connection)])
    assert {(row["month"], row["class_code"]): tuple(row[name] for name in FACE) for row in rows} == FACES
