"""Where the call comes from that is being answered: an address, for records of who did what."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_address: ContextVar[str] = ContextVar("address", default="")


def source_address() -> str:
    """Return the caller's address; empty where nobody calls from outside."""
    return _address.get()


@contextmanager
def coming_from(address: str) -> Iterator[None]:
    """Do what is inside, and what it starts, on behalf of a caller at this address."""
    token = _address.set(address)
    try:
        yield
    finally:
        _address.reset(token)
