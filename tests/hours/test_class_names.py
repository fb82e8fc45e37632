"""A class that was renamed or split after the year began (DOMAIN 8.50): its sheet may be absent, and may not be doubtful."""

from datetime import date
from typing import Any

import pytest

from tests.hours.timesheets import line, timesheet
from tests.intake.files import deliver, rules, school_class, setup_sheets, xlsx_bytes
from tests.year_builder import DE_BODDE, LEIJPARK, Year
from zio_pipeline.errors import SetupError
from zio_pipeline.hours.lines import lines
from zio_pipeline.setup import ClassName

CHRISTMAS = date(2026, 1, 5)


def named(code: str, established: str = "EMB1", since: date = CHRISTMAS, until: date | None = None) -> dict[str, Any]:
    dates = {"valid_from": since, "valid_to": until}
    return {"school": LEIJPARK, "class_code": code, "established_class_code": established, **dates}


def a_year(*names: dict[str, Any]) -> Year:
    year = Year()
    year.doelgroep("LP", "MG")
    year.school_class("MG1", doelgroep="MG")
    for name in names:
        year.add("class_names", **name)
    return year


def classes_of(year: Year, *days_and_codes: tuple[date, str]) -> list[tuple[str, str, str | None, str]]:
    """Of each line: what the file calls the class, the established class, its doelgroep and its status."""
    setup = year.setup()
    sheet = timesheet("uren", *(line(day, 60, code) for day, code in days_and_codes))
    with lines([sheet], setup, setup.class_names) as connection:
        columns = "stated_class_code, class_code, doelgroep, status"
        return connection.sql(f"select {columns} from line order by row_number").fetchall()


def test_the_parts_of_a_split_class_count_for_it_from_the_day_they_are_named():
    year = a_year(named("EMB1a"), named("EMB1b"))
    before, after = date(2026, 1, 2), date(2026, 1, 5)
    assert classes_of(year, (before, "EMB1a"), (after, "EMB1a"), (after, "EMB1b"), (after, "EMB1")) == [
        ("EMB1a", "EMB1a", None, "excluded"),
        ("EMB1a", "EMB1", "EMB", "delivered"),
        ("EMB1b", "EMB1", "EMB", "delivered"),
        ("EMB1", "EMB1", "EMB", "delivered"),
    ]


def test_two_classes_may_change_names_and_a_name_may_end():
    """MG1 and EMB1 swap names for January; every line counts once."""
    january = {"since": CHRISTMAS, "until": date(2026, 1, 30)}
    year = a_year(named("MG1", "EMB1", **january), named("EMB1", "MG1", **january))
    first, last, later = CHRISTMAS, date(2026, 1, 30), date(2026, 1, 31)
    assert classes_of(year, (first, "MG1"), (last, "EMB1"), (later, "MG1"), (later, "EMB1")) == [
        ("MG1", "EMB1", "EMB", "delivered"),
        ("EMB1", "MG1", "MG", "delivered"),
        ("MG1", "MG1", "MG", "delivered"),
        ("EMB1", "EMB1", "EMB", "delivered"),
    ]


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        ([named("EMB9", "EMB8")], f"klas EMB8 staat niet op blad 'klassen' bij vestiging {LEIJPARK}"),
        ([named("EMB9") | {"school": DE_BODDE}], f"klas EMB1 staat niet op blad 'klassen' bij vestiging {DE_BODDE}"),
        ([named("EMB9"), named("EMB9", "MG1", date(2026, 3, 1))], "klas EMB9 .* 01-03-2026 twee keer"),
        (
            [named("EMB9", until=date(2026, 3, 1)), named("EMB9", "MG1", date(2026, 3, 1))],
            "klas EMB9 .* 01-03-2026 twee keer",
        ),
    ],
)
def test_a_doubtful_name_stops(names: list[dict[str, Any]], reason: str):
    with pytest.raises(SetupError, match=reason):
        a_year(*names).setup()


def test_names_that_follow_each_other_are_in_order():
    first, second = named("EMB9", until=date(2026, 2, 28)), named("EMB9", "MG1", date(2026, 3, 1))
    assert a_year(second, first).setup().class_names == (ClassName(**first), ClassName(**second))


@pytest.mark.parametrize("code", ["onbekend", "Onbekend", " ONBEKEND "])
def test_no_class_may_be_called_as_classes_that_nobody_knows(code: str):
    """Lines of a class that is in no sheet are counted under that name; they would become this class's."""
    year = a_year(named(code))
    with pytest.raises(SetupError, match=f"Blad 'klasnamen': een klas van vestiging {LEIJPARK} heet '{code}'"):
        year.setup()
    year = a_year()
    year.school_class(code)
    with pytest.raises(SetupError, match=r"Blad 'klassen': .* geef haar een andere code"):
        year.setup()
    a_year(named("onbekend1")).setup()


# --- the sheet ----------------------------------------------------------------------------------------------------------

ROW = {"vestiging": LEIJPARK, "klas": "SO-1a", "klas volgens de vaststelling": "SO-1", "bron": "fictief"}


def test_a_workbook_without_the_sheet_is_whole():
    sheets = setup_sheets()
    del sheets["klasnamen"]
    delivery = deliver(xlsx_bytes(sheets))
    assert (delivery.status, delivery.warnings) == ("accepted", ())
    assert delivery.accepted["class_names"].num_rows == 0


def test_the_sheet_is_read():
    delivery = deliver(xlsx_bytes(setup_sheets(class_names=[ROW | {"geldig vanaf": CHRISTMAS}])))
    (row,) = delivery.accepted["class_names"].to_pylist()
    assert delivery.status == "accepted"
    assert (row["class_code"], row["established_class_code"], row["valid_from"], row["valid_to"]) == (
        "SO-1a",
        "SO-1",
        CHRISTMAS,
        None,
    )


def test_a_name_of_a_class_that_is_not_there_refuses_the_workbook():
    rows = [ROW | {"klas volgens de vaststelling": "SO-9", "geldig vanaf": CHRISTMAS}]
    delivery = deliver(xlsx_bytes(setup_sheets(classes=[school_class("SO-1")], class_names=rows)))
    assert (delivery.status, rules(delivery)) == ("refused", {2: ["reference"]})
