"""A process that is added says what it may do: a line in each table of rights."""

from deploy.plan import processes
from deploy.rights import KAFKA, SHELL
from storage.roles import NONE, ROLES

OURS = {process.name for process in processes()}


def test_every_process_has_a_line_for_the_database() -> None:
    """One that has none would be told the owner's address: add it to storage/roles.py."""
    assert set(ROLES) == OURS - NONE


def test_every_line_for_the_broker_is_of_a_process() -> None:
    assert set(KAFKA) - OURS == {SHELL}
