"""Every planted case stands in the raw files, with the besluit that settles it where one is needed."""

from datetime import date

import pytest

from tests.demo.conftest import Made
from tests.demo.raw import Row, pupils_of, read, setup_rows, wlz_of

START, PEILDATUM, LAST_DAY = "2025-08-18", "2025-07-01", "2026-07-31"

CASES = {
    "aangemeld", "absence_goes_on", "absence_overlaps", "adult",
    "agreed_round_amount", "bad_timesheet_rows", "belgium", "claim_corrected",
    "claim_duplicate", "claim_late", "claim_without_term", "cz_pupil", "double_placement",
    "haaren", "hours_line_twice", "hours_missing_week", "hours_over_twelve", "hours_two_classes_at_once",
    "hours_unknown_class", "hours_weekend", "integral_tariff", "later_committed_municipality", "leaver",
    "member_without_debtor", "mpt_pgb", "newcomer", "no_need", "one_pupil_municipality", "onderwijsnummer",
    "pgb_refused", "secret_address", "secret_address_known", "turning_18", "uncommitted_municipality", "verblijf",
    "wlz_ended", "wlz_granted_afterwards", "zero_hour_class",
}  # fmt: skip


@pytest.fixture(params=["small", "full"])
def made(request: pytest.FixtureRequest) -> Made:
    found: Made = request.getfixturevalue(request.param)
    return found


def rows_of(made: Made, case: str) -> list[Row]:
    return [row for row in pupils_of(made.folder) if row["pupil"] in made.year.planted[case]]


def wlz_rows(made: Made, case: str) -> list[Row]:
    return [row for row in wlz_of(made.folder) if row["pupil"] in made.year.planted[case]]


def besluit(made: Made, pupil: str) -> Row:
    (found,) = [row for row in setup_rows(made.folder, "decisions") if row["pupil"] == pupil]
    return found


def birthday_18(row: Row) -> str:
    return f"{int(row['birth_date'][:4]) + 18}{row['birth_date'][4:]}"


def test_every_case_is_planted(made: Made):
    assert set(made.year.planted) == CASES
    assert all(made.year.planted.values())


def test_wlz_granted_afterwards(made: Made):
    for row in wlz_rows(made, "wlz_granted_afterwards"):
        assert row["starts_on"] <= PEILDATUM < row["issued_on"]


def test_mixed_mpt_and_pgb(made: Made):
    for row in wlz_rows(made, "mpt_pgb"):
        if row["starts_on"] and not row["ends_on"]:
            assert row["delivery_form"] in ("7", "MPT+PGB")
            assert 0 < int(row["pgb_percentage"]) < 100
            found = besluit(made, row["pupil"])
            settled = (found["kind"], found["stream"], found["payer"])
            assert settled == ("definitief", "wlz zin", row["responsible_zorgkantoor"])


def test_verblijf(made: Made):
    listed = {row["key"]: row["value"] for row in setup_rows(made.folder, "settings")}["verblijf_postcodes"].split()
    (row,) = rows_of(made, "verblijf")
    assert row["postcode"].replace(" ", "") in listed
    assert row["municipality"] == "Tilburg"
    found = besluit(made, row["pupil"])
    assert (found["kind"], found["stream"], found["payer"]) == ("definitief", "jeugdwet", "0758")


def test_pgb_refused_and_no_other_pgb_without_consent(made: Made):
    current = [row for row in wlz_of(made.folder) if row["delivery_form"] == "2"]
    refused = {row["pupil"] for row in current if row["parents_agree"] != "ja"}
    assert refused == set(made.year.planted["pgb_refused"])
    assert all(besluit(made, pupil)["kind"] == "niet tellen" for pupil in refused)
    assert len(current) > 1


def test_integral_tariff_is_settled(made: Made):
    integral = {row["pupil"] for row in wlz_of(made.folder) if row["delivery_form"] in ("4", "5")}
    assert integral == set(made.year.planted["integral_tariff"])
    assert all(besluit(made, pupil)["kind"] == "niet tellen" for pupil in integral)


def test_adults_one_on_the_startdatum_itself(made: Made):
    rows = rows_of(made, "adult")
    assert START in {birthday_18(row) for row in rows}
    for row in rows:
        assert birthday_18(row) <= START
        found = besluit(made, row["pupil"])
        assert (found["kind"], found["stream"]) == ("definitief", "18 plus")


def test_turning_18_names_everybody_who_does(made: Made):
    not_placed = {p for case in ("leaver", "newcomer", "aangemeld") for p in made.year.planted[case]}
    turning = {row["pupil"] for row in pupils_of(made.folder) if START < birthday_18(row) <= LAST_DAY}
    assert set(made.year.planted["turning_18"]) == turning - not_placed


def test_abroad_and_secret_address_have_no_municipality(made: Made):
    (abroad,) = rows_of(made, "belgium")
    assert (abroad["country"], abroad["municipality"], abroad["postcode"]) == ("België", "", "")
    assert besluit(made, abroad["pupil"])["kind"] == "voorlopig"
    (secret,) = rows_of(made, "secret_address")
    assert (secret["secret_address"], secret["municipality"], secret["postcode"]) == ("ja", "", "")
    assert besluit(made, secret["pupil"])["payer"] == "0855"
    assert all(row["municipality"] for row in rows_of(made, "secret_address_known"))


def test_haaren_is_told_apart_by_postcode_without_besluit(made: Made):
    rows = rows_of(made, "haaren")
    assert {row["municipality"] for row in rows} == {"Haaren"}
    assert "5268" in {row["postcode"][:4] for row in rows}
    assert not {row["pupil"] for row in setup_rows(made.folder, "decisions")} & {row["pupil"] for row in rows}


def test_pupils_of_cz(made: Made):
    codes = {row["responsible_zorgkantoor"] for row in wlz_rows(made, "cz_pupil") if not row["ends_on"]}
    assert codes == {"5526"}


def test_double_placements_are_settled_by_class(made: Made):
    both = 0
    for pupil in made.year.planted["double_placement"]:
        rows = [row for row in pupils_of(made.folder) if row["pupil"] == pupil]
        assert len({(row["school"], row["class_code"]) for row in rows}) == 2
        both += len({row["school"] for row in rows}) == 2
        found = besluit(made, pupil)
        assert (found["school"], found["class_code"]) in {(row["school"], row["class_code"]) for row in rows}
        assert found["kind"] == "definitief"
    assert both == 1


def test_leavers_newcomers_and_announced_are_not_placed_on_the_startdatum(made: Made):
    assert all(row["placed_to"] < START for row in rows_of(made, "leaver"))
    assert all(row["placed_from"] > START for row in rows_of(made, "newcomer"))
    assert {row["class_code"] for row in rows_of(made, "aangemeld")} == {"Aangemeld"}
    placed = {row["pupil"] for row in pupils_of(made.folder) if is_placed(row)}
    assert {row["pupil"] for row in wlz_of(made.folder)} <= placed


def test_expected_class_sizes_are_the_pupils_placed(made: Made):
    doubles = set(made.year.planted["double_placement"])
    chosen = {(p, besluit(made, p)["school"], besluit(made, p)["class_code"]) for p in doubles}
    sizes: dict[tuple[str, str], int] = {}
    for row in pupils_of(made.folder):
        key = row["school"], row["class_code"]
        if is_placed(row) and (row["pupil"] not in doubles or (row["pupil"], *key) in chosen):
            sizes[key] = sizes.get(key, 0) + 1
    expected = {
        (row["school"], row["class_code"]): row["expected_pupils"] for row in setup_rows(made.folder, "classes")
    }
    assert sizes == expected


def is_placed(row: Row) -> bool:
    return row["class_code"] != "Aangemeld" and row["placed_from"] <= START <= (row["placed_to"] or LAST_DAY)


def test_zero_hour_class_in_a_doelgroep_with_hours(made: Made):
    (code,) = made.year.planted["zero_hour_class"]
    row = next(r for r in setup_rows(made.folder, "classes") if f"{r['school']} {r['class_code']}" == code)
    assert row["hours_per_week_hundredths"] == 0
    group = next(
        g
        for g in setup_rows(made.folder, "doelgroepen")
        if (g["order_id"], g["doelgroep"]) == (row["order_id"], row["doelgroep"])
    )
    assert group["granted_hours_hundredths"] > 0


def test_commitments_late_missing_and_in_time(made: Made):
    rows = {row["municipality"]: row for row in setup_rows(made.folder, "municipalities")}
    (uncommitted,) = made.year.planted["uncommitted_municipality"]
    (later,) = made.year.planted["later_committed_municipality"]
    assert rows[uncommitted]["commitment_on"] is None
    assert rows[later]["commitment_on"].date() == date(2026, 3, 10)
    others = [r for c, r in rows.items() if not r["member_from"] and c not in (uncommitted, later)]
    assert others
    assert all(row["commitment_on"].date() < date(2026, 1, 1) for row in others)
    assert {row["commitment_cents"] is None for row in others} == {True, False}


def test_only_the_planted_member_lacks_a_debtor_row(made: Made):
    debtors = {row["payer"] for row in setup_rows(made.folder, "debtors")}
    members = {row["municipality"] for row in setup_rows(made.folder, "municipalities") if row["member_from"]}
    zorgkantoren = {row["zorgkantoor"] for row in setup_rows(made.folder, "zorgkantoren")}
    contributors = {row["payer"] for row in setup_rows(made.folder, "contributions")}
    assert len(members) == 11
    assert (members | zorgkantoren | contributors) - debtors == set(made.year.planted["member_without_debtor"])
    assert {"0779", "1719", "1728"} <= debtors
    ids = [row["oin"] for row in setup_rows(made.folder, "debtors")]
    assert len(set(ids)) == len(ids)
    assert all(len(oin) == 20 and oin.startswith("00000001") and oin.endswith("000") for oin in ids)


def test_member_list_differs_from_the_jeugdregio_by_besluit(made: Made):
    found = {row["subject"] for row in setup_rows(made.folder, "decisions") if row["kind"] == "ledenlijst"}
    assert found == {"1723", "0744"}


def claims_of(made: Made, case: str) -> list[Row]:
    """The claim lines of a planted order, law and month, in order of invoice date."""
    (place,) = made.year.planted[case]
    order_id, law, month = place.split()
    school = {"LP-SIZA-2025": "02ZX00", "BO-AMARANT-2025": "01FX00"}[order_id]
    rows = [row for path in sorted(made.folder.glob("declaratie-*")) for row in read(path, "provider_claims")]
    mine = [row for row in rows if (row["school"], row["month"]) == (school, month)]
    return sorted(
        (r for r in mine if r["law"] == {"jw": "jeugdwet", "wlz": "wlz"}[law]), key=lambda r: r["invoice_date"]
    )


def test_a_claim_sent_twice(made: Made):
    first, second = claims_of(made, "claim_duplicate")
    assert (first["invoice_number"], first["amount_cents"]) == (second["invoice_number"], second["amount_cents"])
    assert first["invoice_date"] < second["invoice_date"]


def test_a_wrong_claim_credited_in_full_and_sent_again(made: Made):
    wrong, *corrections = claims_of(made, "claim_corrected")
    by_kind = {row["debit_credit"]: row for row in corrections}
    assert wrong["debit_credit"] == "debet"
    assert by_kind["credit"]["amount_cents"] == wrong["amount_cents"] != by_kind["debet"]["amount_cents"]


def test_a_claim_for_march_that_came_in_may(made: Made):
    (late,) = claims_of(made, "claim_late")
    assert (late["month"], late["invoice_date"]) == ("2026-03", "2026-05-06")


def test_a_claim_for_july(made: Made):
    (july,) = claims_of(made, "claim_without_term")
    assert july["month"] == "2026-07"


def test_bad_timesheet_rows_stand_where_they_are_said_to(made: Made):
    seen = set()
    for place in made.year.planted["bad_timesheet_rows"]:
        name, _, number = place.rpartition(":")
        path = made.folder / name
        first = 2 if path.suffix == ".csv" else 4
        row = read(path, "provider_timesheets")[int(number) - first]
        fault = fault_of(row)
        assert fault, f"nothing is wrong at {place}"
        seen.add(fault)
    assert seen == {"date", "class", "duration"}
    assert len(made.year.planted["bad_timesheet_rows"]) == made.year.counts["bad_timesheet_rows"] >= 20


def fault_of(row: Row) -> str:
    if not row["class_code"]:
        return "class"
    if row["work_date"] == "volgt" or "02-31" in row["work_date"] or "31-02" in row["work_date"]:
        return "date"
    stated = row.get("duration_minutes") or row.get("stated_minutes") or ""
    begin_end = (row.get("begin_minute", ""), row.get("end_minute", ""))
    wrong = (
        stated.startswith("-")
        or stated in ("25,0", "25:00", "1500")
        or begin_end in (("8:00", "33:00"), ("14:00", "12:30"))
    )
    return "duration" if wrong else ""
