"""The declaration of a thing: sound ones load, and a wrong one says what is wrong."""

import pytest
from pydantic import ValidationError

from catalog.lifecycle.registry import records
from catalog.registry import facts, streams
from catalog.thing.checks import own_problems, problems
from catalog.thing.model import Placed, Shown, Thing, ThingState, When
from catalog.thing.registry import placed, things


def wrong(thing: Thing, *at: Placed) -> list[str]:
    known = {"streams": streams(), "records": records(), "facts": facts(), "things": things()}
    return [*own_problems(thing), *problems(thing, at, **known)]  # pyright: ignore


def changed(**more: object) -> Thing:
    return Thing.model_validate({**things()["lamp"].model_dump(), **more})


def test_every_declared_thing_is_sound() -> None:
    assert {"lamp", "bin", "bridge", "department", "collector"} <= things().keys()
    for thing in things().values():
        assert wrong(thing, *placed(thing.name)) == []


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"sensors": "nothing"}, "no stream nothing"),
        ({"sensors": None}, "without sensors"),
        ({"parent": "nobody"}, "'nobody' is no thing"),
        ({"states": ({"name": "a", "title": {"zh": "甲", "en": "a"}},) * 2}, "never holds"),
        (
            {
                "states": (
                    {
                        "name": "a",
                        "title": {"zh": "甲", "en": "a"},
                        "when": ({"record": "case", "by": "collector"},),
                    },
                    {"name": "b", "title": {"zh": "乙", "en": "b"}},
                )
            },
            "names no lamp",
        ),
    ],
)
def test_a_wrong_one_says_what_is_wrong(more: dict[str, object], said: str) -> None:
    assert any(said in one for one in wrong(changed(**more)))


def test_a_place_names_declared_attributes_and_is_given_once() -> None:
    pole = Placed(id="p", title=things()["lamp"].title, attributes={"colour": "red"})
    said = wrong(things()["lamp"], pole, pole)
    assert any("no attribute colour" in one for one in said)
    assert any("placed twice" in one for one in said)


@pytest.mark.parametrize(
    "given",
    [{}, {"alert": "a.b", "silent_s": 5}, {"reading": "x"}, {"fact": "x"}, {"record": "case"}],
)
def test_a_condition_says_one_whole_thing(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        When.model_validate(given)


def test_what_is_shown_has_one_source() -> None:
    title = things()["lamp"].title
    with pytest.raises(ValidationError):
        Shown(name="x", title=title, reading="a", fact="b", field="c")
    assert ThingState(name="x", title=title).when == ()
