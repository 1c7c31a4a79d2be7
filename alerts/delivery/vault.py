"""Keep secrets encrypted in the database; the key is a file that only this user can read."""

import contextlib
import os
from functools import cache
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from catalog.errors import FatalError

MARK = "fernet:"


class Vault:
    """Seals and opens secrets with one key."""

    def __init__(self, key: bytes) -> None:
        self._fernet = Fernet(key)
        self.key = key

    def seal(self, secret: str) -> str:
        """Return the stored form of a secret."""
        return MARK + self._fernet.encrypt(secret.encode()).decode()

    def open(self, stored: str) -> str:
        """Return the secret; ``FatalError`` when it was sealed with another key.

        A value without our mark was stored before secrets were sealed and is given as it is.
        """
        if not stored.startswith(MARK):
            return stored
        try:
            return self._fernet.decrypt(stored.removeprefix(MARK)).decode()
        except InvalidToken:
            raise FatalError(
                "a stored secret was sealed with another key: give the old key file in "
                "CITYOPS_SECRETS_KEY_FILE, or register the receiver anew",
                code="secrets_key",
                stage="delivering",
            ) from None


@cache
def open_vault(path: Path) -> Vault:
    """Return the vault of a key file; the file is made, readable by its owner only, when absent."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        _create(path)
    try:
        return Vault(path.read_bytes().strip())
    except ValueError as error:
        raise FatalError(
            f"{path.name} holds no key ({error}); delete it only when no receiver is registered",
            code="secrets_key",
            stage="delivering",
        ) from None


def _create(path: Path) -> None:
    """Write a new key whole or not at all; whoever is first wins."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(Fernet.generate_key())
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
