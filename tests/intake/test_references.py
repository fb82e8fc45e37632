"""Rules over two sources: a row that names what the other source does not have is pointed out, once, and stays."""

import random
from functools import cache
from typing import Any

import pyarrow as pa
import pytest

from tests.intake.files import (
    Row,
    csv_of,
    deliver,
    indication,
    line,
    order,
    pupil,
    school_class,
    setup_sheets,
    table,
    values,
    xlsx_bytes,
)
from zio_pipeline.contracts import Dataset, sources
from zio_pipeline.intake import Delivery, Reason
from zio_pipeline.intake.parsing import schema
from zio_pipeline.intake.references import Known, broken_references

SETUP = "school_year_setup"


def setup_with(**changes: list[Row]) -> Known:
    """The accepted sheets of a setup workbook, as the other source."""
    delivery = deliver(xlsx_bytes(setup_sheets(**changes)))
    assert delivery.status == "accepted", delivery.reason
    return {(SETUP, name): rows for name, rows in delivery.accepted.items()}


@cache
def usual_setup() -> Known:
    """One school, one provider with an order for it, one class; no zorgkantoor."""
    return setup_with()


def dataset_of(source: str) -> Dataset:
    (dataset,) = sources()[source].datasets
    return dataset


def broken(delivery: Delivery, known: Known) -> list[Reason]:
    assert delivery.status == "accepted", delivery.reason
    dataset = dataset_of(delivery.source)
    return list(broken_references(dataset, delivery.accepted[dataset.name], known))


def found(delivery: Delivery, known: Known) -> list[tuple[int, str, str]]:
    return [(reason.row_number, reason.column, reason.rule) for reason in broken(delivery, known)]


def test_an_unknown_class_is_pointed_out_at_its_first_row() -> None:
    delivery = deliver(csv_of(pupil(1), pupil(2, klas="SO-9"), pupil(3, klas="SO-9"), pupil(4, klas="SO-8")))
    first, second = broken(delivery, usual_setup())
    assert first == Reason(
        "pupil_registrations",
        "",
        3,
        "class_code",
        "class_known",
        "warning",
        "De klas staat niet in de inrichting van deze school. Dat geldt voor 2 rijen.",
    )
    assert (second.row_number, second.explanation) == (5, "De klas staat niet in de inrichting van deze school.")


def test_a_class_is_known_at_its_own_school_only() -> None:
    schools = [{"vestiging": s, "naam": s, "bron": "fictief"} for s in ("02ZX00", "16GR00")]
    classes = [school_class("SO-1"), school_class("SO-2", vestiging="16GR00", opdracht="DB")]
    orders = [order(), order(opdracht="DB", vestiging="16GR00")]
    known = setup_with(schools=schools, orders=orders, classes=classes)
    assert found(deliver(csv_of(pupil(1), pupil(2, klas="SO-2"))), known) == [(3, "class_code", "class_known")]
    assert found(deliver(csv_of(pupil(1, vestiging="16GR00", klas="SO-2"))), known) == []


def test_an_unknown_school() -> None:
    delivery = deliver(csv_of(pupil(1, vestiging="16GR00"), pupil(2, vestiging="16GR00")))
    assert found(delivery, usual_setup()) == [(2, "class_code", "class_known"), (2, "school", "school_known")]


def test_a_provider_without_an_order_for_the_school() -> None:
    assert found(deliver(csv_of(line(1), line(2))), usual_setup()) == []
    delivery = deliver(csv_of(line(1, agb="06054321"), line(2, agb="06054321"), line(3, agb="06054321", klas="X")))
    reasons = broken(delivery, usual_setup())
    assert [(r.row_number, r.column, r.rule) for r in reasons] == [
        (4, "class_code", "class_known"),
        (2, "provider", "provider_serves_school"),
    ]
    assert reasons[1].explanation.endswith("geen opdracht voor deze school. Dat geldt voor 3 rijen.")


def test_an_unknown_zorgkantoor() -> None:
    zorgkantoor = {"zorgkantoor": "5527", "naam": "VGZ", "grondslag": "x", "geldig vanaf": "01-08-2025", "bron": "x"}
    required = [c.dutch for c in sources()[SETUP].dataset("zorgkantoren").columns if c.required]
    known = setup_with(zorgkantoren=[{name: zorgkantoor.get(name, "x") for name in required}])
    delivery = deliver(csv_of(indication(1), indication(2, **{"verantwoordelijk zorgkantoor": "5501"})))
    assert found(delivery, known) == [(3, "responsible_zorgkantoor", "zorgkantoor_known")]
    nobody = usual_setup()
    assert found(delivery, nobody) == [
        (2, "responsible_zorgkantoor", "zorgkantoor_known"),
        (3, "responsible_zorgkantoor", "zorgkantoor_known"),
    ]


def test_nothing_is_judged_against_a_source_that_is_not_there() -> None:
    delivery = deliver(csv_of(pupil(1, vestiging="16GR00", klas="SO-9")))
    assert broken(delivery, {}) == []
    schools_only = {key: rows for key, rows in usual_setup().items() if key[1] == "schools"}
    assert found(delivery, schools_only) == [(2, "school", "school_known")]


def test_an_empty_source_knows_nothing_and_no_rows_break_nothing() -> None:
    known = {key: rows[:0] for key, rows in usual_setup().items()}
    delivery = deliver(csv_of(line(1), line(2)))
    assert {rule for _, _, rule in found(delivery, known)} == {"class_known", "provider_serves_school"}
    dataset = dataset_of("provider_timesheets")
    assert list(broken_references(dataset, delivery.accepted[dataset.name][:0], known)) == []


def test_an_empty_cell_names_nothing() -> None:
    rows = deliver(csv_of(pupil(1, klas="SO-9"))).accepted["pupil_registrations"]
    without = rows.set_column(rows.column_names.index("class_code"), "class_code", pa.nulls(1, pa.string()))
    assert list(broken_references(dataset_of("pupil_registrations"), without, usual_setup())) == []


def test_the_sheet_of_the_first_row_is_named() -> None:
    sheets = {"SO": table([pupil(1), pupil(2)]), "VSO": table([pupil(3), pupil(4), pupil(5, klas="X")])}
    (reason,) = broken(deliver(xlsx_bytes(sheets)), usual_setup())
    assert (reason.sheet, reason.row_number) == ("VSO", 4)


def test_the_row_that_is_named_has_the_fault() -> None:
    """Rows of two sheets may have one number: sheet and number must be of one and the same row."""
    sheets = {
        "SO": table([pupil(1, klas="X"), pupil(2, klas="Y")]),
        "VSO": table([pupil(3, klas="Y"), pupil(4, klas="X")]),
    }
    delivery = deliver(xlsx_bytes(sheets))
    rows = delivery.accepted["pupil_registrations"].to_pylist()
    classes = {(row["sheet"], row["row_number"]): row["class_code"] for row in rows}
    reasons = broken(delivery, usual_setup())
    assert sorted(classes[reason.sheet, reason.row_number] for reason in reasons) == ["X", "Y"]
    assert [reason.row_number for reason in reasons] == [2, 2]


def test_the_order_of_rows_does_not_matter() -> None:
    delivery = deliver(csv_of(*(pupil(n % 3 + 1, klas=f"K{n % 5}") for n in range(15))))
    rows, known = delivery.accepted["pupil_registrations"], usual_setup()
    dataset = dataset_of("pupil_registrations")
    expected = list(broken_references(dataset, rows, known))
    assert len(expected) == 5
    for seed in range(3):
        shuffled = rows.take(pa.array(random.Random(seed).sample(range(len(rows)), len(rows))))
        assert list(broken_references(dataset, shuffled, known)) == expected


def test_a_reason_holds_no_value_of_a_cell() -> None:
    delivery = deliver(csv_of(pupil(1, klas="Klas van Sanne"), pupil(2, vestiging="02ZX00")))
    assert "Sanne" not in repr(broken(delivery, usual_setup()))


def test_intake_itself_judges_no_other_source() -> None:
    """What a file comes to must not depend on which file came first."""
    delivery = deliver(csv_of(pupil(1, klas="SO-9")))
    assert (delivery.status, delivery.warnings) == ("accepted", ())
    assert values(delivery).num_rows == 1


RULES = [
    pytest.param(dataset, rule, id=f"{dataset.name}-{rule.name}")
    for contract in sources().values()
    for dataset in contract.datasets
    for rule in dataset.references
]


def test_there_are_references_to_check() -> None:
    assert {id for param in RULES if (id := param.id)} >= {
        "pupil_registrations-class_known",
        "pupil_registrations-school_known",
        "provider_timesheets-class_known",
        "provider_timesheets-provider_serves_school",
        "wlz_statuses-zorgkantoor_known",
    }


@pytest.mark.parametrize(("dataset", "rule"), RULES)
def test_a_reference_names_columns_of_one_kind_on_both_sides(dataset: Dataset, rule: Any) -> None:
    target = sources()[rule.source].dataset(rule.dataset)
    assert rule.columns
    for ours, theirs in zip(rule.columns, rule.targets, strict=True):
        assert dataset.column(ours).kind == target.column(theirs).kind
        assert schema(dataset).field(ours).type == schema(target).field(theirs).type


@pytest.mark.parametrize(("dataset", "rule"), RULES)
def test_a_reference_can_be_carried_out(dataset: Dataset, rule: Any) -> None:
    """On one row that is nowhere, and on the same row when the other side has it."""
    sample: dict[str, list[Any]] = {
        field.name: [{"date32[day]": 1, "int64": 1, "bool": True}.get(str(field.type), "x")]
        for field in schema(dataset)
    }
    place = [pa.field("sheet", pa.string()), pa.field("row_number", pa.int64())]
    rows = pa.table({"sheet": ["a"], "row_number": [7], **sample}, schema=pa.schema([*place, *schema(dataset)]))
    target = schema(sources()[rule.source].dataset(rule.dataset))
    nothing = target.empty_table()
    the_same = {theirs: sample[ours] for ours, theirs in zip(rule.columns, rule.targets, strict=True)}
    columns = [pa.array(the_same.get(field.name, [None]), field.type) for field in target]
    key = (rule.source, rule.dataset)
    (reason,) = (r for r in broken_references(dataset, rows, {key: nothing}) if r.rule == rule.name)
    assert (reason.dataset, reason.sheet, reason.row_number) == (dataset.name, "a", 7)
    assert (reason.severity, reason.explanation) == ("warning", rule.message)
    known = {key: pa.table(columns, schema=target)}
    assert rule.name not in [r.rule for r in broken_references(dataset, rows, known)]
