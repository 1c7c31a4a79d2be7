"""One whole platform for the tests that strike it and take care of it, one file after the other."""

from collections.abc import Iterator

import pytest

from tests.support.platform import Platform, running
from tests.support.servers import native_folder


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    """A platform with a ledger at work; a start takes a minute of processor."""
    with native_folder() as folder, running(folder / "state") as made:
        yield made
