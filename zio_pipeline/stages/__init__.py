"""The stages of the line: each reads from the stores, makes one pure call, and writes in one transaction.

Belongs here: what `zio run` and the Dagster assets share, so that both do exactly the same. `receiving` takes files in,
`year` computes, publishes and establishes a school year, `billing` posts documents, `publishing` writes a table with its proof.
Does not belong here: rules (they are pure, one level up), Dagster, printing. With the command line this is the only part of the
package that knows the stores in `resources`.
"""
