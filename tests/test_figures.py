"""A whole small year, from rows to the settlement per payer: by hand where it can be, by its equations where it cannot.

Examples use round numbers on purpose: every amount in this module can be redone on paper (SPEC 3 and 4).
"""

from datetime import date
from typing import Any

import pytest

from tests.year_builder import (
    BREDA,
    DE_BODDE,
    GOIRLE,
    HEUSDEN,
    MIDDEN_BRABANT,
    TILBURG,
    WEST_BRABANT,
    Year,
    shares,
    small_year,
    year_amounts,
)
from zio_pipeline.errors import EstablishmentBlocked, SetupError
from zio_pipeline.figures import YearFigures, figures_hash
from zio_pipeline.proofs import require, settlement

MONTHS = ("2025-09", "2025-10", "2025-11", "2025-12", "2026-01", "2026-02", "2026-03", "2026-04", "2026-05", "2026-06")


def term_amounts(figures: YearFigures, payer: str) -> list[int]:
    rows = [row for row in figures.tables["terms"] if row["payer"] == payer]
    return [row["amount_cents"] for row in sorted(rows, key=lambda row: row["month"])]


def test_the_settlement_per_payer_by_hand() -> None:
    """EMB is 47.200,00 after the contribution: 5.900,00 for each of 8 pupils. MG is 11.800,00 for 3."""
    figures = small_year().figures()
    assert year_amounts(figures) == {
        ("LP", "jeugdwet", BREDA): 5_900_00,
        ("LP", "jeugdwet", HEUSDEN): 5_900_00 + 3_933_33,
        ("LP", "jeugdwet", TILBURG): 3 * 5_900_00 + 7_866_67,
        ("LP", "wlz_zin", WEST_BRABANT): 5_900_00,
        ("LP", "wlz_zin", MIDDEN_BRABANT): 2 * 5_900_00,
        ("LP", "contribution", "SWV"): 1_000_00,
    }
    assert settlement(figures.tables["municipal_shares"]) == {
        "members": 35_400_00,
        "outside": 5_900_00,
        "zorgkantoren": 17_700_00,
        "pgb": 0,
        "adult": 0,
        "contributions": 1_000_00,
    }


def test_the_terms_by_hand() -> None:
    """SPEC 4: Heusden has three odd cents, September to November; Tilburg goes on with seven, from December."""
    figures = small_year().figures()
    assert term_amounts(figures, BREDA) == [590_00] * 10
    assert term_amounts(figures, HEUSDEN) == [983_34] * 3 + [983_33] * 7
    assert term_amounts(figures, TILBURG) == [2_556_66] * 3 + [2_556_67] * 7


def test_members_are_due_monthly_and_others_in_january_and_july() -> None:
    """SPEC 5: the first working day of the month; 1 January and the weekends are none."""
    figures = small_year().figures()
    due = {(r["payer"], r["month"]): (r["period"], r["due_on"]) for r in figures.tables["terms"]}
    assert due[TILBURG, "2025-09"] == ("2025-09", date(2025, 9, 1))
    assert due[TILBURG, "2025-11"] == ("2025-11", date(2025, 11, 3))
    assert due[TILBURG, "2026-01"] == ("2026-01", date(2026, 1, 2))
    assert {due[BREDA, month] for month in MONTHS[:5]} == {("2025-2026-H1", date(2026, 1, 2))}
    assert {due[BREDA, month] for month in MONTHS[5:]} == {("2025-2026-H2", date(2026, 7, 1))}


def test_what_pgb_holders_pay_is_never_due_with_us() -> None:
    year = small_year(pgb_beleid="pgb_houders")
    year.wlz(year.pupil("pgb"), "2", parents_agree=True)
    figures = year.figures()
    assert {row["due_on"] for row in figures.tables["terms"] if row["payer"] == "PGB"} == {None}
    assert len(term_amounts(figures, "PGB")) == 10


def test_declarations_say_what_the_provider_may_declare_and_to_whom() -> None:
    """SPEC 5: per order, law, month; jeugdwet and contributions to the GR, Wlz to each zorgkantoor."""
    tables = small_year().figures().tables
    declared = {(r["law"], r["month"]): (r["amount_cents"], r["addressees"]) for r in tables["monthly_declarations"]}
    assert declared == {("jw", m): (4_230_00, 1) for m in MONTHS} | {("wlz", m): (1_770_00, 2) for m in MONTHS}
    september = {
        (r["law"], r["addressee"]): r["amount_cents"]
        for r in tables["declaration_addressees"]
        if r["month"] == "2025-09"
    }
    assert september == {("jw", "GR-HVB"): 4_230_00, ("wlz", WEST_BRABANT): 590_00, ("wlz", MIDDEN_BRABANT): 1_180_00}


def test_the_wlz_statement_specifies_per_leveringsvorm() -> None:
    """SPEC 5: pupils, hours, tariff and amount per zorgkantoor, order, doelgroep and leveringsvorm, on its ground."""
    rows = small_year().figures().tables["zorgkantoor_statement"]
    found = {(r["payer"], r["delivery_form"]): (r["pupils"], r["hours_hundredths"], r["amount_cents"]) for r in rows}
    assert found == {
        (WEST_BRABANT, "7"): (1, 98_33, 5_900_00),
        (MIDDEN_BRABANT, "7"): (1, 98_34, 5_900_00),
        (MIDDEN_BRABANT, "8"): (1, 98_33, 5_900_00),
    }
    assert {(r["payer"], r["legal_ground"]) for r in rows} == {
        (WEST_BRABANT, "grondslag (fictief)"),
        (MIDDEN_BRABANT, "Wlz art. 3.3.3 (fictief)"),
    }
    assert {r["tariff_cents"] for r in rows} == {60_00}


AGREED = {"agreed_from": date(2025, 8, 1), "agreed_to": date(2026, 7, 31)}


def grounded(*rows: dict[str, Any]) -> Year:
    """One Wlz pupil beside one of Tilburg, and these rows of its zorgkantoor."""
    year = Year()
    year.wlz(year.pupil("w"))
    year.pupil("j")
    for row in rows:
        year.add("zorgkantoren", zorgkantoor=MIDDEN_BRABANT, name="VGZ", **{"ground_from": None} | row)
    return year


def grounds_of(year: Year) -> set[str]:
    return {row["legal_ground"] for row in year.figures().tables["zorgkantoor_statement"]}


@pytest.mark.parametrize(
    ("rows", "ground"),
    [
        ([{"legal_ground": "A", "ground_from": date(2025, 9, 1), "ground_to": date(2026, 6, 30)}], "A"),
        ([{"legal_ground": "A", "ground_from": date(2020, 1, 1)}], "A"),
        ([{"legal_ground": "A", **AGREED}], "A"),
        ([{"legal_ground": "A", "ground_to": date(2026, 6, 30), **AGREED}], "A"),
        (
            [
                {"legal_ground": "B", "ground_from": date(2026, 1, 1)},
                {"legal_ground": "A", "ground_to": date(2025, 12, 31), **AGREED},
                {"legal_ground": "oud", "ground_from": date(2020, 1, 1), "ground_to": date(2025, 7, 31)},
            ],
            "A; B",
        ),
    ],
)
def test_the_ground_is_what_holds_in_every_term(rows: list[dict[str, Any]], ground: str) -> None:
    """SPEC 5: a legal ground with validity; without days of its own it holds as long as the agreement."""
    assert grounds_of(grounded(*rows)) == {ground}


@pytest.mark.parametrize(
    "rows",
    [
        [{"legal_ground": None, **AGREED}],
        [{"legal_ground": "zonder dagen"}],
        [{"legal_ground": "oud", "agreed_from": date(2020, 8, 1), "agreed_to": date(2021, 7, 31)}],
        [{"legal_ground": "A", "ground_from": date(2025, 9, 1), "ground_to": date(2026, 6, 29)}],
        [{"legal_ground": "A", "ground_from": date(2025, 9, 2)}],
        [{"legal_ground": "A", "ground_from": date(2025, 8, 1), "ground_to": date(2025, 12, 31), **AGREED}],
        [
            {"legal_ground": "A", "ground_from": date(2025, 8, 1), "ground_to": date(2025, 12, 31)},
            {"legal_ground": "B", "ground_from": date(2026, 1, 2)},
        ],
    ],
)
def test_without_a_ground_for_the_whole_year_a_besluit_is_needed(rows: list[dict[str, Any]]) -> None:
    year = grounded(*rows)
    with pytest.raises(EstablishmentBlocked) as stopped:
        year.figures()
    (reason,) = stopped.value.reasons
    assert "zorgkantoor 5527" in reason
    assert "van 01-09-2025 tot en met 30-06-2026" in reason
    assert "besluit 'grondslag wlz'" in reason
    year.besluit("wlz_ground", decision_id="G1", subject=WEST_BRABANT)
    with pytest.raises(EstablishmentBlocked, match="zorgkantoor 5527"):
        year.figures()
    year.besluit("wlz_ground", decision_id="G2", subject=MIDDEN_BRABANT)
    assert grounds_of(year) == {"besluit G2"}


def test_a_zorgkantoor_that_pays_nothing_needs_no_ground() -> None:
    year = grounded({"legal_ground": "A", **AGREED})
    year.add("zorgkantoren", zorgkantoor=WEST_BRABANT, name="CZ", ground_from=None)
    assert grounds_of(year) == {"A"}


def test_budgets_show_who_sits_there_and_who_counts() -> None:
    year = small_year()
    year.pupil("no need", "MG1", needs_care=False)
    rows = {row["doelgroep"]: row for row in year.figures().tables["doelgroep_budgets"]}
    assert (rows["MG"]["pupils_placed"], rows["MG"]["pupils_counted"]) == (4, 3)
    assert (rows["EMB"]["budget_cents"], rows["EMB"]["contribution_cents"]) == (48_000_00, 800_00)
    assert rows["EMB"]["amount_cents"] == 47_200_00


# --- cases a naive program gets wrong ---


def test_a_doelgroep_with_only_wlz_pupils_costs_no_municipality_anything() -> None:
    """0/0 is no exception."""
    year = Year()
    year.wlz(year.pupil("w"))
    assert year_amounts(year.figures()) == {("LP", "wlz_zin", MIDDEN_BRABANT): 24_000_00}


def test_a_doelgroep_with_hours_and_nobody_in_it_stops_the_year_until_a_besluit() -> None:
    """SPEC 4: `key_of` takes the key of another doelgroep, its money stays its own."""
    year = Year()
    year.doelgroep("LP", "MG", 5_00)
    year.school_class("MG1", "LP", "MG")
    year.pupil("a", municipality=TILBURG)
    year.wlz(year.pupil("b"))
    with pytest.raises(EstablishmentBlocked, match="doelgroep MG: er zijn uren maar geen leerlingen"):
        year.figures()
    year.besluit("key_of", order_id="LP", doelgroep="MG", key_doelgroep="EMB")
    figures = year.figures()
    assert shares(year) == {
        ("LP", "EMB", "jeugdwet", TILBURG): 12_000_00,
        ("LP", "EMB", "wlz_zin", MIDDEN_BRABANT): 12_000_00,
        ("LP", "MG", "jeugdwet", TILBURG): 6_000_00,
        ("LP", "MG", "wlz_zin", MIDDEN_BRABANT): 6_000_00,
    }
    require(figures.proofs)


def test_a_municipality_with_one_pupil_pays_for_one_pupil() -> None:
    year = Year()
    year.pupils(2)
    year.pupil("only", municipality=BREDA)
    assert year_amounts(year.figures())["LP", "jeugdwet", BREDA] == 8_000_00


def test_a_class_without_hours_changes_no_share() -> None:
    year = small_year()
    before = year_amounts(year.figures())
    year.school_class("VMBO", hours_per_week_hundredths=0)
    year.pupils(13, "VMBO", GOIRLE)
    assert year_amounts(year.figures()) == before


def test_an_agreed_amount_leads_to_the_last_cent() -> None:
    year = small_year()
    year.sheets["orders"][0] |= {"amount_basis": "agreed", "stated_amount_cents": 60_000_07, "tolerance_cents": 10}
    figures = year.figures()
    assert sum(year_amounts(figures).values()) == 60_000_07
    require(figures.proofs)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("buiten_sleutel", {("jeugdwet", TILBURG): 24_000_00}),
        ("zorgkantoor", {("jeugdwet", TILBURG): 16_000_00, ("wlz_pgb", WEST_BRABANT): 8_000_00}),
        ("gemeente", {("jeugdwet", TILBURG): 16_000_00, ("wlz_pgb", BREDA): 8_000_00}),
        ("pgb_houders", {("jeugdwet", TILBURG): 16_000_00, ("wlz_pgb", "PGB"): 8_000_00}),
    ],
)
def test_pgb_goes_by_policy_from_pupil_to_declaration(policy: str, expected: dict[tuple[str, str], int]) -> None:
    """SPEC 4 step 2: outside the key, or a payer with an addressee; of pgb holders nothing is declared."""
    year = Year(pgb_beleid=policy)
    year.pupils(2)
    year.wlz(year.pupil("pgb", municipality=BREDA), "2", WEST_BRABANT, parents_agree=True)
    figures = year.figures()
    assert {key[1:]: cents for key, cents in year_amounts(figures).items()} == expected
    addressees = {row["addressee"] for row in figures.tables["declaration_addressees"] if row["law"] == "pgb"}
    assert addressees == {"zorgkantoor": {WEST_BRABANT}, "gemeente": {"GR-HVB"}}.get(policy, set())
    require(figures.proofs)


def test_pgb_paid_by_the_zorgkantoor_is_specified_under_its_own_leveringsvorm() -> None:
    year = Year(pgb_beleid="zorgkantoor")
    year.wlz(year.pupil("zin"))
    year.wlz(year.pupil("pgb"), "2", parents_agree=True)
    figures = year.figures()
    rows = figures.tables["zorgkantoor_statement"]
    assert {(r["payer"], r["delivery_form"]): r["amount_cents"] for r in rows} == {
        (MIDDEN_BRABANT, "7"): 12_000_00,
        (MIDDEN_BRABANT, "2"): 12_000_00,
    }
    require(figures.proofs)


def test_adults_are_a_party_of_their_own_also_of_members() -> None:
    """SPEC 4, Invariants: members + outside + zorgkantoren + pgb + adult + contributions = orders."""
    year = small_year(achttien_plus="betaalbaar")
    for pupil, municipality in (("a", TILBURG), ("b", BREDA)):
        year.pupil(pupil, "MG1", municipality, birth_date=date(2006, 1, 1))
    figures = year.figures()
    parties = settlement(figures.tables["municipal_shares"])
    assert parties["adult"] == 4_720_00  # two of five in MG
    assert sum(parties.values()) == 60_000_00
    require(figures.proofs)


def test_the_agreed_ratio_goes_by_weight_and_then_by_pupils() -> None:
    """Wlz pays 3 of 4 parts of EMB although 3 of 8 pupils are Wlz."""
    year = small_year(verdeelsleutel="verhouding")
    year.sheets["doelgroepen"][0] |= {"weight_jeugdwet": 1, "weight_wlz_zin": 3}
    year.sheets["doelgroepen"][1] |= {"weight_jeugdwet": 5}
    figures = year.figures()
    assert sum(c for (_, g, s, _), c in shares(year).items() if (g, s) == ("EMB", "wlz_zin")) == 35_400_00
    assert shares(year)["LP", "EMB", "jeugdwet", TILBURG] == 7_080_00
    require(figures.proofs)


def test_an_order_left_out_leaves_the_others_as_they_are() -> None:
    """SPEC 4: left out by besluit and established later."""
    year = small_year()
    before = figures_hash(year.figures().tables)
    year.order("BO", school=DE_BODDE)
    year.doelgroep("BO", "ZML")
    year.school_class("ZML1", "BO", "ZML", school=DE_BODDE)
    year.pupil("z", "ZML1", school=DE_BODDE, municipality="Nergens")
    with pytest.raises(EstablishmentBlocked):
        year.figures()
    year.besluit("order_later", order_id="BO")
    assert figures_hash(year.figures().tables) == before


def test_a_membership_that_contradicts_the_cbs_stops_the_year() -> None:
    """SPEC 4, Terms: it decides monthly or twice a year, never the amount."""
    year = small_year()
    before = year_amounts(year.figures())
    year.add("municipalities", municipality=BREDA, name="Breda", member_from=date(2025, 8, 1))
    with pytest.raises(SetupError, match="Neem een besluit 'ledenlijst' op"):
        year.figures()
    year.besluit("membership", subject=BREDA)
    figures = year.figures()
    assert year_amounts(figures) == before
    assert {r["rhythm"] for r in figures.tables["municipal_shares"] if r["payer"] == BREDA} == {"monthly"}


def test_two_orders_in_one_doelgroep_are_never_averaged() -> None:
    """The same doelgroep at another provider has another price per pupil."""
    year = Year()
    year.order("BO", school=DE_BODDE, tariff_cents=66_00)
    year.doelgroep("BO", "EMB")
    year.school_class("B1", "BO", "EMB", school=DE_BODDE)
    year.pupils(2, municipality=TILBURG)
    year.pupils(3, "B1", TILBURG, school=DE_BODDE)
    year.pupil("h", municipality=HEUSDEN)
    assert year_amounts(year.figures()) == {
        ("BO", "jeugdwet", TILBURG): 26_400_00,
        ("LP", "jeugdwet", HEUSDEN): 8_000_00,
        ("LP", "jeugdwet", TILBURG): 16_000_00,
    }
