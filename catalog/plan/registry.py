"""Find the declared plans: ``systems/<system>/plans/*.py``, one ``PLAN`` each."""

from functools import cache

from catalog.declared import DeclarationError, files_of, load_named
from catalog.plan.checks import problems
from catalog.plan.model import Plan


@cache
def plans() -> dict[str, Plan]:
    """Return all declared plans by name, the highest priority first; read once per process."""
    found: dict[str, Plan] = {}
    for file in files_of("plans"):
        plan = load_named(file, "PLAN", Plan)
        if plan.name in found:
            raise DeclarationError(f"{file}: a plan named {plan.name!r} exists already")
        if wrong := problems(plan):
            raise DeclarationError(f"{file}: {'; '.join(wrong)}")
        found[plan.name] = plan.model_copy(update={"system": file.parent.parent.name})
    return dict(sorted(found.items(), key=lambda one: (-one[1].priority, one[0])))
