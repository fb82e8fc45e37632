"""The tables a person reads after a command, in Dutch.

Belongs here: words and layout. Does not belong here: computing anything but totals of what is shown.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from zio_pipeline.billing import PostedDocument
from zio_pipeline.contracts import products
from zio_pipeline.demo import DemoYear
from zio_pipeline.errors import ZioError
from zio_pipeline.establishment import REASON_OF_WORD
from zio_pipeline.figures import YearFigures
from zio_pipeline.hours.differences import Difference, difference_report
from zio_pipeline.manifest import ManifestEntry
from zio_pipeline.money import format_euro
from zio_pipeline.privacy import Keys
from zio_pipeline.proofs import Proof
from zio_pipeline.proofs import settlement as cents_by_party
from zio_pipeline.stages.billing import Billed
from zio_pipeline.stages.establishing import Proposal
from zio_pipeline.stages.hours import Publication
from zio_pipeline.stages.receiving import Received
from zio_pipeline.stages.rereading import Rereading
from zio_pipeline.stages.withdrawing import Withdrawal

DIFFERENCES_SHOWN = 20
STATUS = {
    "accepted": "aanvaard",
    "partly_accepted": "deels aanvaard",
    "refused": "geweigerd",
    "superseded": "vervangen",
    "contradicting": "tegenstrijdig",
    "withdrawn": "ingetrokken",
}
PARTY = {
    "members": "leden van de regio",
    "outside": "gemeenten buiten de regio",
    "zorgkantoren": "Wlz (zorgkantoren)",
    "pgb": "pgb",
    "adult": "18 plus",
    "contributions": "bijdragen",
}
REASON = {
    "no_debtor": "geen debiteurgegevens",
    "no_commitment": "geen toezegging",
    "above_commitment": "boven de toezegging",
    "no_agreement": "zorgkantoor zonder afspraak",
    "several_successors": "meer rechtsopvolgers",
    "no_claim": "wacht op de declaratie",
}


NUMERIC = {"aantal", "rijen", "aanvaard", "quarantaine", "bedrag", "documenten", "nu geboekt", "bestanden"}
NUMERIC |= {"was", "wordt", "verschil"}


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column in NUMERIC else "left")
    return table


def received(console: Console, files: Sequence[Received]) -> None:
    """Files per outcome with their rows, and every file that was not accepted whole."""
    table = _table("Bestanden", "uitkomst", "bestanden", "rijen", "aanvaard", "quarantaine")
    for status, word in STATUS.items():
        group = [f for f in files if f.status == status]
        sums = [sum(getattr(f, name) for f in group) for name in ("rows_in", "rows_accepted", "rows_quarantined")]
        table.add_row(word, str(len(group)), *map(str, sums))
    console.print(table)
    for file in files:
        if file.status in ("refused", "contradicting", "withdrawn"):
            # A sender may have put a child's name in the name of a file: it is shown to a person, not to a log.
            name = file.name if console.is_terminal else file.label
            console.print(f"  {STATUS[file.status]}: {name}: {file.reason}".replace("[", r"\["))
    warned = sum(f.warnings > 0 and f.status in ("accepted", "partly_accepted") for f in files)
    if warned:
        console.print(f"{warned} van {len(files)} bestanden tellen en hebben opmerkingen; zie de map terugmelding.")
    known = sum(not f.new for f in files)
    if known:
        console.print(f"{known} van {len(files)} bestanden waren al ingenomen: daarmee is niets gedaan.")


def folders(console: Console, found: Sequence[Path]) -> None:
    """Folders in the inbox; their names to a person only, as those of files."""
    for folder in found if console.is_terminal else ():
        console.print(f"  Map niet gelezen: {folder.name}".replace("[", r"\["))
    if found:
        number = "1 map wordt" if len(found) == 1 else f"{len(found)} mappen worden"
        console.print(f"{number} niet gelezen: zet de bestanden zelf tussen de aangeleverde bestanden.")


def withdrawn(console: Console, label: str, found: Withdrawal) -> None:
    """What does not count any more, and what counts instead."""
    console.print(f"Ingetrokken: {label}.".replace("[", r"\["))
    if found.back:
        console.print(f"Telt weer: {found.back}.")
    else:
        console.print("Er was geen eerder bestand over dezelfde school en periode; nu telt er geen.")
    if found.signed:
        console.print("Het schooljaar is vastgesteld: daarin blijft gelden wat ondertekend is.")


def outdated(console: Console, entries: Sequence[ManifestEntry], keys: Keys) -> None:
    """How many files count in a reading that is not of today, and how to read them again."""
    other_key = sum(entry.key_id != keys.key_id for entry in entries)
    for number, how in ((len(entries) - other_key, "oudere lezer"), (other_key, "andere pseudoniemsleutel")):
        if number:
            files = "1 bestand is" if number == 1 else f"{number} bestanden zijn"
            them = "het" if number == 1 else "ze"
            console.print(f"{files} met een {how} ingenomen; herlees {them} met zio reread.")


def reread(console: Console, found: Rereading) -> None:
    """What reading again changed per file, and what could not be read again."""
    changed = [f for f in found.files if f.before != f.after or f.status not in ("accepted", "partly_accepted")]
    if changed:
        table = _table("Herlezen: wat veranderde", "bestand", "uitkomst", "rijen", "aanvaard", "quarantaine")
        for file in changed:
            pairs = zip(file.before, file.after, strict=True)
            counts = [str(now) if now == then else f"{then} → {now}" for then, now in pairs]
            table.add_row(file.label, STATUS[file.status], *counts)
        console.print(table)
    for file in found.files:
        if file.reason:
            shown = f"  {STATUS[file.status]}: {file.label}: {file.reason} De eerdere lezing blijft gelden."
            console.print(shown.replace("[", r"\["))
    for label in found.gone:
        console.print(f"Niet te herlezen, het bestand zelf is al verwijderd: {label}. Laat het opnieuw aanleveren.")
    files = "1 bestand" if len(found.files) == 1 else f"{len(found.files)} bestanden"
    console.print(f"{files} herlezen, bij {len(changed)} daarvan veranderde iets.")


def removed(console: Console, records: Sequence[Mapping[str, Any]]) -> None:
    """How many things were removed, by what they are."""
    words = dict(products()["removals"].column("what").allowed)
    for what, number in sorted(Counter(record["what"] for record in records).items()):
        console.print(f"Verwijderd: {words[what]}, {number} keer.")
    console.print(
        f"{len(records)} verwijderingen; elke staat in de tabel removals." if records else "Er is niets verlopen."
    )


def later_files(console: Console, labels: Sequence[str]) -> None:
    """What came after the establishment, and that it has no effect on this year."""
    for label in labels:
        console.print(f"Aangeleverd na de vaststelling, verandert geen bedrag van dit schooljaar: {label}.")


def documents(console: Console, billed: Billed) -> None:
    """What was posted now, what stands, and what is parked."""
    if not billed.posted_now:
        console.print(
            "Er is niets geboekt: alles wat vervallen is en geboekt mag worden, staat er al. Geen bedrag is gewijzigd."
        )
    table = _table("Documenten", "reeks", "documenten", "nu geboekt", "bedrag")
    now = Counter(d.series for d in billed.posted_now)
    for series in sorted({d.series for d in billed.posted}):
        own = [d for d in billed.posted if d.series == series]
        table.add_row(series, str(len(own)), str(now[series]), format_euro(sum(d.signed_cents for d in own)))
    console.print(table)
    if billed.parked:
        parked = _table("Nog te factureren (geparkeerd)", "betaler", "reden", "aantal", "bedrag")
        for payer, reason in sorted({(p.payer, p.reason) for p in billed.parked}):
            own_parked = [p for p in billed.parked if (p.payer, p.reason) == (payer, reason)]
            parked.add_row(
                payer, REASON[reason], str(len(own_parked)), format_euro(sum(p.amount_cents for p in own_parked))
            )
        console.print(parked)


def document_list(console: Console, posted: Sequence[PostedDocument]) -> None:
    """Documents one by one; a credit is negative and names what it takes back."""
    table = _table("Documenten, stuk voor stuk", "nummer", "betaler", "periode", "vervalt", "crediteert", "bedrag")
    for document in posted:
        due, credits = f"{document.due_on:%d-%m-%Y}", document.credits or ""
        amount = format_euro(document.signed_cents)
        table.add_row(document.number, document.payer, document.period, due, credits, amount)
    console.print(table)


def hours(console: Console, made: Publication | ZioError) -> None:
    """Delivered hours in one line, and what changed in them; or why there are none."""
    if isinstance(made, ZioError):
        console.print(f"Urenstaten: niet bijgewerkt, en de tabellen over uren zijn van eerder. {made}")
        return
    totals: Counter[str] = Counter()
    for row in made.hours:
        totals["direct en akkoord" if row["status"] == "delivered" else "overig"] += row["minutes"]
    shown = ", ".join(f"{name} {minutes // 60} uur" for name, minutes in sorted(totals.items()))
    console.print(f"Urenstaten: {shown or 'geen'}. De andere tabellen over uren: zio hours.")
    if made.differences:
        differences(console, made.differences)


def differences(console: Console, found: Sequence[Difference]) -> None:
    """What a publication of hours changed in what was published before."""
    count = f"{len(found)} {'cijfer' if len(found) == 1 else 'cijfers'}"
    console.print(f"Uren, gewijzigd sinds de vorige publicatie: {count}.")
    for line in difference_report(found, DIFFERENCES_SHOWN):
        console.print(escape(f"- {line}"))


def settlement_rows(figures: YearFigures) -> tuple[list[tuple[str, int]], int, int]:
    """Cents per party, their total, and the total of the orders."""
    parties = [(PARTY[name], cents) for name, cents in cents_by_party(figures.tables["municipal_shares"]).items()]
    return (
        parties,
        sum(cents for _, cents in parties),
        sum(row["budget_cents"] for row in figures.tables["doelgroep_budgets"]),
    )


def settlement(console: Console, figures: YearFigures) -> None:
    """The settlement: orders, who carries them, and the difference."""
    parties, total, orders = settlement_rows(figures)
    key = figures.setup.settings.school_year.key
    table = _table(
        f"Afrekening schooljaar {key}" + (" (fictief)" if figures.setup.settings.fictitious else ""), "", "bedrag"
    )
    per_order: Counter[str] = Counter()
    for row in figures.tables["doelgroep_budgets"]:
        per_order[row["order_id"]] += row["budget_cents"]
    for order_id, cents in sorted(per_order.items()):
        table.add_row(f"opdracht {order_id}", format_euro(cents))
    table.add_row("opdrachten samen", format_euro(orders), end_section=True, style="bold")
    for name, cents in parties:
        table.add_row(name, format_euro(cents))
    table.add_row("totaal", format_euro(total), end_section=True, style="bold")
    table.add_row("verschil", format_euro(orders - total), style="bold")
    console.print(table)


def proofs(console: Console, proved: Sequence[Proof], findings: Sequence[str]) -> None:
    """How many equations hold, and what the ledger says of itself."""
    if proved:
        console.print(f"Bewijzen: {sum(p.proved for p in proved)} van {len(proved)} vergelijkingen sluiten op de cent.")
    if findings:
        console.print("[bold red]Het grootboek klopt niet:[/]")
        for finding in findings:
            console.print(f"  - {finding}".replace("[", r"\["))
    else:
        console.print("Grootboek: keten, nummers en optellingen zijn in orde.")


def proposal(console: Console, school_year: str, made: Proposal) -> None:
    """The receipt that a second person signs for; of a new version also its reason and what it changes per payer."""
    table = _table(f"Voorstel schooljaar {school_year}, versie {made.version}", "", "bedrag")
    for order_id, cents in made.receipt["orders_cents"].items():
        table.add_row(f"opdracht {order_id}", format_euro(cents))
    for party, cents in made.receipt["settlement_cents"].items():
        table.add_row(PARTY[party], format_euro(cents))
    console.print(table)
    if base := made.receipt.get("base"):
        word = next(word for word, code in REASON_OF_WORD.items() if code == base["reason"])
        console.print(
            f"Naast versie {base['version']}, reden: {word}. {base['explanation']}".replace("[", r"\[").strip()
        )
        for order_id, month in base["first_terms"].items():
            console.print(f"Opdracht {order_id}: het verschil gaat over de open termijnen vanaf {month}.")
        changes(console, made)
    console.print(f"Bewijs: {made.receipt_hash}")


def changes(console: Console, made: Proposal) -> None:
    """Per payer what its year was, becomes, and differs; payers who keep their amount are not in it."""
    table = _table("Wat verandert per betaler", "betaler", "was", "wordt", "verschil")
    for change in made.changes:
        cents = (change.before_cents, change.after_cents, change.difference_cents)
        table.add_row(change.payer, *(format_euro(each) for each in cents))
    table.add_row("samen", "", "", format_euro(sum(change.difference_cents for change in made.changes)), style="bold")
    console.print(table)
    for decision_id in made.idle:
        console.print(f"Besluit {decision_id} is nergens voor nodig: het bedrag van zijn opdracht verandert niet.")


def status(console: Console, warehouse: Any, posted: Sequence[Any], school_year: str) -> None:
    """Files, open points, establishment and documents of a year."""
    standing = warehouse.establishment(school_year)
    table = _table(f"Schooljaar {school_year}", "", "aantal")
    deliveries = warehouse.rows("deliveries", school_year=school_year)
    for name, shown in STATUS.items():
        table.add_row(f"bestanden {shown}", str(sum(row["status"] == name for row in deliveries)))
    work = warehouse.rows("worklist", school_year=school_year)
    table.add_row("werklijst open", str(sum(row["decision_id"] is None for row in work)))
    table.add_row("werklijst met besluit", str(sum(row["decision_id"] is not None for row in work)))
    table.add_row("documenten geboekt", str(len(posted)))
    table.add_row("documenten geparkeerd", str(len(warehouse.rows("parked_documents", school_year=school_year))))
    console.print(table)
    if standing:
        console.print(
            f"Vastgesteld: versie {standing.version}, voorgesteld door {standing.proposed_by} op {standing.proposed_on:%d-%m-%Y},"
            f" goedgekeurd door {standing.approved_by} op {standing.approved_on:%d-%m-%Y}; bewijs {standing.receipt_hash[:12]}."
        )
    else:
        console.print("Nog niet vastgesteld.")


def whole_files(console: Console, number: int) -> None:
    """Of how many pupil files birth date and postcode are still there."""
    if number:
        files = "1 leerlingbestand" if number == 1 else f"{number} leerlingbestanden"
        console.print(f"Met geboortedatum en postcode in de kluis: {files}; na de vaststelling verwijdert zio thin ze.")


def demo(console: Console, made: DemoYear, folder: Path) -> None:
    """What was made and what was planted in it: counts, never a person."""
    table = _table("Fictief schooljaar: ingebouwde gevallen", "geval", "aantal")
    for case, subjects in sorted(made.planted.items()):
        table.add_row(case.replace("_", " "), str(len(subjects)))
    console.print(table)
    counts = ", ".join(f"{name.replace('_', ' ')} {number}" for name, number in sorted(made.counts.items()))
    console.print(f"{len(made.files)} bestanden in {folder}: {counts}.")
