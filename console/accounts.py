"""People who may log in: their passwords, sessions, and the browsers they have used."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg import Connection

from catalog.errors import ForbiddenError
from console.login_limits import Trust
from console.passwords import check_password, fits, hash_password
from console.roles import Role
from service.api_keys import hash_key
from storage import audit
from storage.shell import record_by_shell

TOUCH_S = 60
DEVICE_DAYS = 365


@dataclass(frozen=True, slots=True)
class SessionTimes:
    """When a session ends: after ``idle`` without use, and ``absolute`` after the login."""

    idle: timedelta = timedelta(minutes=30)
    absolute: timedelta = timedelta(hours=12)


class LoginError(ForbiddenError):
    """The name or the password is wrong; which of both is not told."""

    usual_code = "login"


def add_user(
    conn: Connection, name: str, password: str, role: Role, *, screen: bool = False
) -> None:
    """Store a user, or give a known one a new password and role; ends their sessions.

    ``screen``: a display on a wall that only looks; its sessions do not end by themselves.
    ``PasswordError`` for a weak password.
    """
    check_password(name, password)
    if screen and role is not Role.VIEWER:
        raise ValueError("a screen may only look: give it the role viewer")
    with conn.transaction():
        conn.execute(
            "INSERT INTO console_users (name, role, password_hash, screen) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (name) DO UPDATE SET role = excluded.role, disabled_at = NULL,"
            " password_hash = excluded.password_hash, screen = excluded.screen",
            [name, role, hash_password(password), screen],
        )
        _forget(conn, name)
        record_by_shell(conn, "user.add", name, role=role, screen=screen)


def has_user(conn: Connection, name: str) -> bool:
    """Tell whether a user of this name exists."""
    return bool(conn.execute("SELECT 1 FROM console_users WHERE name = %s", [name]).fetchone())


def disable_user(conn: Connection, name: str) -> bool:
    """Shut a user out and end their sessions; False when there is no such user."""
    with conn.transaction():
        done = conn.execute(
            "UPDATE console_users SET disabled_at = now() WHERE name = %s", [name]
        ).rowcount
        _forget(conn, name)
        if done:
            record_by_shell(conn, "user.disable", name)
    return bool(done)


def login(conn: Connection, name: str, password: str, now: datetime) -> str:
    """Return a fresh session token; ``LoginError`` otherwise.

    A wrong name takes as long as a wrong password and is told the same.
    """
    if not _knows(conn, name, password):
        raise LoginError
    token = secrets.token_urlsafe(32)
    with conn.transaction():
        conn.execute(
            "INSERT INTO console_sessions (token_hash, name, created_at, seen_at)"
            " VALUES (%s, %s, %s, %s)",
            [hash_key(token), name, now, now],
        )
        audit.record(conn, name, "login")
    return token


def change_password(conn: Connection, name: str, old: str, new: str, token: str) -> None:
    """Give a user the password they chose; ends all their sessions but the one of ``token``.

    ``LoginError`` when ``old`` is wrong, ``PasswordError`` when ``new`` is weak or the same.
    """
    if not _knows(conn, name, old):
        raise LoginError
    check_password(name, new, old)
    with conn.transaction():
        conn.execute(
            "UPDATE console_users SET password_hash = %s WHERE name = %s",
            [hash_password(new), name],
        )
        _forget(conn, name, but=token)
        audit.record(conn, name, "user.password", name)


def session_role(
    conn: Connection, token: str, now: datetime, times: SessionTimes, *, touch: bool = True
) -> tuple[str, Role] | None:
    """Return (name, role) of a session in force and note its use; None otherwise."""
    row = conn.execute(
        "SELECT s.name, u.role, s.seen_at FROM console_sessions s JOIN console_users u USING (name)"
        " WHERE token_hash = %s AND u.disabled_at IS NULL"
        " AND (u.screen OR (s.seen_at > %s AND s.created_at > %s))",
        [hash_key(token), now - times.idle, now - times.absolute],
    ).fetchone()
    if row is None:
        return None
    name, role, seen_at = row
    if touch and (now - seen_at).total_seconds() > TOUCH_S:
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


def remove_ended(conn: Connection, now: datetime, times: SessionTimes) -> None:
    """Delete sessions that are over and browsers not seen for a year."""
    conn.execute(
        "DELETE FROM console_sessions s USING console_users u WHERE u.name = s.name"
        " AND NOT u.screen AND (s.created_at < %s OR s.seen_at < %s)",
        [now - times.absolute, now - times.idle],
    )
    conn.execute(
        "DELETE FROM console_devices WHERE seen_at < %s", [now - timedelta(days=DEVICE_DAYS)]
    )


def trust_of(conn: Connection, name: str, browser: str, address: str) -> Trust:
    """Return how well the place is known from which somebody tries this name."""
    row = conn.execute(
        "SELECT max(CASE WHEN token_hash = %s THEN 2 WHEN address = %s THEN 1 ELSE 0 END)"
        " FROM console_devices WHERE name = %s",
        [hash_key(browser) if browser else "", address, name],
    ).fetchone()
    known = row[0] or 0 if row else 0
    return "browser" if known == 2 else "address" if known == 1 else "none"


def remember_browser(
    conn: Connection, name: str, browser: str, address: str, now: datetime
) -> None:
    """Note that this person has logged in with this browser, from this address."""
    conn.execute(
        "INSERT INTO console_devices (token_hash, name, address, seen_at) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT (token_hash, name) DO UPDATE SET address = excluded.address,"
        " seen_at = excluded.seen_at",
        [hash_key(browser), name, address, now],
    )


def _knows(conn: Connection, name: str, password: str) -> bool:
    row = conn.execute(
        "SELECT password_hash FROM console_users WHERE name = %s AND disabled_at IS NULL", [name]
    ).fetchone()
    return fits(row[0] if row else None, password)


def _forget(conn: Connection, name: str, but: str = "") -> None:
    """End a user's sessions, and forget the browsers that were theirs."""
    conn.execute(
        "DELETE FROM console_sessions WHERE name = %s AND token_hash <> %s", [name, hash_key(but)]
    )
    conn.execute("DELETE FROM console_devices WHERE name = %s", [name])
