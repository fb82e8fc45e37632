"""What a new publication of the hours changed: per class and week, and per measure.

Belongs here: laying two publications of `delivery_control` beside each other, and saying it in Dutch. Does not belong here: why
it changed (which file came in), publishing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zio_pipeline.contracts import products
from zio_pipeline.hours.delivery import MEASURES

Place = tuple[str, str, str, str, str]
"""Month, week, school, class and provider."""
_NOTHING = dict.fromkeys(MEASURES, 0)


@dataclass(frozen=True, order=True)
class Difference:
    """One measure of one class, week and provider that is other than it was; minutes. What is not there is 0."""

    place: Place
    measure: str
    before: int
    after: int

    @property
    def sentence(self) -> str:
        """`2025-W40 (2025-10), klas EMB1 van 02ZX00, aanbieder 41410101: geleverd van 600 naar 540 minuten.`"""
        month, week, school, class_code, provider = self.place
        dutch = products()["delivery_control"].column(self.measure).dutch
        where = f"{week} ({month}), klas {class_code} van {school}, aanbieder {provider}"
        return f"{where}: {dutch} van {self.before} naar {self.after} minuten."


def differences(before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]]) -> list[Difference]:
    """Everything that changed between two publications, by place and in the order of the measures.

    Args:
        before, after: rows of `delivery_control` of one school year and the same months.
    """
    then, now = _by_place(before), _by_place(after)
    return [
        Difference(place, name, then.get(place, _NOTHING)[name], now.get(place, _NOTHING)[name])
        for place in sorted(then.keys() | now.keys())
        for name in MEASURES
        if then.get(place, _NOTHING)[name] != now.get(place, _NOTHING)[name]
    ]


def difference_report(found: Sequence[Difference], shown: int) -> list[str]:
    """The first so many sentences, and how many there are more."""
    rest = len(found) - shown
    more = [f"En nog {rest} {'verschil' if rest == 1 else 'verschillen'}."] if rest > 0 else []
    return [one.sentence for one in found[:shown]] + more


def _by_place(rows: Iterable[Mapping[str, Any]]) -> dict[Place, Mapping[str, Any]]:
    return {(r["month"], r["week"], r["school"], r["class_code"], r["provider"]): r for r in rows}
