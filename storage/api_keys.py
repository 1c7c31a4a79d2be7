"""Register and revoke API keys; only their hashes are stored."""

import secrets

from psycopg import Connection

from service.api_keys import KEY_PREFIX, hash_key


def add_key(conn: Connection, name: str, scopes: list[str], token: str | None = None) -> str:
    """Store a key's hash and return the key; a key registered before gets the new scopes."""
    token = token or KEY_PREFIX + secrets.token_urlsafe(32)
    conn.execute(
        "INSERT INTO api_keys (name, prefix, hash, scopes) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT (hash) DO UPDATE SET scopes = excluded.scopes, revoked_at = NULL",
        [name, token[:8], hash_key(token), scopes],
    )
    return token


def revoke_key(conn: Connection, name: str) -> int:
    """Revoke every key of this name; return how many there were."""
    return conn.execute(
        "UPDATE api_keys SET revoked_at = now() WHERE name = %s AND revoked_at IS NULL", [name]
    ).rowcount
