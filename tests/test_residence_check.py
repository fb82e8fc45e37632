"""The residence check: a municipality sees its own pupils and nobody else's, answers, and the payer decision takes it in."""

import argparse
import io
import shutil
import stat
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from resources.home import Home
from tests.year_builder import (
    BREDA,
    LEIJPARK,
    REFERENCE_DATE,
    TILBURG,
    Year,
    decision_of,
    open_points,
    open_reasons,
    signal_reasons,
)
from zio_pipeline.cli import residence as cli
from zio_pipeline.cli.parsing import Command
from zio_pipeline.demo import generate
from zio_pipeline.errors import ZioError
from zio_pipeline.payer import PayerOutcome, decide_payers
from zio_pipeline.residence_answers import Answers, read_answers
from zio_pipeline.residence_check import Child, children_of, workbook
from zio_pipeline.setup import read_setup
from zio_pipeline.stages import receiving, residence, vault_log, year
from zio_pipeline.stages.inputs import year_inputs
from zio_pipeline.stages.receiving import receive
from zio_pipeline.stages.residence_answers import answer_files, answer_rows

YEAR, ON = "2025-2026", date(2025, 7, 10)
ANSWERS = ("bevestigd (ja/nee)", "sinds wanneer", "welke gemeente dan wel", "toelichting")


def pseudonym(number: int) -> str:
    return f"{number:064x}"


def asked_year() -> Year:
    """Two pupils of Tilburg, one of Breda; one paid from the Wlz; one by besluit provisionally by Tilburg as penvoerder."""
    year = Year()
    year.pupil(pseudonym(1 << 252), municipality=TILBURG, municipality_since=date(2024, 2, 1))
    year.pupil(pseudonym(2 << 252), municipality=TILBURG, secret_address=True, postcode=None)
    year.pupil(pseudonym(3 << 252), municipality=BREDA)
    year.wlz(year.pupil(pseudonym(4 << 252), municipality=TILBURG))
    year.besluit("provisional", pupil=year.pupil(pseudonym(5 << 252), municipality=None))
    return year


def children(municipality: str = TILBURG, year: Year | None = None) -> list[Child]:
    year = year or asked_year()
    return children_of(municipality, year.outcome().decisions, year.registrations)


def sent(asked: list[Child], municipality: tuple[str, str] = (TILBURG, "Tilburg")) -> bytes:
    return workbook(municipality, YEAR, REFERENCE_DATE, asked, {LEIJPARK: "Onderwijscentrum Leijpark"})


def filled(data: bytes, answers: Mapping[int, tuple[object, ...]]) -> bytes:
    """The workbook with the answers of some of its rows filled in, as a municipality would; row 0 is the first child."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    sheet = book.active
    header = next(cell.row for (cell, *_) in sheet.iter_rows() if cell.value == "gemeente")
    for row, values in answers.items():
        for column, value in enumerate(values, start=9):
            sheet.cell(header + 1 + row, column, value)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def answered(answers: Mapping[int, tuple[object, ...]], asked: list[Child] | None = None) -> Answers:
    asked = asked or children()
    return read_answers(filled(sent(asked), answers), {TILBURG: references(asked)}, REFERENCE_DATE)


def references(asked: list[Child]) -> dict[str, str]:
    return {child.reference: child.pupil for child in asked}


def problem(answers: Mapping[int, tuple[object, ...]]) -> str:
    with pytest.raises(ZioError) as stopped:
        answered(answers)
    return str(stopped.value)


def test_a_municipality_sees_its_own_pupils_and_nobody_elses() -> None:
    """SPEC 6: not those of another, not those the Wlz pays, not those it pays provisionally as penvoerder."""
    assert [child.pupil for child in children(TILBURG)] == [pseudonym(1 << 252), pseudonym(2 << 252)]
    assert [child.pupil for child in children(BREDA)] == [pseudonym(3 << 252)]
    assert children("0797") == []


def test_a_reference_is_short_and_tells_children_apart() -> None:
    year = Year()
    year.pupil("a" * 63 + "1")
    year.pupil("a" * 63 + "2")
    assert [child.reference for child in children(TILBURG, year)] == [f"L-{'a' * 63}1", f"L-{'a' * 63}2"]
    assert [child.reference for child in children(TILBURG)] == ["L-1000000000", "L-2000000000"]


def test_the_workbook_shows_what_it_takes_to_recognise_a_child_and_no_more() -> None:
    """No class: it tells what is the matter. No postcode of a secret address. The same children give the same bytes."""
    data = sent(children())
    assert data == sent(children())
    sheet = openpyxl.load_workbook(io.BytesIO(data)).active
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    header = next(n for n, row in enumerate(rows) if row[0] == "gemeente")
    assert rows[header][:8] == [
        "gemeente",
        "verwijzing",
        "school",
        "bestand en regel van de school",
        "geboortedatum",
        "postcode",
        "gemeente sinds",
        "bewijs",
    ]
    assert tuple(rows[header][8:12]) == ANSWERS
    first, second = rows[header + 1], rows[header + 2]
    assert first[:4] == [TILBURG, "L-1000000000", f"Onderwijscentrum Leijpark ({LEIJPARK})", "leerlingen:2"]
    assert (f"{first[4]:%Y-%m-%d}", first[5], f"{first[6]:%Y-%m-%d}") == ("2015-03-01", "5038AA", "2024-02-01")
    assert second[5] == "geheim"
    assert "EMB1" not in str(rows)
    assert pseudonym(1 << 252) not in str(rows)


def test_only_the_answers_can_be_changed() -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(sent(children()))).active
    assert sheet.protection.sheet
    last = [cell.protection.locked for cell in sheet[sheet.max_row]]
    assert last == [True] * 8 + [False] * 4


def test_answers_are_read_by_their_headers() -> None:
    found = answered({0: ("ja", date(2024, 2, 1)), 1: ("nee", None, "Breda", "verhuisd in mei")})
    assert (found.municipality, found.unanswered) == (TILBURG, 0)
    yes, no = found.answers
    assert (yes.pupil, yes.confirmed, yes.since, yes.other) == (pseudonym(1 << 252), True, date(2024, 2, 1), None)
    assert (no.confirmed, no.other, no.other_text, no.note) == (False, BREDA, "Breda", "verhuisd in mei")


def test_a_row_left_open_is_no_answer_and_one_nobody_can_place_keeps_its_words() -> None:
    found = answered({1: ("Nee", "1-9-2025", "onbekend")})
    assert found.unanswered == 1
    assert [(a.confirmed, a.since, a.other, a.other_text) for a in found.answers] == [
        (False, date(2025, 9, 1), None, "onbekend")
    ]


def test_columns_may_stand_in_another_order_in_a_text_file() -> None:
    asked = children()
    text = f"bevestigd ja nee;verwijzing;gemeente\r\nja;{asked[0].reference};855\r\n"
    found = read_answers(text.encode(), {TILBURG: references(asked)}, REFERENCE_DATE)
    assert [answer.pupil for answer in found.answers] == [asked[0].pupil]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (("misschien",), "schrijf bij 'bevestigd' ja of nee"),
        ((None, date(2024, 1, 1)), "vul bij 'bevestigd' ja of nee in"),
        (("ja", "vorig jaar"), "schrijf 'sinds wanneer' als een bestaande datum"),
        (("ja", "31-02-2024"), "schrijf 'sinds wanneer' als een bestaande datum"),
        (("ja", date(2025, 7, 2)), "ja, maar sinds een dag na de peildatum 01-07-2025"),
        (("ja", None, "Breda"), "er staat ja, en ook een andere gemeente"),
        (("nee", None, "Tilburg"), "de andere gemeente is uw eigen gemeente"),
    ],
)
def test_what_cannot_be_is_refused_with_row_and_reason(answer: tuple[object, ...], said: str) -> None:
    """Whole: the good row beside it is not taken in either."""
    message = problem({0: answer, 1: ("ja",)})
    assert said in message
    assert "rij 9:" in message
    assert "er is niets gewijzigd" in message


def test_an_answer_about_another_child_or_municipality_is_refused() -> None:
    asked = children()
    data = filled(sent(asked), {0: ("ja",)})
    for known in ({TILBURG: {}}, {TILBURG: {"L-2000000000": "x"}}):
        with pytest.raises(ZioError, match="niet aan deze gemeente gevraagd"):
            read_answers(data, known, REFERENCE_DATE)
    with pytest.raises(ZioError, match="dezelfde gemeente noemen"):
        read_answers(data, {BREDA: references(asked)}, REFERENCE_DATE)


def test_two_answers_about_one_child_are_refused_unless_they_agree() -> None:
    asked = children()
    text = "gemeente;verwijzing;bevestigd\r\n"
    rows = [f"0855;{asked[0].reference};{answer}\r\n" for answer in ("ja", "ja", "nee")]
    header = text.replace("bevestigd", "bevestigd (ja/nee)")
    known = {TILBURG: references(asked)}
    assert len(read_answers((header + rows[0] + rows[1]).encode(), known, REFERENCE_DATE).answers) == 1
    with pytest.raises(ZioError, match="vaker, met verschillende antwoorden"):
        read_answers((header + rows[0] + rows[2]).encode(), known, REFERENCE_DATE)


@pytest.mark.parametrize("data", [b"", b"\x00\x01", b"naam;geboortedatum\r\nx;y\r\n", b"PK\x03\x04kapot"])
def test_something_else_is_refused(data: bytes) -> None:
    with pytest.raises(ZioError):
        read_answers(data, {TILBURG: {}}, REFERENCE_DATE)


def test_a_header_that_stands_there_twice_is_refused() -> None:
    twice = "gemeente;verwijzing;bevestigd (ja/nee);Bevestigd (ja/nee)\n0855;x;ja;nee\n"
    with pytest.raises(ZioError, match="staat er meer dan één keer"):
        read_answers(twice.encode(), {TILBURG: {"x": "p"}}, REFERENCE_DATE)


def test_a_child_that_is_not_in_the_answer_is_not_answered() -> None:
    one = "gemeente;verwijzing;bevestigd (ja/nee)\n0855;x;ja\n"
    found = read_answers(one.encode(), {TILBURG: {"x": "p", "y": "q", "z": "r"}}, REFERENCE_DATE)
    assert (len(found.answers), found.unanswered) == (1, 2)


def test_nothing_answered_is_said() -> None:
    assert "geen enkele rij beantwoord" in problem({})


@given(st.binary(max_size=300))
def test_any_bytes_end_in_a_reason(data: bytes) -> None:
    """SPEC 9: never in a traceback as the only answer."""
    with pytest.raises(ZioError):
        read_answers(data, {TILBURG: {}}, REFERENCE_DATE)


# --- what an answer does to the payer ---------------------------------------------------------------------------------


def answer(pupil: str, confirmed: bool, municipality: str = TILBURG, **values: Any) -> dict[str, Any]:
    said = {"pupil": pupil, "municipality": municipality, "confirmed": confirmed, "other": None, "sequence": 1}
    return said | values


def outcome_with(*answers: dict[str, Any], year: Year | None = None, municipality: str = TILBURG) -> PayerOutcome:
    year = year or Year()
    year.pupil("p1", municipality=municipality)
    return decide_payers(year.setup(), replace(year.payer_inputs(), residence_answers=answers))


def test_a_confirmed_residence_is_evidence() -> None:
    found = decision_of(outcome_with(answer("p1", True)), "p1")
    assert (found.payer, found.evidence) == (TILBURG, "bevestigd door de gemeente")


def test_a_disputed_residence_waits_on_the_worklist() -> None:
    """It blocks its order, names the other municipality, and a besluit settles it."""
    outcome = outcome_with(answer("p1", False, other=BREDA))
    assert (open_reasons(outcome), outcome.decisions) == (["residence_disputed"], ())
    assert "Genoemd wordt: 0758." in open_points(outcome)[0].explanation
    year = Year()
    year.besluit("definitive", pupil="p1", stream="jeugdwet", payer=BREDA)
    settled = outcome_with(answer("p1", False), year=year)
    assert (open_reasons(settled), decision_of(settled, "p1").payer) == ([], BREDA)
    assert signal_reasons(settled) == []


def test_a_redelivery_that_names_another_municipality_ends_the_dispute() -> None:
    """What Tilburg denies says nothing against Breda; only Breda can."""
    no = answer("p1", False, other=BREDA)
    assert decision_of(outcome_with(no, municipality=BREDA), "p1").payer == BREDA
    both = outcome_with(no, answer("p1", True, BREDA), municipality=BREDA)
    assert decision_of(both, "p1").evidence == "bevestigd door de gemeente"


def test_another_municipality_that_claims_the_child_is_a_dispute() -> None:
    """Never a guess between two that both say yes, nor between the file and a yes of another."""
    assert open_reasons(outcome_with(answer("p1", True, BREDA))) == ["residence_disputed"]
    assert open_reasons(outcome_with(answer("p1", True), answer("p1", True, BREDA))) == ["residence_disputed"]


@pytest.mark.parametrize("turn", [1, -1])
def test_the_last_answer_of_a_municipality_counts_whatever_the_order_of_the_rows(turn: int) -> None:
    answers = [answer("p1", False, sequence=1), answer("p1", True, sequence=2)][::turn]
    assert open_reasons(outcome_with(*answers)) == []


def test_an_answer_changes_nothing_for_a_pupil_of_the_wlz_or_a_point_that_was_open_already() -> None:
    year = Year()
    year.wlz("p1")
    assert decision_of(outcome_with(answer("p1", False), year=year), "p1").stream == "wlz_zin"
    adult = Year()
    adult.pupil("p1", birth_date=date(2005, 1, 1))
    inputs = replace(adult.payer_inputs(), residence_answers=[answer("p1", True)])
    assert open_reasons(decide_payers(adult.setup(), inputs)) == ["adult"]


# --- out of the vault and back in -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def received(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a fictitious year, not established."""
    folder = tmp_path_factory.mktemp("residence") / "home"
    home = Home.open(folder, {})
    generate(home.inbox, YEAR, 60, 5)
    for path in (*home.inbox.glob("urenstaat-*"), *home.inbox.glob("declaratie-*")):
        path.unlink()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(receiving, "audit_deliveries", lambda *_, **__: None)
        receive(home, home.inbox, ON)
    return folder


@pytest.fixture
def home(received: Path, tmp_path: Path) -> Home:
    shutil.copytree(received, tmp_path / "home")
    return Home.open(tmp_path / "home", {})


def log(home: Home) -> list[tuple[Any, ...]]:
    names = ("sequence", "what", "municipality", "row_count", "done_by", "done_on")
    return [tuple(row[name] for name in names) for row in vault_log.lines(home, YEAR)]


def test_what_leaves_the_vault_is_for_its_owner_alone_and_logged(home: Home) -> None:
    question = residence.ask(home, YEAR, TILBURG, "an", ON)
    assert stat.S_IMODE(question.path.stat().st_mode) == 0o600
    for folder in (question.path.parent, question.path.parent.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert log(home) == [(1, "residence_asked", TILBURG, question.children, "an", ON)]
    sealed = b"".join(path.read_bytes() for path in (home.folder / "vault").rglob("*.enc"))
    assert b"xl/worksheets" not in sealed
    assert question.path.read_bytes()[:2] == b"PK"


def test_an_answer_is_kept_sealed_once_and_counts(home: Home) -> None:
    question = residence.ask(home, YEAR, TILBURG, "an", ON)
    data = filled(question.path.read_bytes(), {0: ("ja",), 1: ("nee", None, "Breda")})
    reply = residence.take_answer(home, YEAR, data, "bo", ON)
    assert (reply.municipality, reply.confirmed, reply.disputed, reply.fresh) == (TILBURG, 1, 1, True)
    assert reply.unanswered == question.children - 2
    again = residence.take_answer(home, YEAR, data, "bo", ON)
    assert not again.fresh
    assert [line[1] for line in log(home)] == ["residence_asked", "residence_answered"]
    inputs = year_inputs(home, YEAR)
    files = answer_files(home, YEAR)
    answers = answer_rows(home, YEAR, files)
    outcome = decide_payers(read_setup(inputs.sheets), replace(inputs.payer, residence_answers=answers))
    disputed = next(row["pupil"] for row in answers if not row["confirmed"])
    assert disputed in {p.subject for p in open_points(outcome) if p.reason == "residence_disputed"}
    confirmed = next(row["pupil"] for row in answers if row["confirmed"])
    assert decision_of(outcome, confirmed).evidence == "bevestigd door de gemeente"


def test_answers_read_after_the_receipt_are_not_those_of_the_receipt(home: Home) -> None:
    """SPEC 5: later files change nothing that was established."""
    question = residence.ask(home, YEAR, TILBURG, "an", ON)
    residence.take_answer(home, YEAR, filled(question.path.read_bytes(), {0: ("ja",)}), "bo", ON)
    pinned = answer_files(home, YEAR)
    residence.take_answer(home, YEAR, filled(question.path.read_bytes(), {0: ("nee",)}), "bo", ON)
    assert answer_files(home, YEAR, pinned) == pinned
    assert answer_files(home, YEAR, []) == []
    assert [row["confirmed"] for row in answer_rows(home, YEAR, answer_files(home, YEAR))] == [True, False]


def test_a_dispute_that_came_after_the_establishment_is_a_point_that_blocks_nothing(home: Home) -> None:
    question = residence.ask(home, YEAR, TILBURG, "an", ON)
    residence.take_answer(home, YEAR, filled(question.path.read_bytes(), {1: ("nee",)}), "bo", ON)
    inputs = year_inputs(home, YEAR)
    payer = replace(inputs.payer, residence_answers=[])  # as the receipt of a year that was established before it
    outcome = decide_payers(read_setup(inputs.sheets), payer)
    (row,) = residence.later_disputes(home, YEAR, payer, outcome)
    (disputed,) = inputs.payer.residence_answers
    assert (row["reason"], row["subject"], row["blocking"]) == ("residence_disputed", disputed["pupil"], False)
    assert row["explanation"].startswith("Na de vaststelling binnengekomen")
    assert residence.later_disputes(home, YEAR, inputs.payer, outcome) == []


def test_what_was_written_is_read_out_of_the_vault_beside_its_point_and_logged(home: Home) -> None:
    question = residence.ask(home, YEAR, TILBURG, "an", ON)
    answers = {0: ("ja",), 1: ("nee", None, "Verweggistan", "moeder is verhuisd")}
    residence.take_answer(home, YEAR, filled(question.path.read_bytes(), answers), "bo", ON)
    year.publish_decisions(home, YEAR)
    (point,) = home.warehouse.rows("worklist", reason="residence_disputed")
    (words,) = residence.words(home, YEAR, "cor", ON)
    assert (words.points, words.row_ref) == ((point["item_id"],), point["row_ref"])
    assert (words.other_text, words.note) == ("Verweggistan", "moeder is verhuisd")
    assert log(home)[-1] == (3, "residence_words_read", TILBURG, 1, "cor", ON)
    tables = [home.warehouse.rows(name) for name in ("worklist", "vault_log", "signals")]
    assert "verhuisd" not in str(tables)
    assert "Verweggistan" not in str(tables)
    with pytest.raises(ZioError, match="--by"):
        residence.words(home, YEAR, " ", ON)


def test_a_refused_answer_changes_nothing(home: Home) -> None:
    question = residence.ask(home, YEAR, TILBURG, "an", ON)
    before = (log(home), home.vault.names())
    with pytest.raises(ZioError, match="rij"):
        residence.take_answer(home, YEAR, filled(question.path.read_bytes(), {0: ("wie weet",)}), "bo", ON)
    assert (log(home), home.vault.names()) == before


def test_the_log_and_the_messages_name_nobody(home: Home) -> None:
    question = residence.ask(home, YEAR, TILBURG, "an", ON)
    pupils = {row["pupil"] for row in year_inputs(home, YEAR).payer.registrations}
    shown = str(home.warehouse.rows("vault_log")) + question.path.name
    assert not [pupil for pupil in pupils if pupil[:10] in shown]


def test_a_municipality_without_pupils_or_that_is_none_gets_no_workbook(home: Home) -> None:
    with pytest.raises(ZioError, match="bestaat niet op de peildatum"):
        residence.ask(home, YEAR, "9999", "an", ON)
    with pytest.raises(ZioError, match="geen enkele leerling"):
        residence.ask(home, YEAR, "0363", "an", ON)
    with pytest.raises(ZioError, match="--by"):
        residence.ask(home, YEAR, TILBURG, " ", ON)
    assert log(home) == []


def typed(home: Home, *words: str, terminal: bool = False, as_of: str = "2025-07-10") -> int:
    """A command as a person types it."""
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers()

    def add(name: str, command: Command, help_text: str, *, year: bool = True) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help_text)
        sub.set_defaults(command=command, home=home.folder)
        sub.add_argument("--school-year", required=year)
        return sub

    cli.add_to(add)
    args = parser.parse_args([*words, "--school-year", YEAR, "--by", "an", "--as-of", as_of])
    status: int = args.command(args, Console(width=200, force_terminal=terminal))
    return status


def test_the_commands_ask_and_read_as_a_person_types_them(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert typed(home, "residence-check", "--municipality", "855") == 0
    (made,) = (home.folder / "vertrouwelijk" / "woonplaatstoets").iterdir()
    made.write_bytes(filled(made.read_bytes(), {0: ("ja",), 1: ("nee",)}))
    assert typed(home, "residence-answer", "--file", str(made)) == 0
    assert typed(home, "residence-answer", "--file", str(made)) == 0
    shown = capsys.readouterr().out
    assert "Gemeente 0855: 1 bevestigd, 1 betwist" in shown
    assert shown.count("was al ingelezen") == 1
    assert [line[1] for line in log(home)] == ["residence_asked", "residence_answered"]


def test_what_was_written_is_shown_on_a_screen_only(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    question = residence.ask(home, YEAR, TILBURG, "an", ON)
    data = filled(question.path.read_bytes(), {0: ("nee", None, "Breda", "[red]bij oma\u009b2J")})
    residence.take_answer(home, YEAR, data, "bo", ON)
    with pytest.raises(ZioError, match="alleen op een scherm"):
        typed(home, "residence-words")
    assert typed(home, "residence-words", terminal=True) == 0
    shown = capsys.readouterr().out
    assert "[red]bij oma" in shown
    assert "\u009b" not in shown


@pytest.mark.parametrize(
    "command", [("residence-check", "--municipality", "855"), ("residence-answer", "--file", "x"), ("residence-words",)]
)
def test_a_day_that_is_still_to_come_is_refused_in_a_real_year(
    home: Home, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    def real(*_: Any) -> Any:
        return replace(setup, settings=replace(setup.settings, fictitious=False))

    setup = read_setup(year_inputs(home, YEAR).sheets)
    monkeypatch.setattr(cli, "current_setup", real)
    with pytest.raises(ZioError, match="De datum 01-01-2125 ligt in de toekomst"):
        typed(home, *command, terminal=True, as_of="2125-01-01")
    assert log(home) == []
