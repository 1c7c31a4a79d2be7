"""Our routes as Alertmanager's configuration: Grafana reads it out of ``/api/v2/status``.

What Alertmanager has no word for (escalation, hours of silence, the fallback) is left out. JSON is
YAML, so it is written as that.
"""

import json
import re
from typing import Any

from alerts.routing.routes import Group, Match, Route, Routes

Part = dict[str, Any]
EVERYBODY = ("*",)
NOBODY = "nobody"


def config_of(routes: Routes) -> str:
    """Return the configuration; a route's receivers are one of that name, ``a, b``."""
    root = _route(routes.file.route, root=True)
    names = sorted({name for part in _all(root) if (name := part.get("receiver"))})
    found = {"route": root, "receivers": [{"name": name} for name in names]}
    return json.dumps(found, ensure_ascii=False, indent=2)


def _route(route: Route, *, root: bool = False) -> Part:
    made: Part = {}
    receivers = EVERYBODY if root and route.receivers is None else route.receivers
    if receivers is not None:
        made["receiver"] = ", ".join(receivers) or NOBODY
    group = route.group or (Group() if root else None)
    if group is not None:
        made |= _group(group)
    if not root:
        made |= {"matchers": _matchers(route.match), "continue": route.go_on}
    return made | {"routes": [_route(child) for child in route.routes]}


def _group(group: Group) -> Part:
    every = {} if group.repeat_s is None else {"repeat_interval": f"{group.repeat_s:.0f}s"}
    return every | {
        "group_by": list(group.by) or ["..."],
        "group_wait": f"{group.wait_s:.0f}s",
        "group_interval": f"{group.interval_s:.0f}s",
    }


def _matchers(match: Match) -> list[str]:
    made = []
    for name, wanted in match:
        if len(wanted) == 1 and "*" not in wanted[0]:
            made.append(f"{name}={json.dumps(wanted[0])}")
        elif wanted:
            either = "|".join(re.escape(w).replace(r"\*", ".*") for w in wanted)
            made.append(f"{name}=~{json.dumps(either)}")
    return made


def _all(route: Part) -> list[Part]:
    return [route, *(part for child in route["routes"] for part in _all(child))]
