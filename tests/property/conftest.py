"""Hypothesis profiles: few and always the same examples in `make test`, many with HYPOTHESIS=deep.

`HYPOTHESIS=deep pytest tests/property --timeout 3600` draws new examples at each run.
"""

import os

from hypothesis import HealthCheck, Phase, settings

# explaining a failure traces every line, which takes minutes here
PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)
settings.register_profile(
    "quick",
    max_examples=12,
    derandomize=True,
    database=None,
    deadline=None,
    phases=PHASES,
    suppress_health_check=list(HealthCheck),
)
settings.register_profile(
    "more", settings.get_profile("quick"), max_examples=150, derandomize=False
)
settings.register_profile("deep", settings.get_profile("more"), max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS", "quick"))
