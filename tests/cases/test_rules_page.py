"""docs/rules.md says what the catalog says, and every kind in it has its case."""

from catalog.rule_kinds import KINDS
from catalog.rules_page import rules_page
from deploy.paths import ROOT
from tests.cases import test_boundaries, test_kinds, test_rules, test_silence
from tests.integration.alerts import test_judging, test_log_watch


def test_the_page_is_that_of_the_catalog() -> None:
    page = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    assert page == rules_page(), "declarations have changed: run make rules-page"


def test_every_kind_names_a_case_that_exists() -> None:
    modules = (test_rules, test_kinds, test_boundaries, test_silence)
    modules += (test_judging, test_log_watch)
    cases = {name for module in modules for name in dir(module) if name.startswith("test_")}
    assert {kind.test for kind in KINDS} <= cases
