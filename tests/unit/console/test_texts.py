"""What declarations cite is told in the reader's language."""

import re

import pytest

from catalog.registry import streams
from catalog.rules import ThresholdRule
from console.limit_table import limit_rows
from console.texts import words_of

CHINESE = re.compile(r"[\u4e00-\u9fff]")
WORDS = re.compile(r"[A-Za-z]{3,}")


@pytest.mark.parametrize("name", sorted(streams()))
def test_standards_and_clauses_in_words_are_chinese_on_a_chinese_page(name: str) -> None:
    declared, words = streams()[name], words_of("zh")
    for rule in declared.rules:
        if isinstance(rule, ThresholdRule):
            for limit in rule.thresholds:
                clause = words.code("clause", limit.source.clause)
                standard = words.code("standard", limit.source.standard)
                assert CHINESE.search(clause) or not WORDS.search(clause), clause
                assert CHINESE.search(standard) or re.search(r"\d", standard), standard


def test_the_rows_of_a_rule_tell_them_so() -> None:
    declared = streams()["weather"]
    rule = next(r for r in declared.rules if r.name == "gale")
    for language, told in (("zh", "大风，平均风力"), ("en", "gale, mean wind")):
        assert limit_rows(words_of(language), declared, rule)[0]["clause"] == told
