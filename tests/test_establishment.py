"""The receipt two people sign for: same inputs, same receipt; any change, another one (SPEC 5, `establish`)."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from resources.tables import REASONS_OF_A_NEW_VERSION
from tests.year_builder import BREDA, GOIRLE, HEUSDEN, MIDDEN_BRABANT, TILBURG, Year
from zio_pipeline.errors import NotProved, ZioError
from zio_pipeline.establishment import REASON_OF_WORD, make_receipt, reason_of, receipt_hash, require_signed
from zio_pipeline.figures import canonical, compute_year
from zio_pipeline.proofs import Proof
from zio_pipeline.versions import Base, calendar_of


def year_of_four() -> Year:
    """Four pupils of 6.000,00 each, one of them Wlz, and one without need."""
    year = Year()
    for code in (TILBURG, HEUSDEN, BREDA):
        year.pupil(f"leerling {code}", municipality=code)
    year.wlz(year.pupil("leerling wlz"))
    year.pupil("leerling vrij", needs_care=False)
    return year


def receipt_of(year: Year, version: int = 1) -> dict[str, Any]:
    inputs = year.inputs()
    return make_receipt(inputs, compute_year(inputs, version), version)


def test_a_receipt_says_what_is_fixed() -> None:
    """SPEC 5: settings, file hashes, pupil counts, payer decisions, shares and terms, and the code version."""
    receipt = receipt_of(year_of_four())
    assert (receipt["school_year"], receipt["version"]) == ("2025-2026", 1)
    assert receipt["inputs"] == [
        {"content_sha256": "00", "contract_fingerprint": "11", "label": "inrichting", "source": "school_year_setup"}
    ]
    assert receipt["pupils"] == {"buiten de sleutel": 1, "jeugdwet": 3, "wlz_zin": 1}
    assert receipt["orders_cents"] == {"LP": 24_000_00}
    assert receipt["settlement_cents"] == {
        "members": 12_000_00,
        "outside": 6_000_00,
        "zorgkantoren": 6_000_00,
        "pgb": 0,
        "adult": 0,
        "contributions": 0,
    }
    assert receipt["code_version"]
    assert receipt["proofs"] > 10
    assert all(len(receipt[name]) == 64 for name in ("settings_sha256", "decisions_sha256"))
    assert {"municipal_shares", "terms", "monthly_declarations"} <= set(receipt["figures_sha256"])
    assert all(len(found) == 64 for found in receipt["figures_sha256"].values())
    assert receipt["fictitious"] is True


def test_another_cent_in_a_table_is_not_what_was_signed_for() -> None:
    figures = compute_year(year_of_four().inputs(), 1)
    receipt = receipt_of(year_of_four())
    require_signed(receipt, figures.tables)
    rows = [dict(row) for row in figures.tables["terms"]]
    rows[0]["amount_cents"] += 1
    with pytest.raises(NotProved, match="terms"):
        require_signed(receipt, {"terms": rows})


def test_rerunning_gives_the_same_receipt_whatever_the_order_of_the_rows() -> None:
    """SPEC 5: re-running gives identical rows. No clock and no chance in it."""
    year = year_of_four()
    before = receipt_hash(receipt_of(year))
    assert receipt_hash(receipt_of(year_of_four())) == before
    year.registrations.reverse()
    year.sheets = {name: rows[::-1] for name, rows in year.sheets.items()}
    assert receipt_hash(receipt_of(year)) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda year: year.pupil("nog een"),
        lambda year: year.registrations[0].update(municipality=GOIRLE),
        lambda year: year.registrations[0].update(municipality_evidence="confirmed"),
        lambda year: year.indications[0].update(responsible_zorgkantoor="5526"),
        lambda year: year.sheets["orders"][0].update(tariff_cents=60_01),
        lambda year: next(r for r in year.sheets["settings"] if r["key"] == "regio_naam").update(value="Andere regio"),
    ],
)
def test_an_approval_falls_when_anything_changes(change: Callable[[Year], Any]) -> None:
    """SPEC 5: the approval names the receipt's hash and falls when it changes; also when no cent moves."""
    year = year_of_four()
    before = receipt_hash(receipt_of(year))
    change(year)
    assert receipt_hash(receipt_of(year)) != before


def test_other_bytes_of_a_file_are_another_receipt() -> None:
    inputs = year_of_four().inputs()
    other = replace(inputs, files=(dict(inputs.files[0]) | {"content_sha256": "99"},))
    receipts = [make_receipt(one, compute_year(one, 1), 1) for one in (inputs, other)]
    assert receipt_hash(receipts[0]) != receipt_hash(receipts[1])
    assert receipts[0]["figures_sha256"] == receipts[1]["figures_sha256"]


def test_another_version_is_another_receipt() -> None:
    first, second = receipt_of(year_of_four(), 1), receipt_of(year_of_four(), 2)
    assert (first["version"], second["version"]) == (1, 2)
    assert receipt_hash(first) != receipt_hash(second)


def test_a_receipt_names_no_pupil() -> None:
    """SPEC 8: it is read in the finance tables and in Dagster."""
    text = canonical(receipt_of(year_of_four()))
    assert "leerling " not in text
    assert "2015" not in text
    assert json.loads(text)["version"] == 1


def test_there_is_nothing_to_sign_for_while_an_invariant_does_not_hold() -> None:
    inputs = year_of_four().inputs()
    figures = compute_year(inputs, 1)
    off = Proof("terms_equal_year", f"LP · wlz_zin · {MIDDEN_BRABANT}", 1, 2)
    with pytest.raises(NotProved, match=r"terms_equal_year .*: 1 tegen 2 cent"):
        make_receipt(inputs, replace(figures, proofs=(*figures.proofs, off)), 1)


def test_the_receipt_of_a_new_version_names_what_it_stands_beside() -> None:
    first = compute_year(year_of_four().inputs(), 1)
    base = Base(
        version=1,
        receipt_hash="b" * 64,
        reason="order_change",
        tables=first.tables,
        calendar=calendar_of(first.setup.settings),
        posted=frozenset({(TILBURG, "2025-09"), (HEUSDEN, "2025-09")}),
        explanation="uitbreiding",
    )
    year = year_of_four()
    year.sheets["orders"][0]["tariff_cents"] = 70_00
    year.besluit("order_change", decision_id="W1", order_id="LP", month="2025-11")
    inputs = replace(year.inputs(), base=base)
    receipt = make_receipt(inputs, compute_year(inputs, 2), 2)
    assert receipt["base"] == {
        "version": 1,
        "receipt_hash": "b" * 64,
        "reason": "order_change",
        "explanation": "uitbreiding",
        "first_terms": {"LP": "2025-11"},
        "order_changes": [
            {"order_id": "LP", "first_term": "2025-11", "before_cents": 24_000_00, "after_cents": 28_000_00}
        ],
        "taken_rows": [],
        "posted": [[HEUSDEN, "2025-09"], [TILBURG, "2025-09"]],
    }
    assert "base" not in receipt_of(year_of_four())
    tariff = replace(inputs, base=replace(base, reason="parameter_error", taken=("leerlingen:4",)))
    named = make_receipt(tariff, compute_year(tariff, 2), 2)["base"]
    assert (named["posted"], named["first_terms"], named["taken_rows"]) == ([], {}, ["leerlingen:4"])
    for other in (
        replace(base, posted=frozenset()),
        replace(base, receipt_hash="c" * 64),
        replace(base, explanation=""),
    ):
        changed = replace(inputs, base=other)
        assert receipt_hash(make_receipt(changed, compute_year(changed, 2), 2)) != receipt_hash(receipt)


def test_the_words_for_a_reason_are_the_reasons_of_the_database() -> None:
    assert tuple(REASON_OF_WORD.values()) == REASONS_OF_A_NEW_VERSION
    assert reason_of(" Peildatumfout ") == "peildatum_error"
    assert reason_of("objection") == "objection"
    with pytest.raises(ZioError, match="peildatumfout, parameterfout, bezwaar, opdrachtwijziging"):
        reason_of("vergissing")
    with pytest.raises(ZioError, match="nooit een reden"):
        reason_of("mutatie")
