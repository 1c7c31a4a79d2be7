"""One database role a process, and what each may do, as data: one line a process.

A table is named by a pattern, so that a new stream's tables fall under the lines there are. A new
room adds a line with the pattern of its own tables. ``*`` is everything but what lets people and
keys in. A table that refuses changes by trigger (the audit log, acts, transitions) is never granted
for UPDATE or DELETE, whatever a line says.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any

from psycopg import Connection, sql
from psycopg.rows import scalar_row

from storage.views.reader import LOCKERS
from storage.views.reader import ROLE as READER

VERBS = {"S": "SELECT", "I": "INSERT", "U": "UPDATE", "D": "DELETE"}
CREDENTIALS = ("api_keys", "console_users", "console_sessions", "console_devices", "receivers")
PRIVATE = (*CREDENTIALS, "audit", "fact_keys")
"""What ``*`` leaves out."""


@dataclass(frozen=True, slots=True)
class Rights:
    """What one process may do: verbs (``SIUD``) → patterns of tables, and what is not a table.

    ``columns``: table → columns that may be read of it. ``screens``: schema ``dash``. ``locks``:
    advisory locks. ``scratch``: temporary tables. ``calls``: functions that nobody else may call.
    ``member_of``: roles whose sessions it may see and end.
    """

    tables: Mapping[str, tuple[str, ...]]
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    screens: bool = False
    locks: bool = False
    scratch: bool = False
    calls: tuple[str, ...] = ()
    member_of: tuple[str, ...] = ()


NAMES: Mapping[str, tuple[str, ...]] = {"console_users": ("name", "role", "disabled_at")}
ALERTS = (
    *("episodes", "episode_acts", "transitions", "incidents", "incident_*", "responses"),
    *("escalations", "held", "told", "notices", "notice_groups", "silences", "outbox"),
    *("outbox_subjects", "deliveries", "receivers", "alert_explanations"),
)
RECORDS = ("records", "record_*", "things", "thing_*")
PLANS = ("plan_commands", "plan_devices", "plan_refusals")
ROLES: Mapping[str, Rights] = MappingProxyType(
    {
        "gateway": Rights({"S": ("api_keys", "sensors"), "SID": ("fact_keys",), "I": ("audit",)}),
        "sink": Rights(
            {
                "S": ("retention_cuts",),
                "SI": ("rollup_dirty",),
                "SIU": (
                    *("readings_*", "aggregates_*", "last_*", "sensor_last", "qc_flags"),
                    *("dead_letters", "sensors", "consumer_offsets", "log_breaks"),
                ),
            },
            scratch=True,
        ),
        "facts": Rights(
            {
                "SIUD": ("facts_*", "fact_marks", "fact_minutes", "fact_outbox", "fact_closed"),
                "SID": ("fact_history",),
                "SIU": ("consumer_offsets", "dead_letters", "log_breaks"),
            },
            locks=True,
            scratch=True,
        ),
        "keep": Rights(
            {
                "S": ("readings_*", "aggregates_*", "qc_flags", "audit"),
                "SIUD": ("rollup_*", "retention_cuts"),
            },
            locks=True,
            scratch=True,
            calls=("drop_old_chunks(text, timestamptz)",),
            member_of=(READER,),
        ),
        "forecasts": Rights(
            {
                "S": ("rollup_1h_*", "sensors"),
                "SIU": ("forecast*",),
                "SIUD": ("joint_*",),
            }
        ),
        "worker": Rights(
            {
                "SIUD": ("checkpoints", "checkpoint_parts"),
                "SIU": ("log_breaks",),
                "S": ("sensor_overrides",),
            }
        ),
        "alerts-engine": Rights(
            {
                "S": ("*",),
                "SIUD": (*ALERTS, *RECORDS, "joint_events"),
                "SIU": ("consumer_offsets", "log_breaks", "dead_letters"),
                "I": ("audit",),
            },
            columns=NAMES,
            locks=True,
        ),
        "alerts-deliver": Rights(
            {
                "S": ("*",),
                "SIU": ("outbox", "outbox_subjects", "deliveries", "receivers", "told"),
                "I": ("audit",),
            },
            columns=NAMES,
            locks=True,
        ),
        "records": Rights(
            {"S": ("*",), "SIUD": (*RECORDS, *PLANS), "SI": ("audit",)}, columns=NAMES, locks=True
        ),
        "console": Rights(
            {
                "S": ("*", *CREDENTIALS),
                "SIUD": ("console_*", *ALERTS, *RECORDS),
                "SIU": ("sensors", "dead_letters", "log_breaks"),
                "SI": ("audit", "sensor_overrides"),
            },
            screens=True,
            locks=True,
        ),
    }
)
NONE = frozenset({"city", "watchdog", "receiver"})
"""Processes that have nothing to do with the database and are told no address of it."""


def role_of(process: str) -> str:
    """Return the name of a process's role."""
    return f"cityops_{process.replace('-', '_')}"


def ensure_roles(conn: Connection, passwords: Mapping[str, str]) -> None:
    """Make the roles of these processes, or give them these passwords; safe to repeat.

    ``conn`` is in autocommit, of a role with CREATEROLE; only a superuser can also hand on what
    ``storage.views.reader`` takes from everybody. What crosses the line is SCRAM's verifier.
    """
    known = set(_column(conn, "SELECT rolname FROM pg_roles"))
    for process, password in passwords.items():
        name, rights = role_of(process), ROLES[process]
        role = sql.Identifier(name)
        if name not in known:
            conn.execute(sql.SQL("CREATE ROLE {}").format(role))
        verifier = conn.pgconn.encrypt_password(
            password.encode(), name.encode(), b"scram-sha-256"
        ).decode()
        conn.execute(sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(verifier)))
        for other in rights.member_of:
            if other in known:
                conn.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(other), role))
        if rights.locks and _superuser(conn):
            for function in LOCKERS:
                conn.execute(_on("GRANT EXECUTE ON FUNCTION pg_catalog.", function, role))


def apply_rights(conn: Connection) -> int:
    """Bring the rights of the roles there are to the table above; return how many changed.

    ``conn`` is of the tables' owner. Only differences are written: a grant on a hypertable is one
    on each of its chunks.
    """
    known = set(_column(conn, "SELECT rolname FROM pg_roles"))
    names = {role_of(process): rights for process, rights in ROLES.items()}
    there = {role: rights for role, rights in names.items() if role in known}
    if not there:
        return 0
    tables = set(_column(conn, f"SELECT {_NAME} {_TABLES}"))
    fixed, views = set(_column(conn, _APPEND_ONLY)), set(_column(conn, _VIEWS))
    wanted = {
        (role, table, verb)
        for role, rights in there.items()
        for table in tables
        for verb in _verbs(rights, table)
        if not (table in fixed and verb in ("UPDATE", "DELETE"))
        and (table not in views or verb == "SELECT")
    }
    found = set(conn.execute(_GRANTED.encode(), [list(there)]).fetchall())
    with conn.transaction():
        for begin, changes in (("GRANT", wanted - found), ("REVOKE", found - wanted)):
            for role, table, verb in sorted(changes):
                _change(conn, begin, verb, table, role)
        for role, rights in there.items():
            _beyond_tables(conn, sql.Identifier(role), rights)
    return len(wanted ^ found)


_NAME = "c.relname"
_TABLES = (
    "FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v')"
)
_VIEWS = (
    "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'v'"
)
_APPEND_ONLY = (
    "SELECT DISTINCT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
    " WHERE t.tgfoid = 'public.refuse_change'::regproc"
)
_GRANTED = (
    "SELECT r.rolname, c.relname, a.privilege_type FROM pg_class c"
    " CROSS JOIN LATERAL aclexplode(c.relacl) a JOIN pg_roles r ON r.oid = a.grantee"
    " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v')"
    " AND r.rolname = ANY(%s)"
)


def _verbs(rights: Rights, table: str) -> set[str]:
    """Return what a process may do with a table."""
    return {
        VERBS[verb]
        for verbs, patterns in rights.tables.items()
        for verb in verbs
        if any(_falls_under(table, pattern) for pattern in patterns)
    }


def _falls_under(table: str, pattern: str) -> bool:
    return fnmatchcase(table, pattern) and not (pattern == "*" and table in PRIVATE)


def _change(conn: Connection, begin: str, verb: str, table: str, role: str) -> None:
    towards = "TO" if begin == "GRANT" else "FROM"
    statement = sql.SQL(f"{begin} {verb} ON {{}} {towards} {{}}")  # pyright: ignore[reportArgumentType]
    conn.execute(statement.format(sql.Identifier("public", table), sql.Identifier(role)))


def _beyond_tables(conn: Connection, role: sql.Identifier, rights: Rights) -> None:
    for statement in _statements(conn, role, rights):
        conn.execute(statement)


def _statements(conn: Connection, role: sql.Identifier, rights: Rights) -> Iterator[sql.Composed]:
    for table, columns in rights.columns.items():
        listed = sql.SQL(", ").join(map(sql.Identifier, columns))
        on = sql.Identifier("public", table)
        yield sql.SQL("GRANT SELECT ({}) ON {} TO {}").format(listed, on, role)
    if rights.screens:
        yield sql.SQL("GRANT USAGE ON SCHEMA dash TO {}").format(role)
        yield sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA dash TO {}").format(role)
        yield sql.SQL("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA dash TO {}").format(role)
    if rights.scratch:
        (database,) = _column(conn, "SELECT current_database()")
        on = sql.Identifier(database)
        yield sql.SQL("GRANT TEMPORARY ON DATABASE {} TO {}").format(on, role)
    for function in rights.calls:
        yield _on("GRANT EXECUTE ON FUNCTION public.", function, role)


def _on(begin: str, function: str, role: sql.Identifier) -> sql.Composed:
    return sql.SQL(begin + function + " TO {}").format(role)  # pyright: ignore[reportArgumentType]


def _superuser(conn: Connection) -> bool:
    return _column(conn, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == [True]


def _column(conn: Connection, query: str) -> list[Any]:
    with conn.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(query.encode()).fetchall()
