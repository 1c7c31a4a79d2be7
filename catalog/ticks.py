"""Ticks: the passing of time as records beside the readings, and what shards tell each other."""

import struct
from dataclasses import dataclass
from typing import Literal

from catalog.frames import FrameError, Headers

TICK_TYPE = "city.tick"
_PULSE = struct.Struct(">II")

Hearing = Literal["nobody", "heard", "hushed"]
HEARING: tuple[Hearing, ...] = ("nobody", "heard", "hushed")
"""What a shard hears of its placed sensors: none has ever sent, some are heard, none is."""


@dataclass(frozen=True, slots=True)
class Word:
    """What one shard of a stream tells the others, as of its tick at ``at`` (epoch seconds)."""

    shard: int
    hearing: Hearing
    at: int


@dataclass(frozen=True, slots=True)
class Pulse:
    """What the writer of a tick has heard of all streams together.

    ``quiet_s`` counts its ticks since the last frame of any stream; ``cadence_s`` is the shortest
    cadence among the streams it has heard since it started, 0 while it has heard none.
    """

    quiet_s: int
    cadence_s: int


@dataclass(frozen=True, slots=True)
class Tick:
    """The passing of a second at ``at`` (epoch seconds), with the writer's pulse if it has one."""

    at: int
    pulse: Pulse | None = None


def tick_headers() -> Headers:
    """Return headers of a tick record."""
    return [("ce_specversion", b"1.0"), ("ce_type", TICK_TYPE.encode())]


def encode_tick(at: int, pulse: Pulse | None = None) -> bytes:
    """Return the value of a tick: epoch seconds, 8 bytes big-endian, then the pulse in 8 more."""
    told = b"" if pulse is None else _PULSE.pack(min(pulse.quiet_s, 2**32 - 1), pulse.cadence_s)
    return at.to_bytes(8, "big") + told


def encode_word(word: Word) -> bytes:
    """Return the value of a tick record that carries word of another shard: 10 bytes."""
    return encode_tick(word.at) + bytes([word.shard, HEARING.index(word.hearing)])


def decode_tick(value: bytes | None) -> Tick | Word:
    """Return a tick or a word; ``FrameError`` code ``tick`` when it is neither."""
    if value is None or len(value) not in (8, 10, 16):
        raise FrameError("tick", "a tick carries 8 or 16 bytes, a word of another shard 10")
    at, more = int.from_bytes(value[:8], "big"), value[8:]
    if not more:
        return Tick(at)
    if len(more) == _PULSE.size:
        return Tick(at, Pulse(*_PULSE.unpack(more)))
    if more[1] >= len(HEARING):
        raise FrameError("tick", f"a word says {more[1]}, which means nothing")
    return Word(more[0], HEARING[more[1]], at)
