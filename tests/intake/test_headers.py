"""Recognition by content: titles, aliases, missing and double columns, several sheets, the setup workbook."""

from dataclasses import replace

import pytest

from tests.intake.files import (
    csv_bytes,
    csv_of,
    deliver,
    indication,
    line,
    places,
    pupil,
    setup_sheets,
    table,
    values,
    warned,
    xlsx_bytes,
)
from zio_pipeline.contracts import sources
from zio_pipeline.errors import ContractError
from zio_pipeline.intake.headers import aliases, normalise

DATASETS = [dataset for contract in sources().values() for dataset in contract.datasets]


def test_a_header_is_compared_without_case_accents_and_punctuation() -> None:
    assert normalise(" Begíntijd\n(uu:mm)_ ") == normalise("BEGINTIJD uu mm") == "begintijd uu mm"


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
def test_every_dutch_header_of_a_contract_means_one_column(dataset) -> None:  # type: ignore[no-untyped-def]
    known = aliases(dataset)
    for column in dataset.columns:
        for header in column.headers:
            assert known[normalise(header)] == column.name


def test_two_columns_with_one_header_is_an_error_of_the_contract() -> None:
    dataset = sources()["wlz_statuses"].datasets[0]
    first, second, *rest = dataset.columns
    with pytest.raises(ContractError, match="twee kolommen"):
        aliases(replace(dataset, columns=(first, replace(second, synonyms=("Schooljaar:",)), *rest)))


def test_an_english_header_never_carries_a_unit_that_is_not_the_senders() -> None:
    orders = aliases(sources()["school_year_setup"].dataset("orders"))
    assert "tariff cents" not in orders
    assert orders["tariff"] == "tariff_cents"
    assert "duration minutes" not in aliases(sources()["provider_timesheets"].datasets[0])


@pytest.mark.parametrize(
    ("source", "row"),
    [("pupil_registrations", pupil()), ("provider_timesheets", line()), ("wlz_statuses", indication())],
)
def test_a_file_is_recognised_by_its_headers(source: str, row: dict[str, str]) -> None:
    delivery = deliver(csv_of(row))
    assert (delivery.source, delivery.status) == (source, "accepted")
    assert delivery.contract_fingerprint == sources()[source].fingerprint
    assert list(delivery.accepted) == [source]


def test_aliases_english_names_order_and_titles_do_not_matter() -> None:
    renamed = {"schooljaar": "School_year", "vestiging": "BRIN", "pgn": "Burgerservicenummer", "klas": "Groep"}
    renamed |= {"geboortedatum": "Geb.datum", "plaatsing vanaf": "placed from", "plaatsing tot en met": "T/M"}
    rows = [{renamed.get(name, name.upper()): value for name, value in pupil(n).items()} for n in (1, 2)]
    header, *cells = table([dict(reversed(row.items())) for row in rows])
    data = csv_bytes([["Leerlingen Leijpark"], [], ["peildatum", "01-07-2025"], header, *cells])
    assert values(deliver(data)).equals(values(deliver(csv_of(pupil(1), pupil(2)))))


def test_missing_columns_are_named_and_nothing_is_accepted() -> None:
    rows = [{k: v for k, v in pupil(n).items() if k not in ("pgn", "plaatsing vanaf")} for n in (1, 2)]
    delivery = deliver(csv_bytes([["Titel"], *table(rows)]))
    assert (delivery.source, delivery.status) == ("pupil_registrations", "refused")
    assert delivery.reason == (
        "In de kopregel op regel 2 (Leerlingbestand) ontbreken de kolommen 'pgn', 'plaatsing vanaf'."
    )
    assert delivery.label == f"pupil_registrations-{delivery.content_sha256[:8]}"


def test_an_unknown_file_is_refused() -> None:
    delivery = deliver(b"naam;leeftijd\nJan;5\n")
    assert (delivery.source, delivery.status, delivery.contract_fingerprint) == ("unknown", "refused", "")
    assert delivery.label == f"unknown-{delivery.content_sha256[:8]}"


def test_a_header_below_row_thirty_is_not_searched_for() -> None:
    titles = [[f"regel {number}"] for number in range(30)]
    assert deliver(csv_bytes([*titles[1:], *table([pupil()])])).status == "accepted"
    assert deliver(csv_bytes([*titles, *table([pupil()])])).status == "refused"


def test_one_column_twice_is_refused_with_both_headers() -> None:
    delivery = deliver(csv_of({**pupil(), "Onderwijsnummer": ""}))
    assert delivery.status == "refused"
    assert delivery.reason == "Kolommen 'pgn' en 'Onderwijsnummer' betekenen allebei 'pgn'; laat er één staan."


def test_unknown_columns_are_listed_and_not_read() -> None:
    delivery = deliver(csv_of({**pupil(), "Roepnaam": "Sanne", "Opmerking": ""}))
    assert delivery.status == "accepted"
    (warning,) = delivery.warnings
    assert (warning.rule, warning.row_number) == ("unknown_column", 1)
    assert "K (de 11e), L (de 12e)" in warning.explanation
    assert "Sanne" not in repr(delivery) + str(delivery.accepted)


def test_sheets_of_one_kind_are_read_together_and_others_are_named() -> None:
    data = xlsx_bytes(
        {
            "SO": table([pupil(1), pupil(2)]),
            "VSO": [["VSO"], *table([{"Opmerking": "x", **pupil(3)}])],
            "Uitleg": [["Zo vult u dit in"]],
            "Leeg": [],
        }
    )
    delivery = deliver(data)
    assert delivery.rows_accepted == 3
    assert places(delivery) == [("SO", 2), ("SO", 3), ("VSO", 3)]
    assert [(w.sheet, w.rule) for w in delivery.warnings] == [("VSO", "unknown_column"), ("Uitleg", "unknown_sheet")]


def test_a_sheet_of_the_same_kind_without_a_column_refuses_the_workbook() -> None:
    short = [{k: v for k, v in pupil(2).items() if k != "klas"}]
    delivery = deliver(xlsx_bytes({"SO": table([pupil(1)]), "VSO": table(short)}))
    assert delivery.status == "refused"
    assert delivery.reason == "Blad 'VSO': In de kopregel op regel 1 (Leerlingbestand) ontbreekt de kolom 'klas'."


def test_two_kinds_in_one_workbook_are_refused() -> None:
    delivery = deliver(xlsx_bytes({"a": table([pupil()]), "b": table([indication()])}))
    assert delivery.status == "refused"
    assert "verschillende soorten" in (delivery.reason or "")


def test_the_setup_workbook_with_empty_sheets_is_accepted() -> None:
    delivery = deliver(xlsx_bytes(setup_sheets()))
    assert (delivery.source, delivery.status, delivery.school_year) == ("school_year_setup", "accepted", "2025-2026")
    assert list(delivery.accepted) == [dataset.name for dataset in sources()["school_year_setup"].datasets]
    assert delivery.accepted["decisions"].num_rows == 0
    assert delivery.accepted["orders"].to_pylist()[0]["tariff_cents"] == 6250
    assert places(delivery, "classes") == [("klassen", 2)]


def test_a_setup_sheet_may_be_wholly_empty_and_named_otherwise() -> None:
    sheets = setup_sheets()
    sheets["besluiten"] = []
    sheets = {name.upper() if name != "klassen" else "Classes": lines for name, lines in sheets.items()}
    assert deliver(xlsx_bytes({**sheets, "Toelichting": [["x"]]})).status == "accepted"


def test_a_missing_setup_sheet_is_named() -> None:
    sheets = setup_sheets()
    del sheets["kalender"], sheets["bijdragen"]
    delivery = deliver(xlsx_bytes(sheets))
    assert (delivery.source, delivery.status) == ("school_year_setup", "refused")
    assert delivery.reason == "In het werkboek ontbreken de bladen 'kalender', 'bijdragen'; een blad mag leeg zijn."


def test_a_setup_sheet_without_a_column_or_a_header_is_named() -> None:
    sheets = setup_sheets()
    sheets["scholen"] = [["vestiging", "naam"], ["02ZX00", "Leijpark"]]
    reason = deliver(xlsx_bytes(sheets)).reason
    assert reason == "Blad 'scholen': In de kopregel op regel 1 (Inrichting schooljaar) ontbreekt de kolom 'bron'."
    sheets["scholen"] = [["zonder kop"], ["02ZX00", "Leijpark"]]
    assert "Blad 'scholen' heeft geen kopregel" in (deliver(xlsx_bytes(sheets)).reason or "")


def test_a_setup_sheet_that_is_there_twice_is_refused() -> None:
    sheets = setup_sheets()
    assert "twee keer" in (deliver(xlsx_bytes({**sheets, "classes": sheets["klassen"]})).reason or "")


def test_cells_without_a_header_are_named() -> None:
    lines = [[*cells, "los"] if number else cells for number, cells in enumerate(table([pupil(1), pupil(2)]))]
    delivery = deliver(xlsx_bytes({"a": lines}))
    assert (delivery.status, warned(delivery)) == ("accepted", [(1, "unnamed_column")])
