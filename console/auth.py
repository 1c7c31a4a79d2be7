"""Who calls: API keys (``Authorization: Bearer``) and browser sessions (cookie), as dependencies.

A router asks for what it needs::

    @router.post("/things/{id}")
    def change(id: str, conn: Conn, who: Operator) -> Thing: ...
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, Request
from psycopg import Connection
from psycopg_pool import ConnectionPool

from console import accounts
from console.accounts import SessionTimes
from console.live import Live
from console.login_limits import LoginLimits
from console.problems import Problem
from console.roles import Principal, Role
from console.settings import ConsoleSettings
from service.api_keys import ApiKey, hash_key, shown
from service.clock import Clock
from service.refusals import Refusals
from service.source import source_address

COOKIE = "cityops_session"
AREA = "api"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Desk:
    """What the console's operations stand on; kept at ``app.state.desk``."""

    settings: ConsoleSettings
    pool: ConnectionPool
    clock: Clock
    live: Live
    limits: LoginLimits
    refusals: Refusals

    @property
    def times(self) -> SessionTimes:
        """When sessions end."""
        idle = timedelta(minutes=self.settings.session_idle_minutes)
        return SessionTimes(idle, timedelta(hours=self.settings.session_hours))


def desk_of(request: Request) -> Desk:
    """Return the desk of the application that serves this request."""
    return request.app.state.desk


def connection(request: Request) -> Iterator[Connection]:
    """Lend an autocommit connection for one request."""
    with desk_of(request).pool.connection() as conn:
        yield conn


def key_role(conn: Connection, token: str) -> Principal | None:
    """Return the caller behind an API key with an ``api:`` scope; None for an unknown key.

    ``Problem`` 403 for a key that may do nothing here.
    """
    row = conn.execute(
        "SELECT name, hash, scopes FROM api_keys WHERE hash = %s AND revoked_at IS NULL",
        [hash_key(token)],
    ).fetchone()
    if row is None:
        return None
    key = ApiKey(row[0], row[1], frozenset(row[2]))
    for role in reversed(Role):
        if key.allows(AREA, role):
            return Principal(key.name, role)
    raise Problem(403, "key not allowed", "needs scope api:viewer, operator or admin", "scope")


def session_principal(
    conn: Connection, desk: Desk, token: str | None, *, touch: bool = True
) -> Principal | None:
    """Return the person behind a session cookie; a viewer without name where pages are open.

    ``touch``: this is a use of the session, it goes on from here.
    """
    now, times = desk.clock.now(), desk.times
    if token and (found := accounts.session_role(conn, token, now, times, touch=touch)):
        return Principal(*found)
    if desk.settings.console_open:
        return Principal("anonymous", Role.VIEWER, anonymous=True)
    return None


def principal(request: Request, conn: Annotated[Connection, Depends(connection)]) -> Principal:
    """Return the caller; ``Problem`` 401 without a valid key or session."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        request.state.caller = shown(token.strip())
        found = key_role(conn, token.strip())
    else:
        refuse_cross_site(request)
        found = session_principal(conn, desk_of(request), request.cookies.get(COOKIE))
    if found is None:
        raise Problem(
            401,
            "no valid key or login",
            "send Authorization: Bearer <API key>, or log in at /login",
            "key",
            WWW_Authenticate="Bearer",
        )
    request.state.caller = found.name
    return found


def refuse_cross_site(request: Request) -> None:
    """Refuse a changing request that another site's page makes with this browser's cookie."""
    if request.method in SAFE_METHODS:
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    ours = origin is None or urlsplit(origin).netloc == request.headers["host"]
    # a sandboxed page says "null": only the browser's own word that it is ours helps then
    if site not in (None, "same-origin", "none") or not (ours or site == "same-origin"):
        raise Problem(403, "cross-site request", "send it from the console itself", "cross_site")


def note_refusal(desk: Desk, request: Request, status: int) -> None:
    """Count a call that was refused for want of a key, a login or a right."""
    if status in (401, 403):
        who = getattr(request.state, "caller", "")
        asked = f"{request.method} {request.url.path}"
        desk.refusals.note(f"call.{status}", who, source_address(), asked)


def _needs(role: Role) -> Any:
    def check(who: Annotated[Principal, Depends(principal)]) -> Principal:
        if not who.may(role):
            raise Problem(403, "not allowed", f"needs role {role}, you are {who.role}", "role")
        return who

    return Depends(check)


Conn = Annotated[Connection, Depends(connection)]
Viewer = Annotated[Principal, _needs(Role.VIEWER)]
Operator = Annotated[Principal, _needs(Role.OPERATOR)]
Admin = Annotated[Principal, _needs(Role.ADMIN)]
