"""Hours: proof that the care was given, and what next year needs (SPEC section 7). Nothing here moves an amount.

Belongs here, in plain rows and one DuckDB in memory: what every line of a timesheet is (`lines`), what was planned
(`planning`), what was delivered beside it, what is odd, who owes what, fixed faces, the Wlz side, next year's proposal and the
lawfulness file. Does not belong here: reading the vault, publishing, any amount (`budget`, `shares`).
"""
