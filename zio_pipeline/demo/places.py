"""Where demo pupils live: real municipalities with their postcodes and zorgkantoor, real proportions of origin.

Belongs here: public facts about municipalities around Tilburg that the generator needs, and who is a member since when.
Does not belong here: rules (codes resolve in `reference`), and anything about a person.

Origin per school: DUO open data, home municipality on 1-10-2017 (CC-0), with Haaren divided as it was on 1-1-2021.
Cells under five pupils are pooled there; how those are spread over the municipalities around is *fictief*.
"""

import random
from dataclasses import dataclass
from datetime import date

LEIJPARK, DE_BODDE = "02ZX00", "01FX00"

TILBURG, OISTERWIJK, VUGHT, BOXTEL, BREDA = "0855", "0824", "0865", "0757", "0758"
BAARLE_NASSAU, ALPHEN_CHAAM = "0744", "1723"
GEERTRUIDENBERG, DRIMMELEN, BLADEL = "0779", "1719", "1728"

MIDDEN_BRABANT, WEST_BRABANT, NOORDOOST_BRABANT, ZUIDOOST_BRABANT = "5527", "5526", "5528", "5529"
ZORGKANTOREN = {
    MIDDEN_BRABANT: "Zorgkantoor Midden-Brabant",
    WEST_BRABANT: "Zorgkantoor West-Brabant",
    NOORDOOST_BRABANT: "Zorgkantoor Noordoost Brabant",
    ZUIDOOST_BRABANT: "Zorgkantoor Zuidoost-Brabant",
}


@dataclass(frozen=True)
class Place:
    """A municipality; `member_from` is None outside the region."""

    code: str
    name: str
    postcodes: tuple[int, ...]
    zorgkantoor: str
    member_from: date | None = None


_SINCE_2015, _SINCE_2022 = date(2015, 1, 1), date(2022, 1, 1)

# fmt: off
_PLACES = (
    Place("0766", "Dongen", (5101, 5102, 5103, 5109), MIDDEN_BRABANT, _SINCE_2015),
    Place("0784", "Gilze en Rijen", (5121, 5122, 5124, 5126), MIDDEN_BRABANT, _SINCE_2015),
    Place("0785", "Goirle", (5051, 5052, 5053, 5133), MIDDEN_BRABANT, _SINCE_2015),
    Place("0797", "Heusden", (5151, 5154, 5251, 5253, 5256), MIDDEN_BRABANT, _SINCE_2015),
    Place("0798", "Hilvarenbeek", (5081, 5084, 5085, 5087), MIDDEN_BRABANT, _SINCE_2015),
    Place("0809", "Loon op Zand", (5171, 5172, 5175), MIDDEN_BRABANT, _SINCE_2015),
    Place(OISTERWIJK, "Oisterwijk", (5061, 5062, 5066, 5076), MIDDEN_BRABANT, _SINCE_2015),
    Place(TILBURG, "Tilburg", (5011, 5013, 5014, 5017, 5021, 5025, 5036, 5038, 5041, 5043, 5045, 5056, 5071, 5074),
          MIDDEN_BRABANT, _SINCE_2015),
    Place("0867", "Waalwijk", (5141, 5142, 5143, 5144, 5161, 5165), MIDDEN_BRABANT, _SINCE_2015),
    Place(ALPHEN_CHAAM, "Alphen-Chaam", (4861, 5131), WEST_BRABANT, _SINCE_2022),
    Place(BAARLE_NASSAU, "Baarle-Nassau", (5111, 5113), WEST_BRABANT, _SINCE_2022),
    Place(BREDA, "Breda", (4811, 4812, 4815, 4817, 4822, 4834), WEST_BRABANT),
    Place("0826", "Oosterhout", (4901, 4902, 4904, 4907), WEST_BRABANT),
    Place(GEERTRUIDENBERG, "Geertruidenberg", (4931, 4941, 4942), WEST_BRABANT),
    Place(DRIMMELEN, "Drimmelen", (4844, 4921, 4924), WEST_BRABANT),
    Place("1959", "Altena", (4251, 4285, 4286), WEST_BRABANT),
    Place("0796", "'s-Hertogenbosch", (5211, 5213, 5223, 5231, 5235), NOORDOOST_BRABANT),
    Place(VUGHT, "Vught", (5261, 5262, 5263, 5268), NOORDOOST_BRABANT),
    Place(BOXTEL, "Boxtel", (5281, 5282, 5283, 5296), NOORDOOST_BRABANT),
    Place("0845", "Sint-Michielsgestel", (5271, 5272, 5258), NOORDOOST_BRABANT),
    Place("0823", "Oirschot", (5688, 5091), ZUIDOOST_BRABANT),
    Place("1667", "Reusel-De Mierden", (5541, 5094, 5095), ZUIDOOST_BRABANT),
    Place(BLADEL, "Bladel", (5528, 5531), ZUIDOOST_BRABANT),
)

ORIGIN = {
    LEIJPARK: {
        TILBURG: 178, OISTERWIJK: 26, "0785": 21, "0809": 18, "0798": 14, "0766": 13, "0867": 12, ALPHEN_CHAAM: 9,
        "0784": 9, "0823": 5, VUGHT: 2, BOXTEL: 1, "0797": 5, BAARLE_NASSAU: 3, BREDA: 2, "0826": 2,
        "0796": 2, "1667": 2,
    },
    DE_BODDE: {
        TILBURG: 168, "0867": 30, OISTERWIJK: 14, "0766": 11, "0809": 8, "0785": 7,
        "0784": 4, "0798": 3, "0797": 3, ALPHEN_CHAAM: 2, BAARLE_NASSAU: 1, "0826": 3, BREDA: 2, "1959": 1, "0845": 1,
    },
}
# fmt: on
"""Weights per school. Geertruidenberg, Drimmelen and Bladel are left out: they come in with the planted cases only."""

PLACES = {place.code: place for place in _PLACES}
MEMBERS = tuple(place.code for place in _PLACES if place.member_from)
OUTSIDE = tuple(place.code for place in _PLACES if not place.member_from)

STAY_POSTCODES = ("5022KE", "5044ZX")
"""Postcodes that the demo setup lists as verblijf locations; no ordinary pupil gets one."""

_LETTERS = "ABCDEGHJKLMNPRTVWXZ"
_NOT_ISSUED = ("SA", "SD", "SS")


def random_postcode(place: str, rng: random.Random) -> str:
    """A postcode of the municipality with *fictieve* letters: '5038AB'."""
    while True:
        letters = rng.choice(_LETTERS) + rng.choice(_LETTERS)
        postcode = f"{rng.choice(PLACES[place].postcodes)}{letters}"
        if letters not in _NOT_ISSUED and postcode not in STAY_POSTCODES:
            return postcode
