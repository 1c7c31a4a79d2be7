"""Silence of a whole stream, as one shard of the reference sees it."""

from catalog.frames import Hearing, Word
from catalog.model import Stream, StreamAbsenceRule

LONG_AGO = -(10**18)


class Silence:
    """What this shard hears, what the others have told, and the stream's one alert."""

    def __init__(self, stream: Stream, shard: int) -> None:
        self.patience = int(1.5 * stream.cadence_s) + 1
        self.shard = shard
        self.hushed_at: int | None = None
        self.heard_again_at = LONG_AGO
        self._told: Hearing = "nobody"
        self._others: dict[int, Word] = {}
        self._raised_at: int | None = None

    def hear(self, word: Word) -> None:
        """Keep another shard's word unless a newer one is known."""
        known = self._others.get(word.shard)
        if word.shard != self.shard and (known is None or word.at > known.at):
            self._others[word.shard] = word

    def word(self, arrivals: list[int], tick: int, at: int) -> Word | None:
        """Judge the stream at a tick; return what there is to tell the others."""
        mine: Hearing = "nobody"
        if arrivals:
            mine = "heard" if tick - max(arrivals) < self.patience else "hushed"
        all_of_them = [mine, *(w.hearing for w in self._others.values())]
        hushed = "hushed" in all_of_them and "heard" not in all_of_them
        if hushed and self.hushed_at is None:
            self.hushed_at = tick
        elif not hushed and self.hushed_at is not None:
            self.hushed_at, self.heard_again_at = None, tick
        if mine == self._told:
            return None
        self._told = mine
        return Word(self.shard, mine, at)

    def alert(self, rule: StreamAbsenceRule, tick: int, at: int) -> tuple[str, int] | None:
        """Return (kind, when it was raised) when the stream's alert begins or ends."""
        if self.shard != 0:
            return None
        waited = None if self.hushed_at is None else tick - self.hushed_at
        if self._raised_at is None:
            if waited is not None and waited >= rule.after_s - self.patience:
                self._raised_at = at
                return "raised", at
        elif waited is None:
            raised_at, self._raised_at = self._raised_at, None
            return "cleared", raised_at
        return None
