"""The contracts: valid by the standard, strict by our own rules, and a typing error in one is never passed over."""

import json
from importlib import resources
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft201909Validator

from zio_pipeline.contracts import load, product_contracts, products, sources
from zio_pipeline.dictionary import data_dictionary
from zio_pipeline.errors import ContractError

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "data_contracts").rglob("*.odcs.yaml"))

SMALL = """
apiVersion: v3.2.0
kind: DataContract
id: zio.source.small
name: Klein
version: 1.0.0
status: active
description: {purpose: proef, limitations: geen}
schema:
  - name: small
    properties:
      - {name: amount_cents, businessName: bedrag, logicalType: integer, physicalType: euro, classification: internal}
    quality:
      - name: positive
        type: custom
        engine: zio
        severity: error
        description: Het bedrag is niet positief.
        implementation: {rule: row, ok: amount_cents > 0}
"""


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_every_contract_is_valid_by_the_json_schema_of_the_standard(file: Path):
    schema = json.loads(resources.files("open_data_contract_standard").joinpath("schema.json").read_text("utf-8"))
    assert list(Draft201909Validator(schema).iter_errors(yaml.safe_load(file.read_text("utf-8")))) == []


def test_every_source_and_product_has_one_contract():
    assert set(sources()) == {
        "school_year_setup",
        "pupil_registrations",
        "wlz_statuses",
        "provider_timesheets",
        "provider_claims",
        "pupil_absence",
    }
    assert len(sources()) + len(products()) == len(FILES)


def test_every_column_is_explained_and_every_product_has_a_key():
    for name, dataset in products().items():
        assert dataset.key, name
        assert all(column.description for column in dataset.columns), name


def test_nothing_personal_is_in_a_product():
    assert not [c.name for d in products().values() for c in d.columns if c.classification == "personal"]


def test_small_contract_loads():
    (dataset,) = load(SMALL, "proef").datasets
    assert dataset.rules[0].ok == "amount_cents > 0"
    assert dataset.column("amount_cents").headers == ("bedrag",)
    with pytest.raises(KeyError):
        dataset.column("absent")


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("physicalType: euros", "physicalType: euro"),
        ("logicalType: string", "logicalType: integer"),
        ("clasification: internal", "classification: internal"),
        ("classification: secret", "classification: internal"),
        ("engine: great-expectations", "engine: zio"),
        ("severity: fatal", "severity: error"),
        ("rule: table", "rule: row"),
        ("okay: amount_cents > 0", "ok: amount_cents > 0"),
        ("kinds: DataContract", "kind: DataContract"),
    ],
)
def test_an_unknown_word_is_a_load_error_never_a_skip(wrong: str, right: str):
    assert right in SMALL
    with pytest.raises(ContractError):
        load(SMALL.replace(right, wrong), "proef")


@pytest.mark.parametrize("extra", ["unique: true", "logicalTypeOptions: {minimun: 1}"])
def test_a_rule_this_program_does_not_carry_out_is_refused(extra: str):
    with pytest.raises(ContractError):
        load(SMALL.replace("classification: internal", f"classification: internal, {extra}"), "proef")


def test_dictionary_in_the_docs_is_that_of_the_contracts():
    written = (ROOT / "docs" / "data-dictionary.md").read_text("utf-8")
    assert written == data_dictionary(), "run `make dictionary`"
    assert all(contract.id in written for contract in product_contracts().values())
