"""The two schools as they might be: doelgroepen with *fictieve* hours, and classes to fit any number of pupils.

Belongs here: which doelgroepen a school has, how big their classes are, which class deviates.
Does not belong here: pupils (people), tariffs and amounts (contract).
"""

from collections.abc import Sequence

from zio_pipeline.demo.model import Group, SchoolClass
from zio_pipeline.demo.places import DE_BODDE, LEIJPARK
from zio_pipeline.money import largest_remainder

CONTRACT_WEEKS = 40
LEIJPARK_PERMILLE = 621

ZERO_HOURS_IN = "LG"
"""At Leijpark the last class of this doelgroep gets no hours, though its doelgroep has."""
OWN_HOURS_IN = "EMB"
OWN_WEEKS_IN = "KLE"


# Per class per week in whole hours: need, the school's own, of the granted hours verzorging. Then class size, pupils
# per mille of the school, ages, and pupils per mille with Wlz.
_TABLE = {
    LEIJPARK: (
        ("EMB", "Ernstig meervoudig beperkt", (34, 14, 14), 7, 110, (4, 19), 850),
        ("MG", "Meervoudig gehandicapt", (24, 10, 8), 9, 140, (4, 18), 600),
        ("LG", "Lichamelijk gehandicapt", (11, 5, 3), 12, 230, (5, 17), 150),
        ("LZ", "Langdurig ziek", (4, 2, 0), 12, 140, (5, 17), 50),
        ("KLE", "Kleuters en observatie", (20, 8, 6), 9, 130, (4, 6), 120),
        ("ASS", "Structuur (autisme)", (16, 6, 0), 9, 110, (6, 17), 100),
        ("DIP", "Diplomagericht, zonder zorg", (2, 2, 0), 13, 140, (12, 17), 20),
    ),
    DE_BODDE: (
        ("EMB", "Ernstig meervoudig beperkt", (34, 14, 0), 7, 90, (4, 19), 850),
        ("MG", "Meervoudig gehandicapt", (24, 10, 0), 9, 70, (5, 18), 600),
        ("ZML", "Zeer moeilijk lerend", (14, 6, 0), 11, 560, (5, 18), 430),
        ("ASS", "Structuur (autisme)", (16, 6, 0), 9, 190, (6, 17), 100),
        ("KLE", "Kleuters en observatie", (20, 8, 0), 9, 90, (4, 6), 120),
    ),
}

GROUPS = tuple(
    Group(school, code, name, need * 100, own * 100, care * 100, size, share, ages, wlz)
    for school, table in _TABLE.items()
    for code, name, (need, own, care), size, share, ages, wlz in table
)
"""*Fictief*: no hours per class of the region are published. Class sizes and Wlz shares are plausible, not measured."""


def lay_out(pupils: int) -> list[SchoolClass]:
    """Classes for that many placed pupils: about 62 % at Leijpark, every doelgroep with at least one class.

    Args:
        pupils: placed on the startdatum at both schools together, 60 or more.
    """
    at_leijpark, at_bodde = largest_remainder(pupils, (LEIJPARK_PERMILLE, 1000 - LEIJPARK_PERMILLE))
    return [*_school(LEIJPARK, at_leijpark), *_school(DE_BODDE, at_bodde)]


def _school(school: str, pupils: int) -> list[SchoolClass]:
    groups = [group for group in GROUPS if group.school == school]
    minimum = 3  # so that a doelgroep keeps somebody who counts when a planted case does not
    extra = largest_remainder(pupils - minimum * len(groups), [group.pupils_permille for group in groups])
    return [c for group, more in zip(groups, extra, strict=True) for c in _classes(group, minimum + more)]


def _classes(group: Group, pupils: int) -> Sequence[SchoolClass]:
    at_least = 2 if (group.school, group.code) == (LEIJPARK, ZERO_HOURS_IN) else 1
    number = max(at_least, round(pupils / group.class_size))
    sizes = largest_remainder(pupils, [1] * number)
    first, last = group.ages[0] * 12, (group.ages[1] + 1) * 12
    edges = [first + (last - first) * i // number for i in range(number + 1)]
    return [
        _one_class(group, index, number, size, (edges[index], edges[index + 1])) for index, size in enumerate(sizes)
    ]


def _one_class(group: Group, index: int, number: int, size: int, ages: tuple[int, int]) -> SchoolClass:
    code = f"{group.code}-{index + 1:02d}"
    is_leijpark = group.school == LEIJPARK
    hours = care = weeks = None
    if is_leijpark and group.code == ZERO_HOURS_IN and index == number - 1:
        hours, care = 0, 0
    elif is_leijpark and group.code == OWN_HOURS_IN and index == 0:
        hours, care = group.granted_hundredths + 250, group.care_hundredths + 150
    elif is_leijpark and group.code == OWN_WEEKS_IN and index == 0:
        weeks = CONTRACT_WEEKS - 2
    return SchoolClass(group.school, code, group, CONTRACT_WEEKS, size, ages, hours, care, weeks)


def is_zero_hour_exception(school_class: SchoolClass) -> bool:
    """A class without hours in a doelgroep that has them."""
    return school_class.year_hundredths == 0 and school_class.group.granted_hundredths > 0
