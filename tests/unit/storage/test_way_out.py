"""What can be done about a dead letter is said in both languages, with the command to copy."""

import re
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from storage.dead_letters import Summary, way_out

LETTER = Summary(
    id="t/0/7", at=datetime(2026, 11, 1, tzinfo=UTC), stream="noise", stage="storing",
    code="sensor", reason="r", readings=1, payload_bytes=None, source="", topic=None,
    partition=None, offset=None, status="open", redriven_at=None,
)  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "commands"),
    [
        ({"status": "redriven"}, []),
        ({"status": "discarded"}, []),
        ({"code": "conflict"}, ["discard t/0/7"]),
        ({}, ["redrive t/0/7"]),
        ({"stream": "gone"}, ["show t/0/7"]),
        ({"readings": 0, "payload_bytes": 9}, ["show t/0/7", "discard t/0/7"]),
        ({"readings": 0}, ["discard t/0/7"]),
    ],
)
def test_both_languages_give_the_same_commands(
    changed: dict[str, Any], commands: list[str]
) -> None:
    way = way_out(msgspec.structs.replace(LETTER, **changed))
    for said in (way.zh, way.en):
        assert re.findall(r"python -m storage dead-letters (\w+ t/0/7)", said) == commands
    assert re.search(r"[一-鿿]", way.zh)
    assert not re.search(r"[一-鿿]", way.en)
