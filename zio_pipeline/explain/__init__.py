"""Explain: every posted euro, taken back step by step to pupils, hours, tariff and the clause that says so.

Belongs here, pure and without a store: the tree of plain nodes, each of which proves its own figure (`nodes`, `remainder`),
the trees of a budget (`budgets`), a share (`sharing`), a term (`terms`) and a document (`documents`), what they are made
from (`books`), and the tree as Dutch text (`render`). Does not belong here: computing a figure that is billed. Every rule
is redone here in its own, slower way, so that a fault in the calculation does not explain itself (SPEC section 6).
"""

from zio_pipeline.explain.books import VersionBooks
from zio_pipeline.explain.documents import Explainer
from zio_pipeline.explain.nodes import Node
from zio_pipeline.explain.render import CONFIDENTIAL, rendered

__all__ = ["CONFIDENTIAL", "Explainer", "Node", "VersionBooks", "rendered"]
