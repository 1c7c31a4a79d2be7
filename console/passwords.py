"""What a password must be, and how it is kept (argon2id)."""

import re
import secrets
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from catalog.errors import InvalidError

SHORTEST = 10
LONGEST = 200
SHORTEST_DIGITS = 16
"""Digits alone: dates and telephone numbers are shorter."""
FEWEST_LETTERS = 5
"""Different letters in a password."""
ROWS = (
    *("abcdefghijklmnopqrstuvwxyz", "01234567890123456789"),
    *("qwertyuiop", "asdfghjkl", "zxcvbnm", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p"),
    *("1q2w3e4r5t6y7u8i9o0p", "qazwsxedcrfvtgbyhnujmikolp", "q1w2e3r4t5y6u7i8o9p0"),
)
"""Runs on a keyboard and in an alphabet, read both ways."""
SHORTEST_RUN = 4
USUAL = frozenset(Path(__file__).with_name("usual_passwords.txt").read_text().split())
"""Words that stand in every list of passwords; digits and signs around them add nothing."""
LIKE = str.maketrans("@04135$!7", "aoaiessit")


class PasswordError(InvalidError):
    """A password is not taken; ``code`` is see ``password.*`` of the texts."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words, code=code)


def check_password(name: str, password: str, old: str = "") -> None:
    """Raise ``PasswordError`` for a password that would soon be guessed, or is the old one."""
    if password == old:
        raise PasswordError("same", "this is the password you have")
    plain = password.strip().lower()
    if len(plain) < SHORTEST:
        raise PasswordError("short", f"a password has at least {SHORTEST} characters")
    if len(password) > LONGEST:
        raise PasswordError("long", f"a password has at most {LONGEST} characters")
    digits = plain.isdecimal() and len(plain) < SHORTEST_DIGITS
    if digits or len(set(plain)) < FEWEST_LETTERS or _repeats(plain) or _runs(plain):
        raise PasswordError("simple", "a password is no repetition or sequence")
    if name and (name.lower() in plain or name.lower() in plain.translate(LIKE)):
        raise PasswordError("name", "a password does not hold the user's name")
    cores = (_core(plain), _core(plain).translate(LIKE), _core(plain.translate(LIKE)))
    if USUAL.intersection(cores):
        raise PasswordError("usual", "this password is in every list of passwords")


def hash_password(password: str) -> str:
    """Return the stored form."""
    return _hasher().hash(password)


def fits(stored: str | None, password: str) -> bool:
    """Tell whether a password is the stored one; takes as long where nothing is stored."""
    try:
        return _hasher().verify(stored or _nobodys_hash(), password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def _repeats(plain: str) -> bool:
    """Tell whether it is a part said again and again: ``abcabcabcabc``."""
    return any(
        (plain[:size] * (len(plain) // size + 1))[: len(plain)] == plain
        for size in range(1, len(plain) // 2 + 1)
    )


def _runs(plain: str) -> bool:
    """Tell whether runs of a keyboard or an alphabet leave nearly nothing else over."""
    left, at = len(plain), 0
    rows = [line for row in ROWS for line in (row, row[::-1])]
    while at < len(plain):
        size = max(_run(plain, at, row) for row in rows)
        left -= size if size >= SHORTEST_RUN else 0
        at += max(1, size)
    return left < FEWEST_LETTERS


def _run(plain: str, at: int, row: str) -> int:
    size = 0
    while at + size < len(plain) and plain[at : at + size + 1] in row:
        size += 1
    return size


def _core(plain: str) -> str:
    """Return what is left when digits and signs at both ends are taken off."""
    return re.sub(r"^[^a-z]+|[^a-z]+$", "", plain)


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher(memory_cost=19_456, time_cost=2, parallelism=1)  # OWASP's argon2id floor


@cache
def _nobodys_hash() -> str:
    return _hasher().hash(secrets.token_urlsafe(16))
