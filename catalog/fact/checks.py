"""The quality list of a fact's declaration, beside that of the stream that its minutes are."""

from collections.abc import Callable, Iterator

from catalog.checks import CHINESE
from catalog.fact.model import Fact
from catalog.fact.rows import Row, oddities_of
from catalog.registry import facts, made_of_facts, streams, systems

Check = Callable[[Fact], Iterator[str]]
MINUTE_S = 60


def known_domain(fact: Fact) -> Iterator[str]:
    """The fact belongs to a declared domain."""
    if fact.domain not in systems():
        yield f"domain {fact.domain!r} is not one of {', '.join(systems())}"


def both_languages(fact: Fact) -> Iterator[str]:
    """Every text has Chinese in zh and something in en."""
    parts = (*fact.dimensions, *fact.measures, *fact.oddities)
    for text in (fact.title, fact.thing, *(part.title for part in parts)):
        if not CHINESE.search(text.zh) or not text.en.strip():
            yield f"{text.zh!r} / {text.en!r} is not in both languages"


def names_are_free(fact: Fact) -> Iterator[str]:
    """No stream has the fact's name, and no other fact its stream."""
    if fact.name in streams():
        yield f"a stream is named {fact.name!r}: dead letters could not tell them apart"
    if made_of_facts().get(fact.stream) is not fact:
        yield f"stream {fact.stream!r} is made of other facts too"


def minutes_are_the_stream(fact: Fact) -> Iterator[str]:
    """The stream measures the tallies, a minute at a time, and slides over nothing."""
    if (stream := streams().get(fact.stream)) is None:
        yield f"no stream {fact.stream!r}"
        return
    tallies = tuple(tally.name for tally in fact.tallies)
    if stream.metric_names != tallies:
        yield f"{fact.stream} measures {stream.metric_names}, the tallies are {tallies}"
    if stream.cadence_s != MINUTE_S:
        yield f"{fact.stream} has a cadence of {stream.cadence_s} s, minutes are {MINUTE_S} s apart"
    if stream.lateness_s < 2 * MINUTE_S + fact.settle_s:
        yield f"{fact.stream}: a minute is told of when it is over: lateness_s is too short"
    if stream.rolling:
        yield f"{fact.stream}: a corrected minute cannot correct sliding quantities"


def oddities_compute(fact: Fact) -> Iterator[str]:
    """Every oddity gives an answer, also of a fact that carries nothing."""
    nothing: Row = dict.fromkeys((*fact.dimension_names, *fact.measure_names))
    try:
        oddities_of(fact, [nothing, nothing])
    except Exception as error:
        yield f"an oddity fails on a fact that carries nothing: {error!r}"


CHECKS: tuple[Check, ...] = (
    known_domain,
    both_languages,
    names_are_free,
    minutes_are_the_stream,
    oddities_compute,
)


def fact_problems() -> list[str]:
    """Return what is wrong with the declared facts, each with the fact and the check before it."""
    return [
        f"{fact.name}: {check.__name__}: {found}"
        for fact in facts().values()
        for check in CHECKS
        for found in check(fact)
    ]
