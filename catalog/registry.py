"""Find the declared systems and streams. A stream file is a module with one name, ``STREAM``.

Besides the systems' folders those of ``CITYOPS_STREAMS_PATH`` (separated like ``PATH``) are
searched, so that a site keeps single streams outside this tree; see ``catalog/declared.py`` for
whole systems.
"""

import os
from functools import cache
from pathlib import Path

from catalog.base import text
from catalog.declared import DeclarationError, files_of, load, load_named, system_folders
from catalog.early import EarlyRule, early_rule
from catalog.fact.model import Fact
from catalog.joint import GROUPS, joint_rules
from catalog.lifecycle.registry import RECORDS, overdue_rules
from catalog.model import AnyRule, Stream, ThresholdRule
from catalog.platform import PLATFORM
from catalog.platform import RULES as PLATFORM_RULES
from catalog.rules import Concern, Rule
from catalog.system import System


@cache
def systems() -> dict[str, System]:
    """Return all declared systems by name, in the order of the screens; read once per process."""
    found = [_load_system(folder) for folder in system_folders()]
    return {s.name: s for s in sorted(found, key=lambda s: (s.position, s.name))}


def _load_system(folder: Path) -> System:
    path = folder / "system.py"
    system = load(path, "SYSTEM", System)
    if system.name != folder.name:
        raise DeclarationError(
            f"{path}: the system is named {system.name!r}, its folder {folder.name!r}"
        )
    return system


def stream_files() -> list[Path]:
    """Return the files that are searched for streams, those of the systems first."""
    extra = os.environ.get("CITYOPS_STREAMS_PATH", "")
    folders = [Path(p) for p in extra.split(os.pathsep) if p]
    return [*files_of("streams"), *(f for folder in folders for f in folder.glob("[a-z]*.py"))]


def load_stream(path: Path) -> Stream:
    """Load the declaration in one file; ``DeclarationError`` when it holds none of that name."""
    stream = load_named(path, "STREAM", Stream)
    if stream.name in (PLATFORM, RECORDS, GROUPS):
        raise DeclarationError(f"{path}: {stream.name!r} is the name of the platform's own rules")
    return stream


@cache
def streams() -> dict[str, Stream]:
    """Return all declared streams by name, in name order; read once per process."""
    found: dict[str, Stream] = {}
    for file in sorted(stream_files(), key=lambda f: f.stem):
        if file.stem in found:
            raise DeclarationError(f"{file}: a stream named {file.stem!r} exists already")
        found[file.stem] = load_stream(file)
    return found


@cache
def facts() -> dict[str, Fact]:
    """Return all declared kinds of facts by name; read once per process."""
    found = [load_named(file, "FACT", Fact) for file in files_of("facts")]
    names = [fact.name for fact in found]
    for fact in found:
        if names.count(fact.name) > 1:
            raise DeclarationError(f"facts named {fact.name!r} are declared twice")
    return {fact.name: fact for fact in sorted(found, key=lambda fact: fact.name)}


@cache
def made_of_facts() -> dict[str, Fact]:
    """Return the facts whose minutes are a stream, by the stream: it has no other readings."""
    return {fact.stream: fact for fact in facts().values()}


def stream(name: str) -> Stream:
    """Return one stream; KeyError naming the known ones otherwise."""
    try:
        return streams()[name]
    except KeyError:
        raise KeyError(f"no stream {name!r}; known: {', '.join(streams())}") from None


def spokesman() -> str:
    """Return the stream whose first shard speaks for the whole platform: the first by name."""
    return min(streams())


def find_rule(rule_id: str) -> AnyRule | None:
    """Return the declaration of a rule by its platform-wide id; None for one from elsewhere."""
    return _rules().get(rule_id)


def concern_of(rule_id: str) -> Concern:
    """Return whom alerts of a rule concern; what is not said, or comes from elsewhere: the city."""
    return getattr(find_rule(rule_id), "concern", "city")


@cache
def stream_rules() -> dict[str, Rule]:
    """Return the rules of all streams by their platform-wide id."""
    return {s.rule_id(rule): rule for s in streams().values() for rule in s.rules}


@cache
def _rules() -> dict[str, AnyRule]:
    others = {**PLATFORM_RULES, **overdue_rules(), **joint_rules(), **early_rules()}
    return {**others, **stream_rules()}


@cache
def early_rules() -> dict[str, EarlyRule]:
    """Return the early warnings of all rules on forecast quantities, by id."""
    return {
        early_rule(s.rule_id(rule)): EarlyRule(
            name=early_rule(rule.name),
            title=text(f"预计{rule.title.zh}", f"Expected: {rule.title.en}"),
            of=s.rule_id(rule),
            metric=rule.metric,
            advice=rule.advice,
        )
        for s in streams().values()
        for rule in s.rules
        if isinstance(rule, ThresholdRule)
        and any(f.of == rule.metric and "sensor" in f.levels for f in s.forecast)
    }
