"""The tree of a posted document, of a credit, and of a share that somebody asks about.

Belongs here: putting the trees of terms, shares and budgets under a document, in the version it was posted by.
Does not belong here: how the tree looks (`render`), where the books come from (`stages.explaining`).
"""

from collections.abc import Iterable, Mapping

from zio_pipeline.billing import Line, PostedDocument
from zio_pipeline.errors import ZioError
from zio_pipeline.explain.books import VersionBooks
from zio_pipeline.explain.nodes import Node, Sum, TakenBack, Unit, proved
from zio_pipeline.explain.sharing import ShareTrees
from zio_pipeline.explain.terms import TermTrees
from zio_pipeline.explain.words import KIND, REASON_OF_VERSION, STREAM, month_name, payer_name


class Explainer:
    """Explains one school year. Versions that a document or a later version rests on must all be given.

    Every tree it hands out adds up: each node was proved when it was made (NotProved otherwise).
    """

    def __init__(self, versions: Iterable[VersionBooks], posted: Iterable[PostedDocument]):
        self._posted = {document.number: document for document in posted}
        self._terms: dict[int, TermTrees] = {}
        self._books: dict[int, VersionBooks] = {}
        for books in sorted(versions, key=lambda b: b.version):
            base = self._terms.get(books.version - 1)
            self._terms[books.version] = TermTrees(ShareTrees(books, base.shares if base else None), base)
            self._books[books.version] = books

    @property
    def documents(self) -> Mapping[str, PostedDocument]:
        """The posted documents by number."""
        return self._posted

    def document(self, number: str) -> Node:
        """The tree of a posted document: its lines in cents, or for a credit the document it takes back.

        Raises:
            ZioError: there is no such document.
            NotProved: a figure does not follow from its parts.
        """
        document = self._posted.get(number)
        if document is None:
            raise ZioError(f"Document {number} staat niet in het grootboek van dit schooljaar.")
        if document.credits:
            return self._credit(document, self.document(document.credits))
        lines = tuple(self._line(document, line) for line in document.lines)
        total = Sum("de som van de regels")
        return proved(
            Node(_title(document), document.amount_cents, Unit.CENTS, total, lines, "F1", notes=_dates(document))
        )

    def share(self, order_id: str, stream: str, payer: str, version: int | None = None) -> Node:
        """The tree of the year of a payer; of the newest version unless one is named.

        Raises:
            ZioError: there is no such version or share.
            NotProved: a figure does not follow from its parts.
        """
        version = max(self._terms) if version is None else version
        if version not in self._terms:
            raise ZioError(f"Versie {version} van dit schooljaar is niet vastgesteld.")
        return self._terms[version].shares.year(order_id, stream, payer)

    def _line(self, document: PostedDocument, line: Line) -> Node:
        if document.version not in self._terms:
            raise ZioError(
                f"Versie {document.version} van schooljaar {document.school_year} ontbreekt; herstel de tabellen."
            )
        trees, books = self._terms[document.version], self._books[document.version]
        where = {"order_id": line.order_id, "stream": line.stream, "payer": document.payer}
        terms = books.rows("terms", **where, period=document.period)
        parts = tuple(trees.term(**where, month=row["month"]) for row in terms)
        label = f"Regel opdracht {line.order_id}, {STREAM[line.stream]}"
        how = Sum("de termijnen van deze periode")
        return proved(Node(label, line.amount_cents, Unit.CENTS, how, parts, "T2"))

    def _credit(self, document: PostedDocument, original: Node) -> Node:
        books = self._books.get(document.version)
        if books is None:
            raise ZioError(
                f"Versie {document.version} van schooljaar {document.school_year} ontbreekt; herstel de tabellen."
            )
        reason = REASON_OF_VERSION.get(books.reason, books.reason)
        notes = (
            *_dates(document),
            f"Neemt {document.credits} terug, omdat versie {document.version} iets anders vraagt. Reden: {reason}.",
        )
        return proved(
            Node(_title(document), document.signed_cents, Unit.CENTS, TakenBack(), (original,), "F5", notes=notes)
        )


def _title(document: PostedDocument) -> str:
    who = payer_name(document.payer_kind, document.payer)
    return f"{KIND[document.kind]} {document.number} aan {who}, {period_name(document.period)}"


def _dates(document: PostedDocument) -> tuple[str, ...]:
    notes = [
        f"Documentdatum {document.document_date:%d-%m-%Y}, te betalen vanaf {document.due_on:%d-%m-%Y}, versie {document.version}."
    ]
    if document.successor_of:
        notes.append(f"Debiteur is {document.debtor}, rechtsopvolger van {document.successor_of}.")
    return tuple(notes)


def period_name(period: str) -> str:
    """'2025-09' -> 'september 2025'; '2025-2026-H1' -> 'eerste helft van 2025-2026'."""
    if period.endswith(("-H1", "-H2")):
        return f"{'eerste' if period.endswith('1') else 'tweede'} helft van {period[:-3]}"
    return month_name(period)
