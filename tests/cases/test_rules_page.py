"""docs/rules.md says what the catalog says, and every kind in it has its case."""

from catalog.rule_kinds import KINDS
from catalog.rules_page import rules_page
from deploy.paths import ROOT
from tests.cases import test_rules


def test_the_page_is_that_of_the_catalog() -> None:
    page = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    assert page == rules_page(), "declarations have changed: run make rules-page"


def test_every_kind_names_a_case_that_exists() -> None:
    cases = {name for name in dir(test_rules) if name.startswith("test_")}
    assert {kind.test for kind in KINDS} <= cases
