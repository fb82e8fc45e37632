"""The cases that go wrong elsewhere, each planted on purpose, with the besluit that settles it where one is needed.

Belongs here: turning ordinary pupils into the exceptions of SPEC section 3, and adding those who do not count.
Does not belong here: bad and odd timesheet lines (timesheets).
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

from zio_pipeline.demo.layout import is_zero_hour_exception
from zio_pipeline.demo.model import PGB, Draft, Indication, Placement, Pupil, SchoolClass
from zio_pipeline.demo.people import MPT, People, decision_numbers, move, random_onderwijsnummer, years_before
from zio_pipeline.demo.places import (
    ALPHEN_CHAAM,
    BAARLE_NASSAU,
    BLADEL,
    BREDA,
    DE_BODDE,
    DRIMMELEN,
    GEERTRUIDENBERG,
    LEIJPARK,
    PLACES,
    STAY_POSTCODES,
    TILBURG,
    VUGHT,
    WEST_BRABANT,
)
from zio_pipeline.errors import ZioError

ANNOUNCED_GROUP = "Aangemeld"
SMALL = 200
"""Below so many pupils a case is planted once, so that ordinary pupils are left over."""

Condition = Callable[[Pupil], bool]


def plant(draft: Draft, people: People) -> None:
    """Plant every case in the draft: pupils change, besluiten and `draft.planted` are filled."""
    planter = _Planter(draft, people)
    planter.municipalities()
    planter.residence()
    planter.ages()
    planter.wlz()
    planter.placements()
    planter.outside_the_key()
    planter.not_placed()
    _ledenlijst(draft)
    _observe(draft)


class _Planter:
    """Picks ordinary pupils in a drawn order, each for one case at most."""

    def __init__(self, draft: Draft, people: People):
        self._draft, self._people = draft, people
        self._rng = draft.rng("planted")
        self._numbers = decision_numbers(draft, "besluitnummers planted")
        self._order = list(draft.pupils)
        self._rng.shuffle(self._order)
        self._counted = Counter(_group_of(p) for p in draft.pupils if p.outcome[0])
        self._twice = 1 if len(draft.pupils) < SMALL else 2

    def municipalities(self) -> None:
        """Outside municipalities without a promise or with a late one, with a single child; a member without debtor."""
        for case, code, pupils in (
            ("uncommitted_municipality", GEERTRUIDENBERG, self._twice),
            ("later_committed_municipality", DRIMMELEN, self._twice),
            ("one_pupil_municipality", BLADEL, 1),
            ("member_without_debtor", BAARLE_NASSAU, 1),
        ):
            for _ in range(pupils):
                move(self._pick(_is_jeugdwet), code, self._draft, self._rng)
            self._draft.planted[case] = [code]

    def residence(self) -> None:
        """Abroad, secret address, verblijf, and a municipality that was abolished and divided."""
        abroad = self._case("belgium", _is_jeugdwet)
        self._homeless(abroad)
        abroad.country, abroad.settled = "België", ("jeugdwet", TILBURG)
        self._besluit("provisional", abroad, "Woont in België; de penvoerder betaalt tot er meer bekend is.")

        secret = self._case("secret_address", _is_jeugdwet)
        self._homeless(secret)
        secret.secret, secret.settled = True, ("jeugdwet", TILBURG)
        self._settle(secret, "Geheim adres; gemeente langs de beveiligde weg bevestigd.")

        stay = self._case("verblijf", _is_jeugdwet)
        stay.municipality, stay.stated, stay.evidence, stay.since = BREDA, PLACES[TILBURG].name, "address", None
        stay.postcode, stay.settled = STAY_POSTCODES[0], ("jeugdwet", BREDA)
        self._settle(stay, "Verblijf: de gemeente van vóór het verblijf betaalt (woonplaatsbeginsel).")

        for postcode, code in (("5268", VUGHT), ("5074", TILBURG))[: self._twice]:
            divided = self._case("haaren", _is_jeugdwet)
            move(divided, code, self._draft, self._rng)
            divided.stated, divided.postcode, divided.evidence = (
                "Haaren",
                f"{postcode}{divided.postcode[4:] or 'GH'}",
                "school",
            )

        for _ in range(self._twice):
            known = self._case("secret_address_known", _is_jeugdwet)
            known.secret, known.postcode, known.evidence = True, "", "confirmed"

    def ages(self) -> None:
        """18 on the very startdatum, 18 before it, and one who turns 18 in the year."""
        for days in (0, 200)[: self._twice]:
            adult = self._case("adult", lambda p: _is_jeugdwet(p) and _in_old_class(p))
            adult.birth_date = years_before(self._draft.start - timedelta(days=days), 18)
            adult.settled = ("adult", adult.municipality)
            self._settle(adult, "18 of ouder zonder Wlz; de gemeente heeft ingestemd.")
        turning = self._pick(lambda p: _is_jeugdwet(p) and _in_old_class(p))
        turning.birth_date = years_before(self._draft.start + timedelta(days=120), 18)

    def wlz(self) -> None:
        """Every way in which the Wlz list does not simply say yes or no."""
        draft = self._draft
        for _ in range(self._twice):
            late = self._case("wlz_granted_afterwards", _is_jeugdwet)
            late.other_indications.append(self._granted_afterwards(late))
        ended = self._case("wlz_ended", _is_jeugdwet)
        before = draft.reference - timedelta(days=1)
        begun = before - timedelta(days=365)
        ended.other_indications.append(
            Indication(
                draft.list_date, next(self._numbers), begun, begun, MPT, PLACES[ended.municipality].zorgkantoor, before
            )
        )
        for form, percentage in ((MPT, 40), ("MPT+PGB", 50))[: self._twice]:
            mixed = self._case("mpt_pgb", _is_zin)
            mixed.indication = replace(_current(mixed), form=form, pgb_percentage=percentage)
            mixed.settled = ("wlz_zin", _current(mixed).zorgkantoor)
            self._settle(mixed, "MPT en pgb: de zorg op school valt onder het MPT-deel.")

        elsewhere = self._pick(_is_zin)
        move(elsewhere, BREDA, draft, self._rng)
        elsewhere.indication = replace(_current(elsewhere), zorgkantoor=WEST_BRABANT)

        refused = self._case("pgb_refused", lambda p: p.outcome[0] == "wlz_pgb" and self._can_miss(p))
        refused.indication = replace(_current(refused), parents_agree=False)
        self._do_not_count(refused, "Ouders stemmen niet in met collectieve financiering uit het pgb.")

        integral = self._case("integral_tariff", lambda p: _is_zin(p) and self._can_miss(p))
        integral.indication = replace(_current(integral), form="5")
        self._do_not_count(integral, "Volledig pakket thuis: integraal tarief, niet collectief.")

    def placements(self) -> None:
        """One pupil in the files of both schools, one in two classes of one school."""
        both = self._case("double_placement", lambda p: _is_jeugdwet(p) and _class_of(p).school == LEIJPARK)
        twice = self._case("double_placement", lambda p: _is_jeugdwet(p) and _class_of(p).school == DE_BODDE)
        for pupil in (both, twice):
            here = _class_of(pupil)
            other = next(
                c for c in reversed(self._draft.classes) if c.school == DE_BODDE and c is not here and c.year_hundredths
            )
            pupil.placements.append(Placement(other.school, other.code, self._draft.year.first_day))
            fields = {"school": here.school, "class_code": here.code}
            self._besluit("definitive", pupil, "Staat in twee klassen; deze klas telt.", **fields)

        number = self._pick(_is_jeugdwet)
        number.pgn = random_onderwijsnummer(self._rng)
        self._draft.planted["onderwijsnummer"] = [number.pgn]
        self._draft.planted["zero_hour_class"] = [
            f"{c.school} {c.code}" for c in self._draft.classes if is_zero_hour_exception(c)
        ]

    def outside_the_key(self) -> None:
        """Pupils whose school says they need no care."""
        for _ in range(2 * self._twice):
            self._case("no_need", lambda p: _is_jeugdwet(p) and self._can_miss(p)).needs_care = False
            self._recount()

    def not_placed(self) -> None:
        """Leavers, newcomers after the start, and announced pupils: in the files, never in the key."""
        draft, rng = self._draft, self._rng
        year = draft.year
        for case, group, first, last in (
            ("leaver", None, year.first_day - timedelta(days=365), draft.start - timedelta(days=4)),
            ("newcomer", None, draft.start + timedelta(days=49), None),
            ("aangemeld", ANNOUNCED_GROUP, year.first_day, None),
        ):
            for school in (LEIJPARK, DE_BODDE):
                for _ in range(self._twice):
                    pupil = self._people.pupil(rng.choice([c for c in draft.classes if c.school == school]))
                    code = group or _class_of(pupil).code
                    pupil.placements, pupil.counted_in = [Placement(school, code, first, last)], None
                    move(pupil, TILBURG, draft, rng)
                    draft.pupils.append(pupil)
                    self._record(case, pupil)

    def _pick(self, condition: Condition) -> Pupil:
        for pupil in self._order:
            if not pupil.planted and condition(pupil):
                pupil.planted = True
                return pupil
        raise ZioError("Er zijn te weinig leerlingen om elk voorbeeldgeval te tonen; kies een groter aantal.")

    def _case(self, case: str, condition: Condition) -> Pupil:
        pupil = self._pick(condition)
        self._record(case, pupil)
        return pupil

    def _record(self, case: str, pupil: Pupil) -> None:
        pupil.planted = True
        self._draft.planted.setdefault(case, []).append(pupil.pgn)

    def _can_miss(self, pupil: Pupil) -> bool:
        """Whether its doelgroep keeps others who count."""
        return self._counted[_group_of(pupil)] >= 3

    def _recount(self) -> None:
        self._counted = Counter(_group_of(p) for p in self._draft.pupils if p.outcome[0])

    def _do_not_count(self, pupil: Pupil, reason: str) -> None:
        pupil.settled = (None, None)
        self._besluit("not_counted", pupil, reason)
        self._recount()

    def _granted_afterwards(self, pupil: Pupil) -> Indication:
        """To be issued after the peildatum, with an earlier start: the list announces it."""
        reference, number = self._draft.reference, next(self._numbers)
        issued, begun = reference + timedelta(days=14), reference - timedelta(days=30)
        return Indication(self._draft.list_date, number, issued, begun, MPT, PLACES[pupil.municipality].zorgkantoor)

    @staticmethod
    def _homeless(pupil: Pupil) -> None:
        pupil.municipality = pupil.stated = pupil.postcode = ""
        pupil.evidence = pupil.since = None

    def _settle(self, pupil: Pupil, reason: str) -> None:
        stream, payer = pupil.settled or (None, None)
        self._besluit("definitive", pupil, reason, stream=stream, payer=payer)

    def _besluit(self, kind: str, pupil: Pupil, reason: str, **fields: str | None) -> None:
        add_besluit(self._draft, kind, reason, pupil=pupil.pgn, **fields)


def add_besluit(draft: Draft, kind: str, reason: str, **fields: str | None) -> None:
    """Add a besluit, taken between peildatum and startdatum, numbered in order."""
    number = len(draft.besluiten) + 1
    days = (draft.start - draft.reference).days
    row: dict[str, object] = {
        "decision_id": f"B-{draft.year.first_calendar_year}-{number:03d}",
        "kind": kind,
        "decided_by": "Beleidsadviseur (fictief)",
        "decided_on": draft.reference + timedelta(days=days // 2 + number % (days // 2)),
        "reason": f"Fictief. {reason}",
    }
    draft.besluiten.append(row | fields)


def _ledenlijst(draft: Draft) -> None:
    for code in (ALPHEN_CHAAM, BAARLE_NASSAU):
        reason = f"{PLACES[code].name} is lid van Hart van Brabant; het CBS deelt de gemeente anders in."
        add_besluit(draft, "membership", reason, subject=code)


def _observe(draft: Draft) -> None:
    """Cases that also arise by themselves: every pupil with the property, not only the planted one."""
    last_day = draft.year.last_day
    draft.planted["turning_18"] = [p.pgn for p in draft.placed() if _age(p, draft.start) < 18 <= _age(p, last_day)]
    draft.planted["cz_pupil"] = [p.pgn for p in draft.placed() if p.outcome == ("wlz_zin", WEST_BRABANT)]
    draft.planted["agreed_round_amount"] = [draft.order_id(DE_BODDE)]


def _age(pupil: Pupil, day: date) -> int:
    born = pupil.birth_date
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _class_of(pupil: Pupil) -> SchoolClass:
    if pupil.counted_in is None:
        raise ValueError("not placed")
    return pupil.counted_in


def _current(pupil: Pupil) -> Indication:
    if pupil.indication is None:
        raise ValueError("no Wlz")
    return pupil.indication


def _group_of(pupil: Pupil) -> tuple[str, str]:
    return ("", "") if pupil.counted_in is None else (pupil.counted_in.school, pupil.counted_in.group.code)


def _is_jeugdwet(pupil: Pupil) -> bool:
    return pupil.outcome[0] == "jeugdwet"


def _is_zin(pupil: Pupil) -> bool:
    return pupil.outcome[0] == "wlz_zin" and _current(pupil).form != PGB


def _in_old_class(pupil: Pupil) -> bool:
    return _class_of(pupil).ages[1] > 17 * 12
