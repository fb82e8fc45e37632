"""Municipalities and zorgkantoren: every spelling finds the right code, every doubt comes back as a problem."""

import csv
import io
from datetime import date, timedelta
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zio_pipeline.reference import PROBLEMS, Resolution, municipalities, zorgkantoor_name

PEILDATUM = date(2025, 7, 1)
BEFORE_HAAREN_ENDED = date(2020, 12, 31)
AFTER_HAAREN_ENDED = date(2021, 1, 1)


def table(name: str) -> list[dict[str, str]]:
    text = resources.files("zio_pipeline").joinpath("reference_data", name).read_text("utf-8")
    return list(csv.DictReader(io.StringIO(text), delimiter=";"))


def resolve(text: str | None, on: date = PEILDATUM, postcode: str | None = None) -> str | None:
    """The code, or the problem: no code looks like a problem."""
    found = municipalities().resolve(text, on, postcode)
    assert (found.code is None) != (found.problem is None)
    assert found.problem is None or found.problem in PROBLEMS
    return found.code or found.problem


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0855", "0855"),
        ("855", "0855"),
        (" 855 ", "0855"),
        ("GM0855", "0855"),
        ("gm 0855", "0855"),
        ("14", "0014"),
        ("Tilburg", "0855"),
        ("TILBURG", "0855"),
        ("Tilburg (gemeente)", "0855"),
        ("Gemeente Tilburg", "0855"),
        ("gem. Tilburg", "0855"),
        ("Den Bosch", "0796"),
        ("'s-Hertogenbosch", "0796"),
        ("’s-Hertogenbosch", "0796"),
        ("'s Hertogenbosch", "0796"),
        ("'S-HERTOGENBOSCH", "0796"),
        ("S HERTOGENBOSCH", "0796"),
        ("sHertogenbosch", "0796"),
        ("Den Haag", "0518"),
        ("'S GRAVENHAGE", "0518"),
        ("S GRAVENHAGE", "0518"),
        ("'s-Gravenhage (gemeente)", "0518"),
        ("Gilze-Rijen", "0784"),
        ("Gilze en Rijen", "0784"),
        ("Gilze & Rijen", "0784"),
        ("Loon op zand", "0809"),
        ("LOON  OP\tZAND", "0809"),
        ("Reusel-de Mierden", "1667"),
        ("Alphen Chaam", "1723"),
        ("Baarle Nassau", "0744"),
        ("Nuenen, Gerwen en Nederwetten", "0820"),
        ("Nuenen c.a.", "0820"),
        ("Sudwest Fryslan", "1900"),
        ("Súdwest-Fryslân", "1900"),
        ("Su\u0301dwest-Frysla\u0302n", "1900"),
        ("St. Michielsgestel", "0845"),
        ("Hengelo", "0164"),
        ("Hengelo (O.)", "0164"),
        ("Bergen (NH)", "0373"),
        ("Bergen (L)", "0893"),
        ("Ĳsselstein", "0353"),
        ("Kaatsheuvel", "0809"),
        ("Drunen", "0797"),
        ("Rijen", "0784"),
        ("Udenhout", "0855"),
        ("Berkel-Enschot", "0855"),
        ("Biezenmortel", "0855"),
    ],
)
def test_spellings(text: str, expected: str) -> None:
    assert resolve(text) == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "missing"),
        ("", "missing"),
        ("  ", "missing"),
        ("-", "missing"),
        ("\u00a0", "missing"),
        ("Belgie", "abroad"),
        ("België", "abroad"),
        ("ander land", "abroad"),
        ("Baarle-Hertog", "abroad"),
        ("Onbekend", "unknown"),
        ("Tilburgg", "unknown"),
        ("Tilburg/Goirle", "unknown"),
        ("gemeente", "unknown"),
        ("0000", "unknown"),
        ("9999", "unknown"),
        ("00855", "unknown"),
        ("8.55", "unknown"),
        ("Bergen", "ambiguous"),
        ("Haaren", "split"),
        ("0788", "split"),
    ],
)
def test_doubt_is_a_problem(text: str | None, problem: str) -> None:
    assert resolve(text) == problem


@pytest.mark.parametrize("text", ["Haaren", "HAAREN", "0788", "788", "GM0788"])
@pytest.mark.parametrize(
    ("postcode", "expected"),
    [
        ("5074 AB", "0855"),
        ("5076AB", "0824"),
        (" 5268 ab ", "0865"),
        ("5296", "0757"),
        (None, "split"),
        ("", "split"),
        ("5022 KE", "split"),
        ("  40", "split"),
        ("50760", "split"),
        ("5076 A", "split"),
    ],
)
def test_haaren_goes_by_postcode(text: str, postcode: str | None, expected: str) -> None:
    assert resolve(text, AFTER_HAAREN_ENDED, postcode) == expected
    assert resolve(text, BEFORE_HAAREN_ENDED, postcode) == "0788"


def test_the_postcode_never_overrules_a_municipality_that_exists() -> None:
    assert resolve("Breda", PEILDATUM, "5076 AB") == "0758"
    assert resolve("Cuijk", PEILDATUM, "5076 AB") == "1982"


@pytest.mark.parametrize(
    ("text", "on", "expected"),
    [
        ("Uden", date(2021, 12, 31), "0856"),
        ("Uden", date(2022, 1, 1), "1991"),
        ("Landerd", PEILDATUM, "1991"),
        ("Cuijk", PEILDATUM, "1982"),
        ("Land van Cuijk", date(2021, 12, 31), "not_yet"),
        ("1982", date(2021, 7, 1), "not_yet"),
        ("1982", date(2022, 1, 1), "1982"),
        ("St. Oedenrode", date(2016, 12, 31), "0846"),
        ("St. Oedenrode", PEILDATUM, "1948"),
        ("Weesp", date(2022, 3, 23), "0457"),
        ("Weesp", date(2022, 3, 24), "0363"),
        ("Slochteren", date(2017, 12, 31), "0040"),
        ("Slochteren", PEILDATUM, "1952"),
        ("Winsum", PEILDATUM, "split"),
        ("Biezenmortel", BEFORE_HAAREN_ENDED, "0788"),
        ("Biezenmortel", AFTER_HAAREN_ENDED, "0855"),
    ],
)
def test_the_date_decides(text: str, on: date, expected: str) -> None:
    assert resolve(text, on) == expected


@given(st.one_of(st.none(), st.text()), st.dates(), st.one_of(st.none(), st.text(max_size=9)))
def test_any_text_gives_a_living_code_or_a_known_problem(text: str | None, on: date, postcode: str | None) -> None:
    found = municipalities().resolve(text, on, postcode)
    if found.code is None:
        assert found.problem in PROBLEMS
    else:
        assert found.problem is None
        assert municipalities().exists(found.code, on)


@given(st.sampled_from([row["code"] for row in table("gemeenten.csv")]), st.dates(date(2016, 1, 1), date(2027, 1, 1)))
def test_name_and_code_say_the_same(code: str, on: date) -> None:
    known = municipalities()
    by_code = known.resolve(code, on, "5076 AB")
    assert known.resolve(known.name(code), on, "5076 AB") == by_code
    if known.exists(code, on):
        assert by_code == Resolution(code, None)
        assert known.successors(code, on) == ()
    elif by_code.code is not None:
        assert by_code.code in known.successors(code, on)


def test_successors_are_alive_on_the_day() -> None:
    known = municipalities()
    assert known.successors("0788", BEFORE_HAAREN_ENDED) == ()
    assert known.successors("0788", AFTER_HAAREN_ENDED) == ("0757", "0824", "0855", "0865")
    assert known.successors("0856", PEILDATUM) == ("1991",)
    assert known.successors("0140", PEILDATUM) == ("0080", "1900", "1949")
    assert known.successors("1991", date(2021, 1, 1)) == ()
    assert known.successors("0855", PEILDATUM) == ()
    with pytest.raises(KeyError):
        known.successors("9999", PEILDATUM)


def test_chains_are_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    # No chain exists since 2017; this one is *fictief*: Maashorst goes to Oss in 2030.
    known = type(municipalities())()
    maashorst = known._by_code["1991"]
    ended = type(maashorst.period)(maashorst.period.first, date(2029, 12, 31))
    monkeypatch.setitem(known._by_code, "1991", type(maashorst)("1991", "Maashorst", None, ended, ("0828",)))
    assert known.resolve("Uden", date(2029, 12, 31), None).code == "1991"
    assert known.resolve("Uden", date(2030, 1, 1), None).code == "0828"
    assert known.successors("0856", date(2030, 1, 1)) == ("0828",)


def test_existence_and_names() -> None:
    known = municipalities()
    assert known.name("0855") == "Tilburg"
    assert known.name("0788") == "Haaren"
    assert known.exists("0855", PEILDATUM)
    assert not known.exists("0788", PEILDATUM)
    assert not known.exists("9999", PEILDATUM)
    with pytest.raises(KeyError):
        known.name("9999")


def test_jeugdregio() -> None:
    known = municipalities()
    midden_brabant = {r["code"] for r in table("gemeenten.csv") if known.jeugdregio(r["code"]) == "Midden Brabant"}
    assert {known.name(code) for code in midden_brabant} == {
        *("Dongen", "Gilze en Rijen", "Goirle", "Heusden", "Hilvarenbeek"),
        *("Loon op Zand", "Oisterwijk", "Tilburg", "Waalwijk"),
    }
    assert known.jeugdregio("0788") is None


def test_zorgkantoren() -> None:
    assert zorgkantoor_name("5527") == "Zorgkantoor Midden-Brabant"
    assert zorgkantoor_name("0855") is None
    assert len(table("zorgkantoorcodes.csv")) == 32


# --- the tables themselves --------------------------------------------------------------------------------------------


def test_the_list_of_2026_is_complete() -> None:
    living = [row for row in table("gemeenten.csv") if municipalities().exists(row["code"], date(2026, 1, 1))]
    assert len(living) == 342
    assert all(row["jeugdregio_2026"] and not row["successors"] for row in living)
    assert all(row["valid_to"] and row["successors"] for row in table("gemeenten.csv") if row not in living)


def test_who_ends_is_followed_the_next_day() -> None:
    known = municipalities()
    for row in table("gemeenten.csv"):
        if row["valid_to"]:
            next_day = date.fromisoformat(row["valid_to"]) + timedelta(days=1)
            assert known.successors(row["code"], next_day) == tuple(row["successors"].split()), row["name"]
            assert all(known.exists(code, next_day) for code in row["successors"].split()), row["name"]


def test_who_begins_had_predecessors_the_day_before() -> None:
    rows = table("gemeenten.csv")
    for row in rows:
        if row["valid_from"]:
            eve = (date.fromisoformat(row["valid_from"]) - timedelta(days=1)).isoformat()
            ended_that_eve = [
                old for old in rows if row["code"] in old["successors"].split() and old["valid_to"] == eve
            ]
            assert len(ended_that_eve) >= 2, row["name"]


def test_every_name_and_alias_finds_its_own_municipality() -> None:
    known = municipalities()
    rows = table("gemeenten.csv")
    assert len({row["code"] for row in rows}) == len(rows)
    for row in rows:
        day = date.fromisoformat(row["valid_to"] or "2026-01-01")
        assert known.resolve(row["name"], day, None).code == row["code"]
    aliases = table("aliases.csv")
    assert len({tuple(row.values()) for row in aliases}) == len(aliases)
    for row in aliases:
        assert row["kind"] in ("spelling", "place")
        municipality = next(r for r in rows if r["code"] == row["code"])
        day = date.fromisoformat(row["valid_to"] or municipality["valid_to"] or "2026-01-01")
        found = known.resolve(row["alias"], day, None)
        assert found == (Resolution(None, "ambiguous") if row["alias"] == "Bergen" else Resolution(row["code"], None))


def test_a_split_divides_over_its_own_successors() -> None:
    rows = {row["code"]: row for row in table("gemeenten.csv")}
    splits = table("postcode_splits.csv")
    assert len({(row["code"], row["postcode4"]) for row in splits}) == len(splits)
    for row in splits:
        assert row["successor"] in rows[row["code"]]["successors"].split()
    assert {row["successor"] for row in splits if row["code"] == "0788"} == set(rows["0788"]["successors"].split())


@pytest.mark.parametrize(
    "name", ["gemeenten.csv", "zorgkantoorcodes.csv", "aliases.csv", "postcode_splits.csv", "abroad.csv"]
)
def test_tables_are_plain_utf8(name: str) -> None:
    raw = resources.files("zio_pipeline").joinpath("reference_data", name).read_bytes()
    assert not raw.startswith(b"\xef\xbb\xbf")
    assert b"\r" not in raw
    assert raw.endswith(b"\n")
    width = raw.split(b"\n", 1)[0].count(b";")
    assert all(line.count(b";") == width for line in raw.splitlines())


def test_a_jeugdregio_is_its_living_municipalities_in_ascending_order() -> None:
    """SPEC 4: the member list is held against the CBS jeugdregio; Alphen-Chaam and Baarle-Nassau are not in it."""
    nine = ("0766", "0784", "0785", "0797", "0798", "0809", "0824", "0855", "0867")
    assert municipalities().in_jeugdregio("Midden Brabant") == nine
    assert all(municipalities().exists(code, PEILDATUM) for code in nine)
    assert municipalities().in_jeugdregio("Hart van Brabant") == ()


def test_every_living_municipality_is_in_one_jeugdregio() -> None:
    rows = table("gemeenten.csv")
    regions = {row["jeugdregio_2026"] for row in rows} - {""}
    listed = [code for region in regions for code in municipalities().in_jeugdregio(region)]
    assert sorted(listed) == sorted(row["code"] for row in rows if not row["valid_to"])


@pytest.mark.parametrize(
    ("text", "known"),
    [
        *[("Tilburg", True), ("GEMEENTE TILBURG", True), ("855", True), ("GM0855", True), ("den bosch", True)],
        *[("Haaren", True), ("Uden", True), ("Belgie", True), ("Tilbrug", False), ("9999", False), ("Onbekend", False)],
    ],
)
def test_a_text_that_never_was_a_municipality_is_told_from_one_that_was(text: str, known: bool) -> None:
    assert municipalities().is_known(text) is known
