"""The data dictionary: every column of every contract, for people, made from the contracts and from nothing else.

Belongs here: writing it as Markdown. A test compares the file in `docs/` with it.
"""

from collections.abc import Iterator

from zio_pipeline.contracts import Contract, Dataset, product_contracts, sources


def data_dictionary() -> str:
    """The whole dictionary as Markdown."""
    lines = [
        "# Gegevenswoordenboek",
        "",
        "Gemaakt uit `data_contracts/` met `make dictionary`; niet met de hand wijzigen.",
        "",
    ]
    for title, contracts in (("Wat binnenkomt", sources()), ("Wat naar buiten gaat", product_contracts())):
        lines += [f"## {title}", ""]
        for _, contract in sorted(contracts.items()):
            lines += _contract(contract)
    return "\n".join(lines).rstrip() + "\n"


def _contract(contract: Contract) -> Iterator[str]:
    yield from (
        f"### {contract.name} (`{contract.id}` {contract.version})",
        "",
        contract.purpose,
        "",
        contract.limitations,
        "",
    )
    for dataset in contract.datasets:
        yield from _dataset(dataset)


def _dataset(dataset: Dataset) -> Iterator[str]:
    yield from (f"#### {dataset.dutch} (`{dataset.name}`)", "", f"Korrel: {dataset.grain}.", "")
    yield "| kolom | Nederlands | soort | verplicht | sleutel | klasse | waarden | toelichting |"
    yield "|---|---|---|---|---|---|---|---|"
    for c in dataset.columns:
        values = ", ".join(value if value == label else f"{label} (`{value}`)" for value, label in c.allowed)
        key = str(c.key_position) if c.key_position else ""
        required = "ja" if c.required else ""
        yield f"| `{c.name}` | {c.dutch} | {c.kind} | {required} | {key} | {c.classification} | {values} | {c.description} |"
    yield ""
    for rule in dataset.rules:
        yield f"- `{rule.name}` ({rule.severity}): {rule.message}"
    if dataset.rules:
        yield ""
