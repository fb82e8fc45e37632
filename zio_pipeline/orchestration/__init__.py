"""How the line runs inside Dagster: partitions, jobs, schedules, sensors, and what the UI shows.

Belongs here: everything about when and under which key a stage runs. Does not belong here: assets (they stand in `assets`), rules.
"""
