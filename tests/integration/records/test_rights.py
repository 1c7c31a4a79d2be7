"""The processes' own roles in the database are enough to act on records, and for no more."""

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from catalog.errors import ForbiddenError
from records.act import act, open_record
from records.context import Context
from records.loop import tick
from service.postgres import connect
from storage.roles import role_of
from tests.support.least import ROLE_PASSWORD


@pytest.mark.parametrize("process", ["console", "records"])
def test_a_process_acts_with_the_role_it_has(dsn: str, process: str) -> None:
    address = make_conninfo(dsn, user=role_of(process), password=ROLE_PASSWORD)
    with connect(address, "test", autocommit=True) as own:
        context = Context(own, "wang", "page", "admin")
        id = open_record(context, "repair", {"what": "pump"}, key="a").id
        act(context, "repair", id, "give", {"firm": "north"})
        assert act(context, "repair", id, "undo").state == "new"
        act(context, "repair", id, "give", {"firm": "north"})
        tick(own)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            own.execute("UPDATE record_log SET note = 'x'")


def test_a_hand_over_is_signed_by_somebody_else_than_its_writer(conn: psycopg.Connection) -> None:
    li, wang = (Context(conn, name, "page", "operator") for name in ("li", "wang"))
    left = {"post": "drainage", "summary": "rain, two tunnels", "open_items": "pump 3 is away"}
    id = open_record(li, "handover", left).id
    with pytest.raises(ForbiddenError, match="for somebody else"):
        act(li, "handover", id, "sign", reason="all_taken")
    assert act(wang, "handover", id, "sign", reason="all_taken").state == "signed"
