"""Silence of a whole stream, and of everything, as one shard of the reference sees it."""

from catalog.model import Stream, StreamAbsenceRule
from catalog.platform import PIPELINE
from catalog.ticks import Hearing, Pulse, Word

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
        self._quickest = 0
        self.nothing_comes = False
        self._others_come = True

    def feel(self, pulse: Pulse | None, tick: int) -> str:
        """Take the pulse of a tick; return "raised" or "cleared" when all falls still or moves."""
        self._others_come = True
        if pulse is None:
            return ""
        if pulse.cadence_s:
            self._quickest = pulse.cadence_s
        quiet_since = tick - pulse.quiet_s
        heard_since_hushed = self.hushed_at is None or quiet_since > self.hushed_at
        self._others_come = pulse.cadence_s > 0 and heard_since_hushed
        if not self._quickest:
            return ""
        patience = max(PIPELINE.after_s, PIPELINE.cadences * self._quickest)
        before, self.nothing_comes = self.nothing_comes, pulse.quiet_s >= patience
        if before and pulse.cadence_s == 0:
            self.nothing_comes = True
        if [word for word in self._others.values() if word.hearing == "heard"]:
            self.nothing_comes = False
        if self.nothing_comes == before:
            return ""
        if before:
            self.heard_again_at = tick
        return "cleared" if before else "raised"

    def hear(self, word: Word) -> None:
        """Keep another shard's word unless a newer one is known."""
        known = self._others.get(word.shard)
        if word.shard != self.shard and (known is None or word.at > known.at):
            self._others[word.shard] = word

    @property
    def is_heard_of(self) -> bool:
        """Whether anybody has ever heard anything of the stream."""
        return {self._told, *(word.hearing for word in self._others.values())} != {"nobody"}

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
        if {*all_of_them} == {"nobody"}:
            self.heard_again_at = tick  # sensors have their time from the first word of the stream
        if mine == self._told:
            return None
        self._told = mine
        return Word(self.shard, mine, at)

    def alert(self, rule: StreamAbsenceRule, tick: int, at: int) -> tuple[str, int] | None:
        """Return (kind, when it was raised) when the stream's alert begins or ends."""
        if self.shard != 0:
            return None
        if self._raised_at is None:
            if self.hushed_at is None or self.nothing_comes or not self._others_come:
                return None
            waited = tick - max(self.hushed_at, self.heard_again_at)
            if waited >= rule.after_s - self.patience:
                self._raised_at = at
                return "raised", at
        elif self.hushed_at is None:
            raised_at, self._raised_at = self._raised_at, None
            return "cleared", raised_at
        return None
