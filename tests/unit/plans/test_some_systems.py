"""Where some systems do not run, what plans, indices and feeds name of them is no fault."""

import os
import subprocess
import sys

import pytest

LOAD = """
from catalog.plan.registry import plans
from catalog.index import indices, rules_of
from catalog.feed import feeds
from catalog.detection import detections
print(len(plans()), len(indices()), len(feeds()), len(detections()))
"""


@pytest.mark.parametrize(
    ("systems", "found"),
    [("traffic", "4 1 3 1"), ("water", "0 1 0 0"), ("", "4 1 3 1")],
)
def test_what_is_declared_loads(systems: str, found: str) -> None:
    env = os.environ | {"CITYOPS_SYSTEMS": systems}
    line = [sys.executable, "-c", LOAD]
    done = subprocess.run(line, env=env, capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip(), done.stderr) == (found, "")
