"""The Dagster graph: one thin module per room of the story (intake, foundation, billing, control).

Belongs here: decorators, and in each body: open the home, call one stage, say what was made. Does not belong here: rules, SQL,
formatting. What an asset means, its columns and its group come from its contract.
"""
