"""Regular expressions of users end in time, and say what they cannot do."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from alerts.event.labels import MAX_LINE, Matcher, StoredMatcher, parse_matcher
from alerts.event.patterns import pattern
from alerts.routing.silences import Silence, SilenceDraft

DEADLINE_S = 1.0


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ('note=~"(a|a)+b"', "a" * 40),
        ('note=~"(.|.|.)+!"', "waterlogging.ponding" * 4),
        ('note=~"(a+)+"', "a" * 27 + "!"),
        ('note=~"(a|a)+b"', "a" * 4096),
        ('note=~"(.*){90}c"', "ab" * 2048),
        ('note=~"((a?){20}){9}b"', "a" * 4096),
        ('note=~".*a.{80}c"', "ab" * 2048),
    ],
)
def test_no_pattern_takes_long(line: str, text: str) -> None:
    began = time.monotonic()
    assert not parse_matcher(line).matches({"note": text})
    assert time.monotonic() - began < DEADLINE_S


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("(?=x)a", "look-ahead"),
        ("(?!x)a", "look-ahead"),
        ("(?<=x)a", "look-behind"),
        (r"(a)\1", "back-reference"),
        ("[", "missing ]"),
        ("((a{90}){90}){90}", "repetition"),
        ("(a{500}){2}(b{500}){2}c{9}", "too large"),
        ("\\pL" * 20, "too large"),
        ("\ud800", "Unicode"),
    ],
)
def test_what_cannot_be_matched_in_linear_time_is_refused_in_words(value: str, said: str) -> None:
    with pytest.raises(ValueError, match=f"not a regular expression here: .*{said}"):
        pattern(value)
    for op in ("=~", "!~"):
        with pytest.raises(ValueError):
            Matcher.model_validate({"name": "note", "op": op, "value": value})


def test_usual_patterns_fit_as_before() -> None:
    for value, text in {
        "water.*": "waterlogging.ponding",
        "5101(04|05)": "510105",
        "(?i)RED|orange": "Red",
        "[\u4e00-\u9fa5]+": "水泵过热",
        r"noise\.\w+": "noise.night",
        ".{1,60}": "三圣街道",
    }.items():
        assert pattern(value).covers(text)
        assert not pattern(value).covers(text + "\n")


def test_a_matcher_is_read_in_time_linear_in_its_length() -> None:
    began = time.monotonic()
    for line in ("a=" + " " * 60_000 + "\nx", "a" * 60_000, '"' * 60_000, "=" * 60_000):
        with pytest.raises(ValueError, match="is no matcher"):
            parse_matcher(line)
    assert time.monotonic() - began < DEADLINE_S
    longest = f'a="{"x" * 200}"'
    assert len(longest) < MAX_LINE
    assert parse_matcher(longest).value == "x" * 200
    assert str(parse_matcher(' a =~ "b|c" ')) == 'a=~"b|c"'
    for wrong in ("a!b", "a", "a b=c", "", '="x"'):
        with pytest.raises(ValueError, match="is no matcher"):
            parse_matcher(wrong)


def test_a_stored_pattern_that_cannot_be_read_hides_nothing() -> None:
    now = datetime.now(UTC)
    old = {"name": "note", "op": "=~", "value": "(?=x).*"}
    stored: dict[str, Any] = {"id": 1, "kind": "silence", "author": "li", "reason": "old"}
    times = dict.fromkeys(("starts_at", "created_at", "updated_at"), now)
    silence = Silence(**stored, matchers=[old], ends_at=now, **times)  # pyright: ignore[reportArgumentType]
    assert not silence.hides({"note": "x"})
    assert not StoredMatcher(name="note", op="!~", value="(?=x).*").matches({"note": "x"})


@pytest.mark.parametrize(
    ("line", "accepted"),
    [
        ("severity!=red", True),
        ('severity!~"red|orange"', True),
        ("sensor!=pond-jinxin", True),
        ("sensor!=not-in-the-catalog", True),
        ("street=", True),
        ("domain!=water", True),
        ("severity!=purple", False),
        ('alertname=~".+"', False),
        ('alertname=~".*"', False),
        ('note=~".*"', False),
        ("note!=x", False),
        ('note!~"x+"', False),
        ("note=", False),
        ('severity=~"red|orange|yellow|blue"', False),
        ('note=~"x+"', True),
        ("note=x", True),
    ],
)
def test_a_silence_is_refused_only_when_it_fits_every_alert(line: str, accepted: bool) -> None:
    now = datetime.now(UTC)
    draft: dict[str, Any] = {"reason": "works", "starts_at": now}
    draft["ends_at"] = now + timedelta(hours=1)
    if accepted:
        assert SilenceDraft(matchers=[parse_matcher(line)], **draft)
        assert SilenceDraft(matchers=[parse_matcher(line), parse_matcher('a=~".*"')], **draft)
        return
    with pytest.raises(ValidationError, match="fit every alert"):
        SilenceDraft(matchers=[parse_matcher(line)], **draft)
