"""What the program says to people when it stops.

Belongs here: the exceptions a person may meet, each with a Dutch sentence that says what, where and what to do.
Does not belong here: programming errors (those stay what they are and show a traceback to a developer).
No message ever carries a name, BSN, birth date or pupil number: at most a row number, a class or a pseudonym.
"""


class ZioError(Exception):
    """Something a person must act on; `str(error)` is a Dutch sentence without personal data."""


class ContractError(ZioError):
    """A data contract is malformed, or asks for a rule this program does not know: never skipped, always an error."""


class SetupError(ZioError):
    """The workbook of the school year misses or contradicts something; nothing is computed until it is mended."""


class EstablishmentBlocked(ZioError):
    """The year cannot be established: `reasons` holds every Dutch reason, none of them left out."""

    def __init__(self, reasons: list[str]):
        self.reasons = reasons
        super().__init__("Het schooljaar kan niet worden vastgesteld:\n- " + "\n- ".join(reasons))


class WarehouseError(ZioError):
    """The warehouse refused a write or does not hold what it must; one type over both database drivers."""


class NotProved(ZioError):
    """A figure may not go out: its verdict is missing or bad, or an invariant does not hold."""
