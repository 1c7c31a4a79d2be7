"""Refusals are told in the language of the desk: every one that an act can give has its Chinese."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel, Field, ValidationError

from console.mistakes import mistake, translated
from console.texts import words_of

REFUSALS = {"ValueError", "ConflictError", "NotFoundError", "InvalidError"}
ROOT = Path(__file__).parents[3]
ACTS = (
    *("episode/acts", "incident/acts", "incident/care", "incident/queries", "routing/silences"),
    *("delivery/log", "delivery/receivers", "sources/responses"),
    *("event/labels", "sources/ending", "people"),
)
"""Modules of ``alerts`` whose functions pages call."""


def refusals() -> Iterator[str]:
    """Yield the text of every refusal, with ``x`` (a number where digits stand) for what varies."""
    for name in ACTS:
        tree = ast.parse((ROOT / "alerts" / f"{name}.py").read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                called = node.exc.func
                if isinstance(called, ast.Name) and called.id in REFUSALS and node.exc.args:
                    text = node.exc.args[0]
                    either = isinstance(text, ast.IfExp)
                    yield from map(said, (text.body, text.orelse) if either else (text,))


def said(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(said(part) for part in parts)
        case ast.FormattedValue(conversion=conversion):
            return "'x'" if conversion == ord("r") else "7"
        case ast.BinOp(left=left):
            return said(left)
        case _:
            return "7"


@pytest.mark.parametrize("text", sorted(set(refusals())))
def test_every_refusal_of_an_act_is_known_in_chinese(text: str) -> None:
    zh = translated(text)
    assert zh is not None, f"console/mistakes.py lacks {text!r}"
    assert re.search(r"[\u4e00-\u9fff]", zh)


class Form(BaseModel):
    """A form with a field that may be wrong."""

    reason: str = Field(min_length=1)


def test_a_wrong_field_is_named_and_explained() -> None:
    with pytest.raises(ValidationError) as caught:
        Form(reason="")
    assert mistake(words_of("zh"), caught.value) == "原因: 不能为空，至少 1 个字符"
    assert mistake(words_of("en"), caught.value).startswith("reason: String should have")
    assert mistake(words_of("zh"), ValueError("never heard of")) == "never heard of"
