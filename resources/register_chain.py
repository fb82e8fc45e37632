"""One chain of hashes over every register that has none of its own: who signed, released, delivered, locked, declared, closed.

Belongs here: adding rows to such a register together with their links, and proving that rows and links agree. Does not
belong here: what may be added (`resources.registers`, `closing`, `establishments`), the chain of documents
(`resources.ledger`).

A link holds which row of which register it stands for, the SHA-256 of the whole row, and the hash of the link before.
Whoever changes, removes or slips in a row past the program must make every later link anew. What it cannot show: the last
rows removed together with their links; only the last hash, kept elsewhere, shows that.

Lock order: the lock of the chain comes after every other lock (`ledger:`, series, `period_lock`, `registers`,
`establish:`, `manifest`), and nothing is locked after it until the transaction ends; so nobody who holds it waits for another.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Table, insert, select

from resources.database import lock
from resources.tables import CHAINED, REGISTER_CHAIN
from zio_pipeline.billing import GENESIS

Link = Mapping[str, Any]


def append(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add rows to a register and to the chain.

    Args:
        connection: a writing transaction; it holds the lock of the chain until it ends.
        table: one of `CHAINED`.
        rows: at least one, with every column of the table.
    """
    lock(connection, "register_chain")
    connection.execute(insert(table), [dict(row) for row in rows])
    query = select(REGISTER_CHAIN.c.sequence, REGISTER_CHAIN.c.hash).order_by(REGISTER_CHAIN.c.sequence.desc()).limit(1)
    last = connection.execute(query).one_or_none()
    sequence, previous_hash = last or (0, GENESIS)
    links = []
    for row in rows:
        sequence += 1
        link = {
            "sequence": sequence,
            "register": table.name,
            "row_key": _key(table, row),
            "content_hash": _content(table, row),
            "previous_hash": previous_hash,
        }
        links.append({**link, "hash": _sha256(link)})
        previous_hash = links[-1]["hash"]
    connection.execute(insert(REGISTER_CHAIN), links)


def findings(connection: Connection) -> Iterator[str]:
    """Dutch sentences on every link that does not hold and every row that has no link of its own; none names a person."""
    query = select(REGISTER_CHAIN).order_by(REGISTER_CHAIN.c.sequence)
    links = [dict(link) for link in connection.execute(query).mappings()]
    yield from _broken(links)
    of_row = {(link["register"], link["row_key"]): link for link in links}
    for table in CHAINED:
        for row in map(dict, connection.execute(select(table)).mappings()):
            key = _key(table, row)
            link = of_row.pop((table.name, key), None)
            if link is None:
                yield f"Register {table.name}, {key}: deze rij is buiten het programma om toegevoegd."
            elif link["content_hash"] != _content(table, row):
                yield f"Register {table.name}, {key}: deze rij is gewijzigd na het vastleggen."
    for link in of_row.values():
        yield f"Registerketen, schakel {link['sequence']}: de rij waarvoor hij staat is verwijderd of gewijzigd."


def _broken(links: Iterable[Link]) -> Iterator[str]:
    previous_hash, previous = GENESIS, 0
    for link in links:
        if link["sequence"] != previous + 1:
            yield f"Registerketen: vóór schakel {link['sequence']} ontbreekt er een."
        if link["previous_hash"] != previous_hash:
            yield f"Registerketen, schakel {link['sequence']}: sluit niet aan op de vorige."
        if link["hash"] != _sha256({name: value for name, value in link.items() if name != "hash"}):
            yield f"Registerketen, schakel {link['sequence']}: de inhoud is gewijzigd na het vastleggen."
        previous_hash, previous = link["hash"], link["sequence"]


def _key(table: Table, row: Mapping[str, Any]) -> str:
    return " ".join(_text(row[column.name]) for column in table.primary_key.columns)


def _content(table: Table, row: Mapping[str, Any]) -> str:
    return _sha256({column.name: row[column.name] for column in table.columns})


def _sha256(values: Mapping[str, Any]) -> str:
    spelled = {name: _text(v) if isinstance(v, date) else v for name, v in values.items()}
    return hashlib.sha256(json.dumps(spelled, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)
