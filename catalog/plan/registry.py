"""Find the declared plans: ``systems/<system>/plans/*.py``, one ``PLAN`` each."""

from functools import cache

from catalog.declared import load_all
from catalog.plan.checks import problems
from catalog.plan.model import Plan


@cache
def plans() -> dict[str, Plan]:
    """Return all declared plans by name, the highest priority first; read once per process."""
    found = load_all("plans", "PLAN", Plan, problems)
    return dict(sorted(found.items(), key=lambda one: (-one[1].priority, one[0])))
