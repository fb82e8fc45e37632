"""Fout of mutatie (SPEC section 5): what a later file says otherwise, dated after the peildatum or not; and the shadow of it.

The small year has its peildatum on 1 July and its startdatum on 18 August 2025 (DOMAIN 8, items 16, 17 and 20).
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.year_builder import (
    BREDA,
    DE_BODDE,
    GOIRLE,
    HEUSDEN,
    LEIJPARK,
    LIST_DATE,
    MIDDEN_BRABANT,
    TILBURG,
    WEST_BRABANT,
    Year,
)
from zio_pipeline.errors import ZioError
from zio_pipeline.mutations import (
    Difference,
    as_established,
    differences,
    mutation_rows,
    not_comparable_rows,
    taken_rows,
    without_mutations,
    worklist_rows,
)
from zio_pipeline.payer import PayerInputs, decide_payers
from zio_pipeline.payer.facts import facts_of, thinned
from zio_pipeline.setup import Besluit
from zio_pipeline.shadow import shadow_shares
from zio_pipeline.versions import Base, calendar_of

OCTOBER, NOVEMBER = date(2025, 10, 1), date(2025, 11, 15)


def agreed() -> Year:
    """Two pupils of Tilburg, one of Heusden, one with a Wlz indication."""
    year = Year()
    year.pupils(2, municipality=TILBURG)
    year.pupil("heusden", municipality=HEUSDEN)
    year.wlz(year.pupil("wlz"))
    return year


def later(*changes: Callable[[Year], Any]) -> Year:
    """The same year, redelivered with changes; its rows come from other files."""
    year = agreed()
    for row in (*year.registrations, *year.indications):
        row["row_ref"] = f"later {row['row_ref']}"
    for change in changes:
        change(year)
    return year


def compared(year: Year, *besluiten: Besluit) -> list[Difference]:
    base = agreed()
    return differences(base.setup().settings, besluiten, base.payer_inputs(), year.payer_inputs())


def kinds(year: Year) -> list[tuple[str, date | None]]:
    return [(d.kind, d.dated_on) for d in compared(year)]


def registration(number: int, **values: Any) -> Callable[[Year], None]:
    return lambda year: year.registrations[number].update(values)


def indication(**values: Any) -> Callable[[Year], None]:
    return lambda year: year.indications[0].update(values)


def test_the_same_rows_in_a_later_file_say_nothing_new() -> None:
    assert kinds(later()) == []
    # Nor do another spelling of the municipality, better evidence, or the dagtekening of a later list.
    same = later(
        registration(0, municipality="Tilburg", municipality_evidence="confirmed"), indication(list_date=NOVEMBER)
    )
    assert kinds(same) == []


@pytest.mark.parametrize(
    ("change", "kind", "dated_on"),
    [
        (registration(0, municipality=BREDA, municipality_since=OCTOBER), "moved", OCTOBER),
        (registration(0, placed_to=NOVEMBER), "left", NOVEMBER),
        (registration(0, placed_to=date(2025, 8, 18)), "left", date(2025, 8, 18)),
        (lambda y: y.pupil("new", placed_from=OCTOBER), "placed", OCTOBER),
        (lambda y: y.wlz("heusden", issued_on=OCTOBER, starts_on=OCTOBER), "wlz_granted", OCTOBER),
        # DOMAIN 8.20: in force before the peildatum, decided after it.
        (lambda y: y.wlz("heusden", issued_on=OCTOBER), "wlz_granted", OCTOBER),
        (lambda y: y.wlz("heusden", issued_on=None, list_date=NOVEMBER), "wlz_granted", NOVEMBER),
        (indication(ends_on=NOVEMBER), "wlz_ended", NOVEMBER),
        (indication(delivery_form="2", issued_on=OCTOBER), "wlz_changed", OCTOBER),
    ],
)
def test_what_is_dated_after_the_peildatum_is_a_mutation(
    change: Callable[[Year], Any], kind: str, dated_on: date
) -> None:
    (found,) = compared(later(change))
    assert (found.kind, found.dated_on, found.is_mutation) == (kind, dated_on, True)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        # DOMAIN 8.17: a removal before the peildatum, reported afterwards.
        (registration(0, municipality=BREDA, municipality_since=date(2025, 5, 1)), "moved"),
        (registration(0, municipality=BREDA), "moved"),
        (registration(0, placed_to=date(2025, 8, 17)), "left"),
        (registration(0, needs_care=False), "pupil_data"),
        (registration(0, birth_date=date(2005, 1, 1)), "pupil_data"),
        (lambda y: y.pupil("new"), "placed"),
        (lambda y: y.registrations.pop(0), "left"),
        (lambda y: y.wlz("heusden"), "wlz_granted"),
        (indication(responsible_zorgkantoor=WEST_BRABANT), "wlz_changed"),
        (indication(ends_on=date(2025, 6, 1)), "wlz_ended"),
    ],
)
def test_what_nothing_dates_is_for_a_person_to_judge(change: Callable[[Year], Any], kind: str) -> None:
    year = later(change)
    (found,) = compared(year)
    assert (found.kind, found.dated_on, found.is_mutation) == (kind, None, False)
    (row,) = worklist_rows([found], agreed().setup(), agreed().outcome().decisions)
    assert (row["reason"], row["blocking"], row["decision_id"], row["order_id"]) == (
        "error_or_mutation",
        False,
        None,
        "LP",
    )
    assert mutation_rows([found], agreed().setup(), []) == []


def test_another_class_from_october_is_one_pupil_moving_on() -> None:
    """The old row ended, or gone altogether because the school exports present placements only."""

    def on_to_another(year: Year) -> None:
        year.school_class("EMB2")
        year.registrations.append(
            year.registrations[0] | {"class_code": "EMB2", "placed_from": OCTOBER, "row_ref": "later x"}
        )

    ended = later(on_to_another, registration(0, placed_to=date(2025, 9, 30)))
    assert kinds(ended) == [("left", date(2025, 9, 30)), ("placed", OCTOBER)]
    gone = later(on_to_another, lambda y: y.registrations.pop(0))
    assert sorted(kinds(gone)) == [("left", OCTOBER), ("placed", OCTOBER)]


def test_a_school_without_a_file_and_a_pupil_in_quarantine_say_nothing() -> None:
    assert kinds(later(lambda y: y.registrations.clear(), lambda y: y.indications.clear())) == []
    rejected = later(lambda y: y.registrations.pop(0))
    rejected.quarantine("pupil_registrations", pupil="p0")
    assert kinds(rejected) == []


def test_a_besluit_calls_it_a_mutation() -> None:
    year = later(registration(0, needs_care=False), lambda y: y.wlz("heusden"))
    year.besluit("mutation", decision_id="M1", pupil="p0")
    year.besluit("mutation", decision_id="M2", row_ref=year.indications[1]["row_ref"])
    found = compared(year, *year.setup().decisions_of("mutation"))
    assert [(d.decision_id, d.is_mutation) for d in found] == [("M1", True), ("M2", True)]
    rows = worklist_rows(found, agreed().setup(), [])
    assert sorted(row["decision_id"] for row in rows) == ["M1", "M2"]


def test_no_pupil_stands_in_the_mutations() -> None:
    year = later(registration(0, municipality=BREDA, municipality_since=OCTOBER))
    (row,) = mutation_rows(compared(year), agreed().setup(), agreed().outcome().decisions)
    assert row == {
        "school_year": "2025-2026",
        "row_ref": "later leerlingen:2",
        "kind": "moved",
        "order_id": "LP",
        "dated_on": OCTOBER,
        "decision_id": None,
    }
    (point,) = not_comparable_rows("2025-2026", ["leerlingen-abc"])
    assert (point["subject"], point["blocking"]) == ("leerlingen-abc", False)


def test_rows_that_were_thinned_compare_as_they_did() -> None:
    """After establishment birth date and postcode are gone (SPEC 8)."""
    base, year = agreed(), later(registration(0, municipality=BREDA))
    setup = base.setup()
    thin = [thinned(facts, setup.settings) for facts in facts_of(base.registrations, setup.settings)]
    before = replace(base.payer_inputs(), registrations=thin)
    assert [d.kind for d in differences(setup.settings, [], before, year.payer_inputs())] == ["moved"]
    assert differences(setup.settings, [], before, later().payer_inputs()) == []


# --- the inputs of a new version --------------------------------------------------------------------------------------


def new_inputs(year: Year) -> PayerInputs:
    return without_mutations(compared(year), agreed().payer_inputs(), year.payer_inputs())


def test_a_new_version_takes_errors_and_leaves_mutations() -> None:
    year = later(
        registration(0, municipality=BREDA, municipality_since=OCTOBER),  # moved: Tilburg keeps paying
        registration(1, municipality=GOIRLE),  # an error: Goirle pays
        indication(ends_on=NOVEMBER, list_date=NOVEMBER),  # ended later: stays Wlz
        lambda y: y.wlz(y.pupil("new", placed_from=OCTOBER), issued_on=OCTOBER),  # came later, with an indication
    )
    outcome = decide_payers(year.setup(), new_inputs(year))
    assert {d.pupil: d.payer for d in outcome.decisions} == {
        "p0": TILBURG,
        "p1": GOIRLE,
        "heusden": HEUSDEN,
        "wlz": MIDDEN_BRABANT,
    }
    assert [item.reason for item in outcome.worklist if item.decision_id is None] == []


def test_what_is_taken_is_named_and_a_mutation_is_not() -> None:
    year = later(registration(0, municipality=BREDA, municipality_since=OCTOBER), registration(1, municipality=GOIRLE))
    assert taken_rows(compared(year)) == (year.registrations[1]["row_ref"],)


def test_a_version_for_another_reason_leaves_every_pupil_as_established() -> None:
    """Error or mutation? Nobody said yet, and a wrong tariff does not settle it. A school that is new says its own."""
    year = later(
        registration(1, municipality=GOIRLE),
        lambda y: y.pupil("undated", municipality=GOIRLE),
        lambda y: y.wlz("p0", zorgkantoor=WEST_BRABANT),
        lambda y: y.wlz(y.pupil("elsewhere", "Z1", BREDA, school=DE_BODDE)),
        lambda y: y.quarantine("pupil_registrations", pupil="p1", school=LEIJPARK, class_code="EMB1"),
        lambda y: y.quarantine("pupil_registrations", pupil="x", school=DE_BODDE, class_code="Z1"),
    )
    before, now = agreed().payer_inputs(), year.payer_inputs()
    made = as_established(before, now)
    assert [r for r in made.registrations if r["school"] == LEIJPARK] == before.registrations
    assert [r["pupil"] for r in made.registrations if r["school"] == DE_BODDE] == ["elsewhere"]
    assert [r["pupil"] for r in made.indications] == [*(r["pupil"] for r in before.indications), "elsewhere"]
    assert [r["pupil"] for r in made.quarantined] == ["x"]


def test_an_indication_without_afgiftedatum_stays_known_in_a_later_list() -> None:
    """Its dagtekening dates it (SPEC 3.3); the one of the later list would come after the peildatum."""
    base = agreed()
    base.indications[0]["issued_on"] = None
    year = later(indication(issued_on=None, list_date=NOVEMBER))
    found = differences(base.setup().settings, [], base.payer_inputs(), year.payer_inputs())
    assert found == []
    kept = without_mutations(found, base.payer_inputs(), year.payer_inputs())
    assert [row["list_date"] for row in kept.indications] == [LIST_DATE]


# --- the shadow -------------------------------------------------------------------------------------------------------


def shadow(year: Year, as_of: date = NOVEMBER) -> dict[tuple[str, str], tuple[int, int]]:
    base_year = agreed()
    figures = base_year.figures()
    base = Base(1, "a" * 64, "mutation", figures.tables, calendar_of(figures.setup.settings))
    rows = shadow_shares(figures.setup, base, figures.outcome, year.payer_inputs(), as_of)
    assert sum(row["difference_cents"] for row in rows) == 0
    assert all(row["difference_cents"] == row["shadow_cents"] - row["established_cents"] for row in rows)
    return {(r["stream"], r["payer"]): (r["established_cents"], r["shadow_cents"]) for r in rows}


def test_the_shadow_of_nothing_is_nothing() -> None:
    assert all(before == after for before, after in shadow(later()).values())


def test_the_shadow_of_a_removal_a_departure_and_an_indication() -> None:
    """24.000,00 over four pupils: 6.000,00 each."""
    moved = later(registration(0, municipality=BREDA, municipality_since=OCTOBER))
    assert shadow(moved) == {
        ("jeugdwet", BREDA): (0, 6_000_00),
        ("jeugdwet", HEUSDEN): (6_000_00, 6_000_00),
        ("jeugdwet", TILBURG): (12_000_00, 6_000_00),
        ("wlz_zin", MIDDEN_BRABANT): (6_000_00, 6_000_00),
    }
    assert shadow(moved, date(2025, 9, 1))["jeugdwet", TILBURG] == (12_000_00, 12_000_00), "not yet moved"
    left = later(registration(0, placed_to=OCTOBER))
    assert shadow(left)["jeugdwet", TILBURG] == (12_000_00, 8_000_00)
    granted = later(lambda y: y.wlz("heusden", issued_on=OCTOBER, starts_on=OCTOBER))
    assert shadow(granted)["wlz_zin", MIDDEN_BRABANT] == (6_000_00, 12_000_00)


def test_who_stands_on_the_worklist_then_keeps_the_established_payer() -> None:
    assert shadow(later(registration(2, country="België")))["jeugdwet", HEUSDEN] == (6_000_00, 6_000_00)


def test_a_doelgroep_that_everybody_left_keeps_its_key() -> None:
    everybody = later(*(registration(n, placed_to=OCTOBER) for n in range(4)))
    assert all(before == after for before, after in shadow(everybody).values())


def test_the_shadow_of_a_year_whose_rows_were_thinned() -> None:
    base = agreed()
    config = base.setup().settings
    base.registrations = [thinned(facts, config) for facts in facts_of(base.registrations, config)]
    base.sheets["classes"][0]["expected_pupils"] = 4
    assert all(before == after for before, after in shadow(base).values())


@pytest.mark.parametrize("as_of", [date(2025, 8, 17), date(2026, 8, 1)])
def test_a_shadow_of_a_day_outside_the_year_is_refused(as_of: date) -> None:
    with pytest.raises(ZioError, match="schaduwoverzicht kan van 18-08-2025 tot en met 31-07-2026"):
        shadow(later(), as_of)


CHANGES = (
    registration(0, municipality=BREDA, municipality_since=OCTOBER),
    registration(1, municipality=GOIRLE),
    registration(2, placed_to=NOVEMBER),
    registration(3, needs_care=False),
    indication(ends_on=NOVEMBER),
    lambda year: year.wlz("heusden", issued_on=OCTOBER),
    lambda year: year.pupil("new", placed_from=OCTOBER),
)


@settings(max_examples=30, deadline=None)
@given(chosen=st.sets(st.sampled_from(range(len(CHANGES)))), chance=st.randoms(use_true_random=False))
def test_the_order_of_the_rows_never_matters(chosen: set[int], chance: Any) -> None:
    year = later(*(CHANGES[n] for n in sorted(chosen)))
    shuffled = deepcopy(year)
    chance.shuffle(shuffled.registrations)
    chance.shuffle(shuffled.indications)
    assert compared(shuffled) == compared(year)
    assert shadow(shuffled) == shadow(year)
    assert decide_payers(year.setup(), new_inputs(shuffled)) == decide_payers(year.setup(), new_inputs(year))
