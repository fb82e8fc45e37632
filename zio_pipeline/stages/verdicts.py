"""Verdicts with their detail: what was counted, for a person who looks later and for the pages they open.

Belongs here: the detail of a verdict as JSON. Does not belong here: asking whether a content may be trusted
(`Warehouse.verdict`), which needs no detail, and judging (`publishing`, `auditing`).
"""

import json
from collections.abc import Mapping
from typing import Any

from resources.home import Home


def details_of(home: Home, dataset: str, rules: str) -> dict[str, dict[str, Any]]:
    """Detail of every verdict by these rules, by content."""
    stored = home.warehouse.verdict_details(dataset=dataset, ruleset_hash=rules)
    return {row["input_hash"]: json.loads(row["detail"]) for row in stored}


def paged_details(home: Home) -> list[dict[str, Any]]:
    """Detail of every verdict that a page of the Data Docs shows, in no order that means anything."""
    return [detail for row in home.warehouse.verdict_details() if "page" in (detail := json.loads(row["detail"]))]


def record_all(home: Home, dataset: str, rules: str, found: Mapping[str, tuple[bool, Mapping[str, Any]]]) -> None:
    """Keep the judgement of one rule set over many contents at once; `found` has verdict and detail by content."""
    written = {content: (ok, json.dumps(detail, sort_keys=True)) for content, (ok, detail) in found.items()}
    home.warehouse.record_verdicts(dataset, rules, written)
