"""The data contracts: what comes in and what goes out, read once and handed on as plain, frozen descriptions.

Belongs here: loading ODCS v3.2 files from `data_contracts/`, checking them (the pydantic model of the standard, nothing in the
file that it did not take, and our own strictness; a test holds them against the JSON schema), and the small vocabulary
the rest of the program reads them through. Intake compiles its header aliases, parsers and row rules from it; the
warehouse its tables; Dagster its column schemas; the audit its checks.
Does not belong here: executing any of that.

How the standard is used: `businessName` is the Dutch header, `synonyms` are its aliases, `physicalType` is the way a text
is parsed (see `KINDS`), `enum` holds canonical values with their Dutch label, and a `quality` entry with engine `zio`
holds a row rule (a DuckDB expression that says what is *ok*) or a reference to another source. Anything else is a load error,
never a skip.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml
from open_data_contract_standard.model import DataQuality, OpenDataContractStandard, SchemaObject, SchemaProperty
from pydantic import ValidationError

from zio_pipeline.errors import ContractError

KINDS = {
    "text": "string",
    "code": "string",
    "pgn": "string",
    "brin": "string",
    "agb": "string",
    "gemeentecode": "string",
    "municipality": "string",
    "payer": "string",
    "zorgkantoor": "string",
    "postcode": "string",
    "month": "string",
    "school_year": "string",
    "date": "date",
    "integer": "integer",
    "hours": "integer",
    "euro": "integer",
    "minutes": "integer",
    "duration": "integer",
    "time": "integer",
    "boolean": "boolean",
}
"""How a text is parsed -> its logical type: `hours` hundredths of an hour, `euro` cents, `time` minutes since midnight."""

UNIT_OF_KIND = {"hours": (100, "uur"), "euro": (100, "euro"), "minutes": (1, "minuten"), "duration": (1, "minuten")}
"""How many of the stored unit go into one of what people write, and its Dutch word."""

CLASSIFICATIONS = ("public", "internal", "restricted", "personal")
SEVERITIES = ("error", "warning")


@dataclass(frozen=True)
class Column:
    """One column of a dataset. `allowed` pairs each canonical value with its Dutch label; `key_position` is 0 outside the key."""

    name: str
    dutch: str
    kind: str
    logical_type: str
    description: str
    classification: str
    required: bool
    key_position: int
    minimum: int | None
    maximum: int | None
    pattern: str | None
    synonyms: tuple[str, ...]
    allowed: tuple[tuple[str, str], ...]
    refers_to: str | None

    @property
    def range_in_words(self) -> str:
        """'van 0,01 tot en met 24 uur': the limits as people write them; '' when there are none."""
        factor, unit = UNIT_OF_KIND.get(self.kind, (1, ""))
        low, high = (None if bound is None else _written(bound, factor) for bound in (self.minimum, self.maximum))
        if low is None:
            words = "" if high is None else f"ten hoogste {high}"
        else:
            words = f"ten minste {low}" if high is None else f"van {low} tot en met {high}"
        return f"{words} {unit}".strip() if words else ""

    @property
    def headers(self) -> tuple[str, ...]:
        """Every header a sender may use for this column, the preferred one first."""
        return (self.dutch, *self.synonyms)


@dataclass(frozen=True)
class RowRule:
    """A rule over one row: `ok` is a DuckDB expression over the typed columns; a row breaks it when it is not true."""

    name: str
    ok: str
    message: str
    severity: str


@dataclass(frozen=True)
class ReferenceRule:
    """A rule over two sources: the `columns` of a row must stand together in a row of `dataset` of `source`, as `targets`.

    It is a warning always: the other file may be the wrong one, and what a file comes to must not depend on which came first.
    """

    name: str
    columns: tuple[str, ...]
    source: str
    dataset: str
    targets: tuple[str, ...]
    message: str


@dataclass(frozen=True)
class Dataset:
    """One table or sheet: its grain, its columns in order, its rules over one row and over other sources."""

    name: str
    dutch: str
    grain: str
    group: str
    columns: tuple[Column, ...]
    rules: tuple[RowRule, ...]
    references: tuple[ReferenceRule, ...] = ()

    @property
    def key(self) -> tuple[str, ...]:
        """Names of the key columns, in key order."""
        keyed = sorted((c for c in self.columns if c.key_position), key=lambda c: c.key_position)
        return tuple(c.name for c in keyed)

    def column(self, name: str) -> Column:
        """The column of that name; KeyError when there is none."""
        return next((c for c in self.columns if c.name == name), None) or _missing(self.name, name)


@dataclass(frozen=True)
class Contract:
    """One contract file. `fingerprint` changes whenever its content does."""

    id: str
    name: str
    version: str
    purpose: str
    limitations: str
    fingerprint: str
    datasets: tuple[Dataset, ...]

    def dataset(self, name: str) -> Dataset:
        """The dataset of that name; KeyError when there is none."""
        return next((d for d in self.datasets if d.name == name), None) or _missing(self.id, name)


def _written(bound: int, factor: int) -> str:
    whole, part = divmod(bound, factor)
    return f"{whole},{part:02d}" if part else str(whole)


def _missing(where: str, name: str) -> Any:
    raise KeyError(f"{name} is not in {where}")


@cache
def sources() -> dict[str, Contract]:
    """Contracts of what comes in, by source name (`pupil_registrations`, ...)."""
    return {contract.id.removeprefix("zio.source."): contract for contract in _load_folder("sources")}


@cache
def products() -> dict[str, Dataset]:
    """Datasets of what goes out, by table name (`municipal_shares`, ...)."""
    return {contract.datasets[0].name: contract.datasets[0] for contract in _load_folder("products")}


@cache
def product_contracts() -> dict[str, Contract]:
    """Contracts of what goes out, by table name."""
    return {contract.datasets[0].name: contract for contract in _load_folder("products")}


@cache
def _load_folder(folder: str) -> tuple[Contract, ...]:
    files = sorted(resources.files("data_contracts").joinpath(folder).iterdir(), key=lambda f: f.name)
    return tuple(load(f.read_text("utf-8"), f.name) for f in files if f.name.endswith(".odcs.yaml"))


def load(text: str, where: str) -> Contract:
    """Read one contract.

    Args:
        text: ODCS v3.2 YAML.
        where: what to call it in an error.

    Raises:
        ContractError: the file is not valid ODCS, or uses something this program does not carry out.
    """
    raw = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - the safe loader in C
    try:
        model = OpenDataContractStandard(**raw)
    except (TypeError, ValidationError) as error:
        raise ContractError(f"Contract {where} is geen geldig ODCS v3.2: {error}") from error
    # The model takes a misspelt nested key without a word; what it did not take is not in what it gives back.
    if model.model_dump(exclude_unset=True, by_alias=True) != raw:
        raise ContractError(f"Contract {where} bevat een sleutel die ODCS v3.2 niet kent.")
    if model.description is None or not model.schema_:
        raise ContractError(f"Contract {where} mist een beschrijving of een schema.")
    return Contract(
        id=str(model.id),
        name=str(model.name),
        version=str(model.version),
        purpose=str(model.description.purpose).strip(),
        limitations=str(model.description.limitations).strip(),
        fingerprint=hashlib.sha256(text.encode()).hexdigest(),
        datasets=tuple(_dataset(schema, where) for schema in model.schema_),
    )


def _dataset(schema: SchemaObject, where: str) -> Dataset:
    place = f"{where}: {schema.name}"
    return Dataset(
        name=str(schema.name),
        dutch=schema.businessName or str(schema.name),
        grain=schema.dataGranularityDescription or "",
        group=(schema.tags or ["intake"])[0],
        columns=tuple(_column(p, place) for p in schema.properties or []),
        rules=tuple(_rule(quality, place) for quality in schema.quality or [] if not _is_reference(quality)),
        references=tuple(_reference(quality, place) for quality in schema.quality or [] if _is_reference(quality)),
    )


def _column(prop: SchemaProperty, place: str) -> Column:
    kind, options = prop.physicalType or "", dict(prop.logicalTypeOptions or {})
    if KINDS.get(kind) != prop.logicalType:
        raise ContractError(f"{place}.{prop.name}: soort {kind!r} met logisch type {prop.logicalType!r} is onbekend.")
    if prop.quality or prop.unique:
        raise ContractError(f"{place}.{prop.name}: regels horen bij het schema en de sleutel, niet bij de kolom.")
    if prop.classification not in CLASSIFICATIONS:
        raise ContractError(f"{place}.{prop.name}: classificatie {prop.classification!r} is onbekend.")
    minimum, maximum, pattern = (options.pop(key, None) for key in ("minimum", "maximum", "pattern"))
    if options:
        raise ContractError(f"{place}.{prop.name}: onbekende opties {sorted(options)}.")
    return Column(
        name=str(prop.name),
        dutch=prop.businessName or str(prop.name),
        kind=kind,
        logical_type=str(prop.logicalType),
        description=prop.description or "",
        classification=prop.classification,
        required=bool(prop.required or prop.primaryKey),
        key_position=(prop.primaryKeyPosition or 0) if prop.primaryKey else 0,
        minimum=minimum,
        maximum=maximum,
        pattern=pattern,
        synonyms=tuple(str(s.synonym) for s in prop.synonyms or []),
        allowed=tuple((str(e.value), e.label or str(e.value)) for e in prop.enum or []),
        refers_to=str(prop.relationships[0].to) if prop.relationships else None,
    )


def _rule(quality: DataQuality, place: str) -> RowRule:
    implementation = quality.implementation
    if quality.type != "custom" or quality.engine != "zio" or not isinstance(implementation, dict):
        raise ContractError(f"{place}: regel {quality.name!r} is van een soort die dit programma niet uitvoert.")
    if set(implementation) != {"rule", "ok"} or implementation["rule"] != "row":
        raise ContractError(f"{place}: regel {quality.name!r} is onbekend: {implementation!r}.")
    if quality.severity not in SEVERITIES or not quality.description:
        raise ContractError(f"{place}: regel {quality.name!r} mist een ernst of een Nederlandse uitleg.")
    return RowRule(str(quality.name), str(implementation["ok"]), quality.description, quality.severity)


def _is_reference(quality: DataQuality) -> bool:
    return isinstance(quality.implementation, dict) and quality.implementation.get("rule") == "reference"


def _reference(quality: DataQuality, place: str) -> ReferenceRule:
    implementation: Any = quality.implementation
    if quality.type != "custom" or quality.engine != "zio" or set(implementation) != {"rule", "columns", "to"}:
        raise ContractError(f"{place}: verwijzing {quality.name!r} is onbekend: {implementation!r}.")
    if quality.severity != "warning" or not quality.description:
        raise ContractError(f"{place}: verwijzing {quality.name!r} is een waarschuwing met een Nederlandse uitleg.")
    columns, targets = tuple(implementation["columns"]), [target.split(".") for target in implementation["to"]]
    if len({tuple(target[:2]) for target in targets}) != 1 or len(columns) != len(targets) or len(targets[0]) != 3:
        raise ContractError(f"{place}: verwijzing {quality.name!r} noemt niet per kolom één kolom van dezelfde tabel.")
    source, dataset, _ = targets[0]
    names = tuple(target[2] for target in targets)
    return ReferenceRule(str(quality.name), columns, source, dataset, names, quality.description)
