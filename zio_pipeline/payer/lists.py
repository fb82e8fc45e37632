"""Whether the files as a whole are what they should be: sizes of classes, schools heard of, a plausible Wlz list.

Belongs here: points that no single pupil causes (SPEC section 3, last paragraph).
Does not belong here: who pays for a pupil.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from zio_pipeline.payer.model import Decision, PayerInputs, Row, WorkItem
from zio_pipeline.payer.placement import Candidate
from zio_pipeline.setup import SchoolYearSetup


def class_sizes(setup: SchoolYearSetup, seats: Mapping[str, tuple[str, str]]) -> Iterator[WorkItem]:
    """Per class, pupils placed there (whatever they cost) plus settled must equal the expected number of the setup.

    Args:
        seats: pupil -> class, also of pupils whose payer is still an open point.
    """
    sizes = Counter(seats.values())
    for c in setup.classes:
        if sizes[c.key] != c.expected_pupils:
            detail = f"Verwacht {c.expected_pupils}, gevonden {sizes[c.key]}."
            yield WorkItem("class_size", c.order_id, f"{c.school} {c.class_code}", None, detail)


def missing_files(setup: SchoolYearSetup, inputs: PayerInputs) -> Iterator[WorkItem]:
    """An order whose school sent no accepted row."""
    heard = {row["school"] for row in inputs.registrations}
    for order in setup.orders:
        if order.school not in heard:
            yield WorkItem("missing_pupil_file", order.order_id, order.school, None)


def implausible_list(
    setup: SchoolYearSetup, indications: Iterable[Row], placed: Iterable[Candidate], decisions: Iterable[Decision]
) -> Iterator[WorkItem]:
    """The whole Wlz list is refused when it matches nobody at a school, or its share is off last year's."""
    settings = setup.settings
    accepted = next(iter(setup.decisions_of("wlz_list")), None)
    listed = {row["pupil"] for row in indications}
    present = {p.school for candidate in placed for p in candidate.placements}
    matched = {p.school for candidate in placed if candidate.pupil in listed for p in candidate.placements}
    schools = {order.school for order in setup.orders} & present
    found = [(s, f"Geen enkele indicatie hoort bij een leerling van school {s}.") for s in sorted(schools - matched)]
    counted = [d.stream for d in decisions if d.stream is not None]
    wlz = counted.count("wlz_zin") + counted.count("wlz_pgb")
    last_year = settings.wlz_share_last_year_permille
    if abs(wlz * 1000 - last_year * len(counted)) > settings.wlz_share_tolerance_permille * len(counted):
        share = f"{wlz} van {len(counted)} getelde leerlingen"
        found.append(("aandeel", f"Het Wlz-aandeel ({share}) wijkt te ver af van vorig jaar ({last_year} promille)."))
    for subject, detail in found:
        item = WorkItem("wlz_list_refused", None, subject, None, detail)
        yield item.settled(accepted.decision_id) if accepted else item
