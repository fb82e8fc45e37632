"""The clauses of the agreement as code: each rule that makes or moves money, in Dutch, with its source and who carries it out.

Belongs here: every rule of SPEC sections 3 to 5, once, in our own words: an id, what the agreement says, where that stands,
and the functions that do it (`module:name`). A test imports every function and finds every rule of the money modules here.
Does not belong here: a figure. What a year fixes stands in its workbook, each value with a source of its own.
"""

from dataclasses import dataclass

REPORT = "Rapport ZiO Hart van Brabant, bekostiging"
"""The final report of the pilot Zorg in Onderwijstijd Hart van Brabant, on whose agreement the rules rest."""


@dataclass(frozen=True)
class Clause:
    """One clause; `functions` are named as `package.module:name` or `package.module:Class.method`."""

    id: str
    text: str
    source: str
    functions: tuple[str, ...]


_PAYER, _BILLING = "zio_pipeline.payer", "zio_pipeline.billing"

CLAUSES: tuple[Clause, ...] = (
    # L: the pupil and its payer (SPEC section 3)
    Clause(
        "L1",
        "Een leerling telt mee in de klas waarin hij op de startdatum geplaatst is. Wie eerder vertrok telt niet, wie later komt "
        "ook niet, en niemand telt twee keer.",
        f"{REPORT}; SPEC 3 punt 1",
        (f"{_PAYER}.placement:candidates", f"{_PAYER}.decide:decide_payers", f"{_PAYER}.facts:facts_of"),
    ),
    Clause(
        "L2",
        "Wie in een klas zonder uren zit, of volgens de school geen zorg nodig heeft, kost niets en maakt het voor anderen "
        "niet goedkoper.",
        f"{REPORT}; SPEC 3 punt 2",
        (f"{_PAYER}.decide:decide_payers",),
    ),
    Clause(
        "L3",
        "De Wlz betaalt als een indicatie op de peildatum geldig is en toen ook bekend was; de leveringsvorm bepaalt hoe.",
        "Wlz; iWlz codelijst leveringsvorm; SPEC 3 punt 3",
        (f"{_PAYER}.wlz:wlz_verdict", f"{_PAYER}.wlz:is_valid", f"{_PAYER}.wlz:known_on"),
    ),
    Clause(
        "L4",
        "Een indicatie die later met terugwerkende kracht komt wordt gemeld en verandert dit schooljaar niets.",
        "SPEC 3 punt 3",
        (f"{_PAYER}.wlz:granted_afterwards",),
    ),
    Clause(
        "L5",
        "Wie op de startdatum 18 of ouder is en geen Wlz heeft, valt buiten de gewone Jeugdwet en staat apart.",
        "Jeugdwet 1.1; SPEC 3 punt 4",
        (f"{_PAYER}.residence:age_verdict", f"{_PAYER}.model:age_on", f"{_PAYER}.model:age_class"),
    ),
    Clause(
        "L6",
        "Anders betaalt de gemeente die op de peildatum verantwoordelijk is (woonplaatsbeginsel). Er wordt nooit geraden.",
        "Jeugdwet 1.1 (sinds 1-1-2022); SPEC 3 punten 5 en 6",
        (
            f"{_PAYER}.residence:municipality_verdict",
            f"{_PAYER}.facts:facts_of",
            "zio_pipeline.reference:Municipalities.resolve",
        ),
    ),
    Clause(
        "L7",
        "Wat de regels niet kunnen zeggen, zegt een besluit: definitief, voorlopig (de penvoerder betaalt) of niet tellen.",
        "SPEC 3, werklijst",
        (f"{_PAYER}.besluiten:verdict_by", f"{_PAYER}.besluiten:settles_payer"),
    ),
    Clause(
        "L8",
        "Zolang een klas niet het verwachte aantal leerlingen heeft, een bestand ontbreekt of de Wlz-lijst niet aannemelijk is, "
        "wordt niets vastgesteld.",
        "SPEC 3, slot",
        (f"{_PAYER}.lists:class_sizes", f"{_PAYER}.lists:missing_files", f"{_PAYER}.lists:implausible_list"),
    ),
    # B: the budget (SPEC section 4)
    Clause(
        "B1",
        "Uren horen bij een klas en niet bij een kind: de uren van de klas, anders die van haar doelgroep, maal de weken. "
        "Toegekend is de behoefte min wat de school zelf inzet.",
        f"{REPORT}; SPEC 4",
        ("zio_pipeline.setup:SchoolYearSetup.hours_of",),
    ),
    Clause(
        "B2",
        "Een doelgroep kost de uren van haar klassen maal het tarief, los van de wet, één keer afgerond op hele centen.",
        f"{REPORT}; SPEC 4",
        ("zio_pipeline.budget:doelgroep_budgets", "zio_pipeline.money:round_half_up"),
    ),
    Clause(
        "B3",
        "Is een bedrag afgesproken, dan gaat dat voor: het wordt naar uren maal tarief over de doelgroepen verdeeld, binnen "
        "een afgesproken tolerantie.",
        "SPEC 4, amount_basis",
        ("zio_pipeline.budget:doelgroep_budgets",),
    ),
    Clause(
        "B4",
        "Een bijdrage is een vast bedrag van een eigen betaler en gaat eerst van het budget af.",
        "SPEC 4, bijdragen",
        ("zio_pipeline.budget:doelgroep_budgets", "zio_pipeline.shares:share_lines"),
    ),
    Clause(
        "B5",
        "Kiest een jaar voor leerlinggewicht, dan zijn de uren van een klas haar verwachte aantal leerlingen maal de uren per "
        "leerling van de doelgroep, maal de weken.",
        "Instelling bekostiging van het schooljaar",
        ("zio_pipeline.setup:SchoolYearSetup.hours_of",),
    ),
    # V: dividing (SPEC section 4)
    Clause(
        "V1",
        "Verdelen is: ieder zijn deel naar beneden afgerond, en de centen die over zijn naar de grootste afgekapte delen. Bij "
        "gelijke delen gaat de eerste in de vaste volgorde voor.",
        "SPEC 4, grootste rest",
        ("zio_pipeline.money:largest_remainder",),
    ),
    Clause(
        "V2",
        "Eerst over de stromen (Jeugdwet, Wlz in natura, Wlz-pgb, 18 plus), naar leerlingen of naar afgesproken gewichten, per "
        "opdracht en doelgroep.",
        f"{REPORT}; SPEC 4, stap 1",
        ("zio_pipeline.shares:split_over_streams",),
    ),
    Clause(
        "V3",
        "Daarna elke stroom over haar betalers, naar hun leerlingen; een gemeente betaalt alleen voor haar eigen leerlingen.",
        f"{REPORT}; SPEC 4, stap 2",
        ("zio_pipeline.shares:split_over_payers",),
    ),
    Clause(
        "V4",
        "Heeft een doelgroep uren en geen leerlingen, dan noemt een besluit de doelgroep waarvan de sleutel geldt.",
        "SPEC 4, sleutel van",
        ("zio_pipeline.shares:key_doelgroep",),
    ),
    Clause(
        "V5",
        "Het jaarbedrag van een betaler is de som over de doelgroepen, per opdracht en stroom. Lid is wie dat op 1 augustus was, "
        "voor het hele schooljaar.",
        f"{REPORT}; SPEC 4, termijnen",
        ("zio_pipeline.shares:share_lines", "zio_pipeline.setup:SchoolYearSetup.is_member"),
    ),
    Clause(
        "V6",
        "Stromen samen zijn het budget, betalers samen hun stroom, termijnen samen het jaar, en iedereen samen de opdrachten.",
        "SPEC 4, invarianten",
        ("zio_pipeline.proofs:prove", "zio_pipeline.proofs:require", "zio_pipeline.proofs:settlement"),
    ),
    # T: terms and rhythm (SPEC sections 4 and 5)
    Clause(
        "T1",
        "Een jaarbedrag gaat in tien gelijke termijnen, september tot en met juni. De losse centen gaan om de beurt: elke regel "
        "begint na de termijn waar de vorige ophield.",
        f"{REPORT}; SPEC 4, termijnen",
        ("zio_pipeline.terms:spread_terms", "zio_pipeline.money:controlled_rounding"),
    ),
    Clause(
        "T2",
        "Leden, zorgkantoren en wie een bijdrage geeft betalen per maand; gemeenten buiten de regio twee keer per jaar.",
        f"{REPORT}; SPEC 4, termijnen",
        (f"{_BILLING}.documents:BillingCalendar.period", "zio_pipeline.shares:share_lines"),
    ),
    Clause(
        "T3",
        "Een termijn vervalt op de eerste werkdag van haar maand, een helft op de eerste werkdag van januari en juli.",
        f"{REPORT}; Algemene termijnenwet; SPEC 5",
        (
            f"{_BILLING}.documents:BillingCalendar.due_on",
            f"{_BILLING}.documents:due_dates",
            "zio_pipeline.school_year:first_working_day",
        ),
    ),
    # D: what providers declare (SPEC section 5)
    Clause(
        "D1",
        "De aanbieder declareert per opdracht, wet en maand precies de som van de termijnen; wat pgb-houders betalen niet.",
        f"{REPORT}; SPEC 5, declaraties",
        ("zio_pipeline.declarations:monthly_declarations", "zio_pipeline.declarations:declared_terms"),
    ),
    Clause(
        "D2",
        "Jeugdwet en 18 plus gaan naar de regio, de Wlz naar het zorgkantoor dat betaalt.",
        f"{REPORT}; SPEC 5, declaraties",
        ("zio_pipeline.declarations:declaration_addressees",),
    ),
    Clause(
        "D3",
        "Het zorgkantoor krijgt een specificatie per opdracht, doelgroep en leveringsvorm, op een wettelijke grond.",
        f"{REPORT}; Wlz; SPEC 5, Wlz-overzicht",
        ("zio_pipeline.declarations:zorgkantoor_statement",),
    ),
    # S: fixing a year, and a new version of it (SPEC section 5)
    Clause(
        "S1",
        "Een schooljaar wordt vastgesteld met een bewijs: bestanden, instellingen, aantallen en bedragen, elk met een "
        "vingerafdruk. Wat daarvan afwijkt wordt niet geboekt.",
        "SPEC 5, vaststellen",
        (
            "zio_pipeline.establishment:make_receipt",
            "zio_pipeline.establishment:receipt_hash",
            "zio_pipeline.establishment:table_hashes",
            "zio_pipeline.establishment:require_signed",
        ),
    ),
    Clause(
        "S2",
        "De één stelt voor, een ander keurt goed. Verandert er daarna iets, dan vervalt de goedkeuring.",
        "SPEC 5, vaststellen",
        ("resources.establishments:propose", "resources.establishments:approve"),
    ),
    Clause(
        "S3",
        "Een mutatie na de startdatum verandert het bedrag niet: een vastgesteld jaar rekent met de bestanden van toen.",
        f"{REPORT}; SPEC 4, mutaties",
        ("zio_pipeline.stages.year:year_inputs",),
    ),
    Clause(
        "S4",
        "In een nieuwe versie houdt een betaler zijn centen en termijnen als zijn aantal en exacte aandeel niet veranderden; de "
        "rest gaat over de anderen.",
        "SPEC 5, nieuwe versie",
        (
            "zio_pipeline.money:largest_remainder_beside",
            "zio_pipeline.shares:split_over_streams",
            "zio_pipeline.shares:split_over_payers",
            "zio_pipeline.kept_terms:fixed_terms",
            "zio_pipeline.proofs:prove_beside",
        ),
    ),
    Clause(
        "S5",
        "Bij een gewijzigde opdracht blijven geboekte termijnen staan en gaat het verschil over de termijnen die nog open zijn.",
        "SPEC 5, order_change",
        (
            "zio_pipeline.versions:changed_orders",
            "zio_pipeline.kept_terms:is_posted",
            "zio_pipeline.kept_terms:what_stays",
            "zio_pipeline.kept_terms:fixed_terms",
            "zio_pipeline.terms:spread_terms",
        ),
    ),
    Clause(
        "S6",
        "Een nieuwe versie heeft een reden: een fout op de peildatum, een fout in een afgesproken waarde, een bezwaar of een "
        "gewijzigde opdracht. Een mutatie is nooit een reden.",
        f"{REPORT}; SPEC 5, nieuwe versie",
        ("zio_pipeline.establishment:reason_of", "resources.establishments:propose"),
    ),
    Clause(
        "S7",
        "Wordt een opdracht die dit jaar gewijzigd is om een andere reden opnieuw gerekend, dan houdt zij de termijn waarop zij "
        "wijzigde: wat per maand te declareren is verandert alleen als het jaar van de opdracht en wet verandert.",
        "SPEC 5, order_change",
        (
            "zio_pipeline.order_history:history_with",
            "zio_pipeline.order_history:segment_weights",
            "zio_pipeline.order_history:again_weights",
            "zio_pipeline.kept_terms:spread_again",
        ),
    ),
    Clause(
        "S8",
        "Wat een later bestand anders zegt en niemand nog beoordeeld heeft, nemen alleen een peildatumfout en een bezwaar over; "
        "een andere reden laat iedere leerling zoals hij is vastgesteld.",
        "SPEC 5, fout of mutatie",
        (
            "zio_pipeline.mutations:without_mutations",
            "zio_pipeline.mutations:as_established",
            "zio_pipeline.mutations:taken_rows",
        ),
    ),
    Clause(
        "S9",
        "Met een opdracht veranderen leerlingen, lidmaatschap en ritme niet mee, en losse centen van wat blijft staan verrekent de "
        "doelgroep onderling.",
        "SPEC 5, order_change",
        (
            "zio_pipeline.versions:require_same_pupils",
            "zio_pipeline.versions:require_same_rhythm",
            "zio_pipeline.kept_terms:with_what_stays",
            "zio_pipeline.shares:exact_shares",
            "zio_pipeline.shares:streams_of",
        ),
    ),
    # F: documents (SPEC section 5)
    Clause(
        "F1",
        "Een betaler krijgt één document per periode, met één regel per opdracht en stroom; nooit een document van nul euro.",
        "SPEC 5, boeken",
        (f"{_BILLING}.documents:desired_documents", f"{_BILLING}.posted:invoice_rows"),
    ),
    Clause(
        "F2",
        "Een run boekt alles wat vervallen is en nog niet geboekt, op volgorde van vervaldag, periode en betaler.",
        "SPEC 5, boeken",
        (
            f"{_BILLING}.planning:plan",
            f"{_BILLING}.planning:plan_run",
            f"{_BILLING}.planning:business_dates",
            f"{_BILLING}.documents:posting_order",
        ),
    ),
    Clause(
        "F3",
        "Een nummer ontstaat pas bij het boeken, zonder gat, per afzender, soort en kalenderjaar.",
        "SPEC 5, nummers; Wet OB 35a",
        (
            "resources.ledger:Ledger.post",
            f"{_BILLING}.posted:posted_as",
            f"{_BILLING}.posted:series_name",
            f"{_BILLING}.posted:document_number",
        ),
    ),
    Clause(
        "F4",
        "Wat geboekt is verandert nooit: elk document draagt de vingerafdruk van het vorige.",
        "SPEC 5, nummers",
        (f"{_BILLING}.posted:document_hash", "resources.ledger_proof:verify"),
    ),
    Clause(
        "F5",
        "Een fout wordt hersteld door het hele document één keer te crediteren en het goede te boeken, in één keer.",
        "SPEC 5, corrigeren",
        (
            f"{_BILLING}.posted:credit_of",
            f"{_BILLING}.posted:debtor_of",
            f"{_BILLING}.posted:standing_documents",
            f"{_BILLING}.planning:plan",
        ),
    ),
    Clause(
        "F6",
        "Zonder debiteurgegevens, toezegging of afspraak wacht een document. Anderen gaan door, en niemand betaalt voor hem.",
        "SPEC 5, geparkeerd",
        (f"{_BILLING}.standing:Standing.judge",),
    ),
    Clause(
        "F7",
        "Alleen wat een persoon heeft vrijgegeven gaat de deur uit.",
        "SPEC 5, toestanden",
        ("resources.registers:release", "resources.registers:deliver"),
    ),
    Clause(
        "F8",
        "In een gesloten periode wordt niets meer gedateerd; een slot gaat alleen vooruit.",
        "SPEC 5, sluiten",
        ("resources.registers:lock_through",),
    ),
)


def clause(clause_id: str) -> Clause:
    """The clause with that id; KeyError when there is none."""
    return _BY_ID[clause_id]


_BY_ID = {one.id: one for one in CLAUSES}
