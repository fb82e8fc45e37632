"""A small school year in memory, so that a test states only what matters to it. Every figure is fictief.

`Year` starts with one order ('LP', 40 weeks, 60 euro an hour), one doelgroep ('EMB', 10 hours per class per week) and
one class ('EMB1'); a test adds pupils, more classes, besluiten. Rows have exactly the columns of the source contracts,
with `row_ref`. Unless a test says otherwise the expected number of pupils of a class is the number placed there, a zorgkantoor has
a legal ground, a besluit 'wlz-lijst' accepts the Wlz list, and last year's Wlz share is not compared.

Belongs here: rows and their defaults, and reading a result. Does not belong here: any expectation.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from zio_pipeline.budget import doelgroep_budgets
from zio_pipeline.contracts import sources
from zio_pipeline.figures import YearFigures, YearInputs, compute_year
from zio_pipeline.payer import Decision, PayerInputs, PayerOutcome, WorkItem, decide_payers
from zio_pipeline.setup import SchoolYearSetup, read_setup
from zio_pipeline.shares import split_over_payers

LEIJPARK, DE_BODDE = "02ZX00", "01FX00"
SIZA, AMARANT = "41410101", "41410202"
TILBURG, HEUSDEN, WAALWIJK, GOIRLE = "0855", "0797", "0867", "0785"
BREDA, VUGHT = "0758", "0865"
MIDDEN_BRABANT, WEST_BRABANT = "5527", "5526"
MEMBERS = ("0766", "0784", "0785", "0797", "0798", "0809", "0824", "0855", "0867")
"""The nine of the CBS jeugdregio."""

FIRST_DAY = date(2025, 8, 1)
REFERENCE_DATE = date(2025, 7, 1)
START_DATE = date(2025, 8, 18)
LIST_DATE = date(2025, 6, 20)

SETTINGS = {
    "schooljaar": "2025-2026",
    "fictief": "ja",
    "startdatum": "18-08-2025",
    "peildatum": "01-07-2025",
    "sleutelsoort": "pgn",
    "verdeelsleutel": "leerlingen",
    "pgb_beleid": "buiten_sleutel",
    "integraal_tarief": "werklijst",
    "achttien_plus": "werklijst",
    "bekostiging": "per_klas",
    "btw_categorie": "vrijgesteld",
    "toerekening": "termijnen",
    "raming_index_promille": "1000",
    "wacht_op_declaratie": "nee",
    "planning_is_realisatie": "nee",
    "uren_afwijking_promille": "200",
    "uren_inlevertermijn_dagen": "10",
    "zorgbehoefte_telt": "ja",
    "termijnmaanden": "09 10 11 12 01 02 03 04 05 06",
    "termijngewichten": "1 1 1 1 1 1 1 1 1 1",
    "eerste_helft": "09 10 11 12 01",
    "vervalmaand_eerste_helft": "01",
    "vervalmaand_tweede_helft": "07",
    "regio_code": "GR-HVB",
    "regio_naam": "GR Hart van Brabant",
    "jeugdregio": "Midden Brabant",
    "penvoerder": TILBURG,
    "afzender": "GR-HVB",
    "wlz_aandeel_vorig_jaar_promille": "0",
    "wlz_aandeel_afwijking_promille": "1000",
    "verblijf_postcodes": "5022KE",
}


def contract_row(source: str, dataset: str, /, **values: Any) -> dict[str, Any]:
    """A row with every column of the contract, empty where nothing is given; KeyError for a column it has not."""
    columns = {column.name for column in sources()[source].dataset(dataset).columns}
    if not set(values) <= columns | {"row_ref"}:
        raise KeyError(f"{sorted(set(values) - columns)} not in {dataset}")
    return dict.fromkeys(columns) | values


def sheet_row(sheet: str, /, **values: Any) -> dict[str, Any]:
    """A row of the setup workbook, with a source where the sheet asks for one."""
    columns = {column.name for column in sources()["school_year_setup"].dataset(sheet).columns}
    default = {"source": "fictief", "valid_from": FIRST_DAY, "ground_from": FIRST_DAY}
    return contract_row("school_year_setup", sheet, **{k: v for k, v in default.items() if k in columns} | values)


class Year:
    """Rows of one school year, changed in place by a test and then computed."""

    def __init__(self, *, empty: bool = False, **settings: str | None):
        names = [dataset.name for dataset in sources()["school_year_setup"].datasets]
        self.sheets: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
        self.registrations: list[dict[str, Any]] = []
        self.indications: list[dict[str, Any]] = []
        self.quarantined: list[dict[str, Any]] = []
        for key, value in (SETTINGS | settings).items():
            if value is not None:
                self.add("settings", key=key, value=value)
        for code in MEMBERS:
            self.add("municipalities", municipality=code, name=code, member_from=date(2015, 1, 1))
        self.besluit("wlz_list", decision_id="LIJST")
        if not empty:
            self.order("LP")
            self.doelgroep("LP", "EMB")
            self.school_class("EMB1")

    def add(self, sheet: str, /, **values: Any) -> dict[str, Any]:
        self.sheets[sheet].append(row := sheet_row(sheet, **values))
        return row

    def order(self, order_id: str, **values: Any) -> dict[str, Any]:
        default = {"school": LEIJPARK, "provider": SIZA, "weeks": 40, "tariff_cents": 60_00, "amount_basis": "computed"}
        return self.add("orders", order_id=order_id, **default | values)

    def doelgroep(self, order_id: str, doelgroep: str, hours: int = 10_00, **values: Any) -> dict[str, Any]:
        """`hours`: granted per class per week, in hundredths."""
        granted = {"need_hours_hundredths": hours, "own_hours_hundredths": 0, "granted_hours_hundredths": hours}
        names = {"order_id": order_id, "doelgroep": doelgroep, "name": doelgroep}
        return self.add("doelgroepen", **names | granted | values)

    def school_class(self, code: str, order_id: str = "LP", doelgroep: str = "EMB", **values: Any) -> dict[str, Any]:
        default = {"school": LEIJPARK, "class_code": code, "order_id": order_id, "doelgroep": doelgroep}
        return self.add("classes", **default | values)

    def besluit(self, kind: str, **values: Any) -> dict[str, Any]:
        default = {
            "decision_id": f"B{len(self.sheets['decisions']):03d}",
            "decided_by": "college",
            "decided_on": REFERENCE_DATE,
            "reason": "fictief",
        }
        return self.add("decisions", kind=kind, **default | values)

    def contribution(self, order_id: str, payer: str, cents: int) -> dict[str, Any]:
        return self.add(
            "contributions", order_id=order_id, payer=payer, description="bijdrage (fictief)", amount_cents=cents
        )

    def pupil(self, pupil: str, class_code: str = "EMB1", municipality: str | None = TILBURG, **values: Any) -> str:
        """One row of the pupil file: a child of ten, placed since 1 August."""
        default = {
            "school_year": "2025-2026",
            "school": LEIJPARK,
            "pupil": pupil,
            "class_code": class_code,
            "municipality": municipality,
            "birth_date": date(2015, 3, 1),
            "placed_from": FIRST_DAY,
            "postcode": "5038AA",
            "country": "Nederland",
            "municipality_evidence": "brp",
            "row_ref": f"leerlingen:{len(self.registrations) + 2}",
        }
        self.registrations.append(contract_row("pupil_registrations", "pupil_registrations", **default | values))
        return pupil

    def pupils(self, count: int, class_code: str = "EMB1", municipality: str = TILBURG, **values: Any) -> list[str]:
        """Several pupils alike."""
        first = len(self.registrations)
        return [self.pupil(f"p{first + n}", class_code, municipality, **values) for n in range(count)]

    def wlz(self, pupil: str, form: str | None = "7", zorgkantoor: str = MIDDEN_BRABANT, **values: Any) -> str:
        """One row of the Wlz list: granted on 1 May, in force since then."""
        default = {
            "school_year": "2025-2026",
            "list_date": LIST_DATE,
            "pupil": pupil,
            "decision_number": 1,
            "issued_on": date(2025, 5, 1),
            "starts_on": date(2025, 5, 1),
            "delivery_form": form,
            "responsible_zorgkantoor": zorgkantoor,
            "row_ref": f"wlz:{len(self.indications) + 2}",
        }
        self.indications.append(contract_row("wlz_statuses", "wlz_statuses", **default | values))
        return pupil

    def quarantine(self, dataset: str, **values: str) -> str:
        """A row that intake put aside, with what could be read of it."""
        row_ref = f"quarantaine:{len(self.quarantined) + 2}"
        known = dict.fromkeys(("pupil", "school", "class_code")) | values
        self.quarantined.append({"dataset": dataset, "row_ref": row_ref, **known})
        return row_ref

    def setup(self) -> SchoolYearSetup:
        return read_setup(self.filled_sheets())

    def payer_inputs(self) -> PayerInputs:
        return PayerInputs(self.registrations, self.indications, self.quarantined)

    def outcome(self) -> PayerOutcome:
        return decide_payers(self.setup(), self.payer_inputs())

    def inputs(self) -> YearInputs:
        file = {
            "source": "school_year_setup",
            "label": "inrichting",
            "content_sha256": "00",
            "contract_fingerprint": "11",
        }
        return YearInputs(self.filled_sheets(), self.payer_inputs(), (file,))

    def figures(self) -> YearFigures:
        return compute_year(self.inputs(), version=1)

    def filled_sheets(self) -> Mapping[str, list[dict[str, Any]]]:
        """The sheets, with the expected number of pupils and the ground of a zorgkantoor where the test left them open."""
        classes = [
            row if row["expected_pupils"] is not None else row | {"expected_pupils": self._placed_in(row)}
            for row in self.sheets["classes"]
        ]
        return self.sheets | {"classes": classes, "zorgkantoren": [*self.sheets["zorgkantoren"], *self._silent()]}

    def _silent(self) -> list[dict[str, Any]]:
        """A row for every zorgkantoor of the Wlz list, or of a besluit, that the test says nothing about."""
        said = {row["zorgkantoor"] for row in self.sheets["zorgkantoren"]}
        named = {row["responsible_zorgkantoor"] for row in self.indications}
        named |= {row["payer"] for row in self.sheets["decisions"] if str(row["stream"]).startswith("wlz")}
        return [
            sheet_row("zorgkantoren", zorgkantoor=code, name=code, legal_ground="grondslag (fictief)")
            for code in sorted(filter(None, named - said - {"PGB"}))
        ]

    def _placed_in(self, school_class: Mapping[str, Any]) -> int:
        key = school_class["school"], school_class["class_code"]
        return len(
            {
                row["pupil"]
                for row in self.registrations
                if (row["school"], row["class_code"]) == key
                and row["placed_from"] <= START_DATE
                and (row["placed_to"] is None or row["placed_to"] >= START_DATE)
            }
        )


def small_year(**changed: str) -> Year:
    """One order of 60.000,00: EMB two classes (48.000,00), MG one (12.000,00), and a contribution of 1.000,00."""
    year = Year(**changed)
    year.school_class("EMB2")
    year.doelgroep("LP", "MG", 5_00)
    year.school_class("MG1", "LP", "MG")
    year.pupils(3, "EMB1", TILBURG)
    year.pupil("heusden", "EMB1", HEUSDEN)
    year.pupil("breda", "EMB1", BREDA)
    year.wlz(year.pupil("mpt", "EMB2"), "7")
    year.wlz(year.pupil("dtv", "EMB2"), "8")
    year.wlz(year.pupil("west", "EMB2"), "7", WEST_BRABANT)
    year.pupils(2, "MG1", TILBURG)
    year.pupil("heusden2", "MG1", HEUSDEN)
    year.contribution("LP", "SWV", 1_000_00)
    year.add("zorgkantoren", zorgkantoor=MIDDEN_BRABANT, name="VGZ", legal_ground="Wlz art. 3.3.3 (fictief)")
    return year


def year_amounts(figures: YearFigures) -> dict[tuple[str, str, str], int]:
    rows = figures.tables["municipal_shares"]
    return {(row["order_id"], row["stream"], row["payer"]): row["amount_cents"] for row in rows}


def shares(year: Year) -> dict[tuple[str, str, str, str], int]:
    """Cents per order, doelgroep, stream and payer."""
    setup = year.setup()
    details = split_over_payers(setup, doelgroep_budgets(setup), year.outcome())
    return {(d.order_id, d.doelgroep, d.stream, d.payer): d.amount_cents for d in details}


def decision_of(outcome: PayerOutcome, pupil: str) -> Decision:
    """The one decision about a pupil; an error when there is none or more than one."""
    (found,) = [decision for decision in outcome.decisions if decision.pupil == pupil]
    return found


def open_points(outcome: PayerOutcome) -> list[WorkItem]:
    return [item for item in outcome.worklist if item.decision_id is None]


def open_reasons(outcome: PayerOutcome) -> list[str]:
    return sorted(item.reason for item in open_points(outcome))


def signal_reasons(outcome: PayerOutcome) -> list[str]:
    return sorted(signal.reason for signal in outcome.signals)


def turned(inputs: PayerInputs) -> PayerInputs:
    """The same rows from last to first."""
    return replace(
        inputs,
        registrations=inputs.registrations[::-1],
        indications=inputs.indications[::-1],
        quarantined=inputs.quarantined[::-1],
    )
