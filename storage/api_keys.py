"""Register and revoke API keys; only their hashes are stored."""

import secrets

from psycopg import Connection

from catalog.registry import facts, streams
from service.api_keys import KEY_PREFIX, check_scopes, hash_key
from storage.shell import record_by_shell


def add_key(conn: Connection, name: str, scopes: list[str], token: str | None = None) -> str:
    """Store a key's hash and return the key; a key registered before gets the new scopes.

    ValueError for a scope that does not exist. The audit log has each key that is new or changed.
    """
    allowed = check_scopes(scopes, (*streams(), *facts()))
    token = token or KEY_PREFIX + secrets.token_urlsafe(32)
    digest = hash_key(token)
    with conn.transaction():
        before = conn.execute(
            "SELECT scopes FROM api_keys WHERE hash = %s AND revoked_at IS NULL", [digest]
        ).fetchone()
        conn.execute(
            "INSERT INTO api_keys (name, prefix, hash, scopes) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (hash) DO UPDATE SET scopes = excluded.scopes, revoked_at = NULL",
            [name, token[:8], digest, allowed],
        )
        if before is None or before[0] != allowed:
            record_by_shell(conn, "api-key.add", name, scopes=allowed, prefix=token[:8])
    return token


def revoke_key(conn: Connection, name: str) -> int:
    """Revoke every key of this name; return how many there were."""
    with conn.transaction():
        count = conn.execute(
            "UPDATE api_keys SET revoked_at = now() WHERE name = %s AND revoked_at IS NULL", [name]
        ).rowcount
        if count:
            record_by_shell(conn, "api-key.revoke", name, keys=count)
    return count
