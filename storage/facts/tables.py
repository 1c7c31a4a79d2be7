"""The table of one kind of facts, derived from its declaration; made and widened, never narrowed.

An ordinary table, no hypertable: a fact is known by thing and id for as long as it is kept, and a
unique key over chunks would have to hold its time, which a second copy may have otherwise.
"""

from psycopg import Connection, sql

from catalog.fact.model import Fact

OWN = (
    ("thing", "text NOT NULL"),
    ("id", "text NOT NULL"),
    ("at", "timestamptz NOT NULL"),
    ("revision", "integer NOT NULL"),
    ("void", "boolean NOT NULL"),
    ("received_at", "timestamptz NOT NULL"),
    ("lag_s", "bigint NOT NULL"),
    ("odd", "text NOT NULL"),
)


def _sql(text: str) -> sql.SQL:
    return sql.SQL(text)  # pyright: ignore[reportArgumentType]


def facts_table(fact: str) -> str:
    """Return the name of the table of one kind of facts."""
    return f"facts_{fact}"


def ensure_fact_table(conn: Connection, fact: Fact) -> None:
    """Create the table of a kind of facts, or add the columns of fields declared since."""
    name = sql.Identifier(facts_table(fact.name))
    own = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(column), _sql(kind)) for column, kind in OWN
    )
    conn.execute(
        sql.SQL("CREATE TABLE IF NOT EXISTS {} ({}, PRIMARY KEY (thing, id))").format(name, own)
    )
    conn.execute(
        sql.SQL("CREATE INDEX IF NOT EXISTS {} ON {} (thing, at)").format(
            sql.Identifier(f"{facts_table(fact.name)}_at"), name
        )
    )
    columns = [(d, "text") for d in fact.dimension_names]
    columns += [(m, "bigint") for m in fact.measure_names]
    for column, kind in columns:
        conn.execute(
            sql.SQL("ALTER TABLE {} ADD COLUMN IF NOT EXISTS {} {}").format(
                name,
                sql.Identifier(column),
                _sql(kind),
            )
        )
