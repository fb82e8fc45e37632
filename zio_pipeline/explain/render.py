"""A tree as Dutch text: indented, the same every time, each figure with how it follows and where that is agreed.

Belongs here: layout. Does not belong here: any figure. A tree that comes back is printed once and named afterwards.
"""

from collections.abc import Iterator

from zio_pipeline.clauses import clause
from zio_pipeline.explain.nodes import Node, walk
from zio_pipeline.explain.remainder import Remainder
from zio_pipeline.explain.words import figure

CONFIDENTIAL = (
    "VERTROUWELIJK. Aantallen per betaler, doelgroep en tarief: alleen voor wie afrekent of controleert.",
    "Niet doorsturen aan een gemeente of een ander; die krijgt totalen per opdracht en stroom.",
)
"""What stands above every explanation (SPEC section 8)."""
WITH_PSEUDONYMS = "Met pseudoniemen uit de kluis: persoonsgegevens. Bewaar of mail deze uitvoer niet."


def rendered(tree: Node, *, pseudonyms: bool = False) -> str:
    """The tree as lines of text, with the clauses it rests on below it."""
    lines = [*CONFIDENTIAL, *([WITH_PSEUDONYMS] if pseudonyms else []), ""]
    lines += _lines(tree, 0, {})
    lines += ["", "Bepalingen"]
    lines += [f"  {one.id}  {one.text} ({one.source})" for one in map(clause, _clauses(tree))]
    return "\n".join(lines) + "\n"


def _lines(node: Node, depth: int, printed: dict[int, str]) -> Iterator[str]:
    indent = "  " * depth
    where = "".join(f" [{text}]" for text in (node.clause, node.source) if text)
    if id(node) in printed and node.parts:
        yield f"{indent}{node.label}: {figure(node.value, node.unit)} (hierboven uitgewerkt)"
        return
    printed[id(node)] = node.label
    if not node.parts:
        yield f"{indent}{node.label}: {figure(node.value, node.unit)} ({node.how.words}){where}"
    else:
        yield f"{indent}{node.label}: {figure(node.value, node.unit)}"
        yield f"{indent}  = {node.how.words}{where}"
    yield from (f"{indent}  | {line}" for line in node.how.table())
    yield from (f"{indent}  {note}" for note in node.notes)
    for part in node.parts:
        yield from _lines(part, depth + 1, printed)


def _clauses(tree: Node) -> list[str]:
    nodes = list(walk(tree))
    divided = {"V1"} if any(isinstance(node.how, Remainder) for node in nodes) else set()
    return sorted({node.clause for node in nodes if node.clause} | divided)
