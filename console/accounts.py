"""People who may log in: passwords (argon2id), lock-out after failures, sessions."""

import secrets
from datetime import datetime, timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from psycopg import Connection

from console.roles import Role
from service.api_keys import hash_key
from storage import audit
from storage.shell import record_by_shell

MAX_FAILURES = 5
LOCK_MINUTES = 15
MIN_PASSWORD = 10
MAX_SESSION_DAYS = 30
TOUCH_S = 60


class LoginError(ValueError):
    """The login is refused; ``code`` is ``wrong`` or ``locked``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def add_user(conn: Connection, name: str, password: str, role: Role) -> None:
    """Store a user, or give a known one a new password and role; ends their sessions."""
    if len(password) < MIN_PASSWORD:
        raise ValueError(f"a password has at least {MIN_PASSWORD} characters")
    with conn.transaction():
        conn.execute(
            "INSERT INTO console_users (name, role, password_hash) VALUES (%s, %s, %s)"
            " ON CONFLICT (name) DO UPDATE SET role = excluded.role, failures = 0,"
            " password_hash = excluded.password_hash, locked_until = NULL, disabled_at = NULL",
            [name, role, _hasher().hash(password)],
        )
        conn.execute("DELETE FROM console_sessions WHERE name = %s", [name])
        record_by_shell(conn, "user.add", name, role=role)


def has_user(conn: Connection, name: str) -> bool:
    """Tell whether a user of this name exists."""
    return bool(conn.execute("SELECT 1 FROM console_users WHERE name = %s", [name]).fetchone())


def disable_user(conn: Connection, name: str) -> bool:
    """Shut a user out and end their sessions; False when there is no such user."""
    with conn.transaction():
        done = conn.execute(
            "UPDATE console_users SET disabled_at = now() WHERE name = %s", [name]
        ).rowcount
        conn.execute("DELETE FROM console_sessions WHERE name = %s", [name])
        if done:
            record_by_shell(conn, "user.disable", name)
    return bool(done)


def login(conn: Connection, name: str, password: str, now: datetime) -> str:
    """Return a fresh session token; LoginError otherwise. Every try is in the audit log.

    A wrong name takes as long as a wrong password and is told the same.
    """
    row = conn.execute(
        "SELECT password_hash, locked_until FROM console_users"
        " WHERE name = %s AND disabled_at IS NULL",
        [name],
    ).fetchone()
    good = _matches(row[0] if row else _nobodys_hash(), password)
    if row is None:
        audit.record(conn, name[:40], "login", result="refused")
        raise LoginError("wrong")
    if row[1] and row[1] > now:
        audit.record(conn, name, "login", result="locked")
        raise LoginError("locked")
    if not good:
        _count_failure(conn, name, now)
        raise LoginError("wrong")
    return _open_session(conn, name, now)


def session_role(
    conn: Connection, token: str, now: datetime, idle_hours: float
) -> tuple[str, Role] | None:
    """Return (name, role) of a session in force and note its use; None otherwise."""
    row = conn.execute(
        "SELECT s.name, u.role, s.seen_at FROM console_sessions s JOIN console_users u USING (name)"
        " WHERE token_hash = %s AND u.disabled_at IS NULL AND s.seen_at > %s AND s.created_at > %s",
        [
            hash_key(token),
            now - timedelta(hours=idle_hours),
            now - timedelta(days=MAX_SESSION_DAYS),
        ],
    ).fetchone()
    if row is None:
        return None
    name, role, seen_at = row
    if (now - seen_at).total_seconds() > TOUCH_S:
        conn.execute(
            "UPDATE console_sessions SET seen_at = %s WHERE token_hash = %s", [now, hash_key(token)]
        )
    return name, Role(role)


def logout(conn: Connection, token: str) -> None:
    """End a session."""
    with conn.transaction():
        gone = conn.execute(
            "DELETE FROM console_sessions WHERE token_hash = %s RETURNING name", [hash_key(token)]
        ).fetchone()
        if gone:
            audit.record(conn, gone[0], "logout")


def _open_session(conn: Connection, name: str, now: datetime) -> str:
    token = secrets.token_urlsafe(32)
    with conn.transaction():
        conn.execute(
            "UPDATE console_users SET failures = 0, locked_until = NULL WHERE name = %s", [name]
        )
        conn.execute(
            "DELETE FROM console_sessions WHERE created_at < %s",
            [now - timedelta(days=MAX_SESSION_DAYS)],
        )
        conn.execute(
            "INSERT INTO console_sessions (token_hash, name, created_at, seen_at)"
            " VALUES (%s, %s, %s, %s)",
            [hash_key(token), name, now, now],
        )
        audit.record(conn, name, "login")
    return token


def _count_failure(conn: Connection, name: str, now: datetime) -> None:
    with conn.transaction():
        conn.execute(
            "UPDATE console_users SET failures = CASE WHEN failures + 1 >= %(max)s THEN 0"
            " ELSE failures + 1 END, locked_until = CASE WHEN failures + 1 >= %(max)s"
            " THEN %(until)s ELSE locked_until END WHERE name = %(name)s",
            {"max": MAX_FAILURES, "until": now + timedelta(minutes=LOCK_MINUTES), "name": name},
        )
        audit.record(conn, name, "login", result="refused")


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher(memory_cost=19_456, time_cost=2, parallelism=1)  # OWASP's argon2id floor


@cache
def _nobodys_hash() -> str:
    return _hasher().hash(secrets.token_urlsafe(16))


def _matches(stored: str, password: str) -> bool:
    try:
        return _hasher().verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
