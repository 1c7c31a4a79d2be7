"""Rules for what Grafana is provisioned with: data source, folders, alerting, ini, playlists.

They take the files by name, those that are committed (variables in the place of addresses and
secrets) or those that ``provision`` has written for one machine.
"""

import configparser
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import yaml

from dashboards.lint.board import Finding, strings
from dashboards.lint.shapes import model, strange
from dashboards.query import DATASOURCE_TYPE, DATASOURCE_UID

Files = Mapping[str, str]
Said = Iterator[tuple[str, str]]
"""Pairs of file name and what is wrong there."""
CLASSES = {
    "provisioning/datasources/cityops.yaml": "DataSources",
    "provisioning/dashboards/cityops.yaml": "Providers",
    "provisioning/alerting/contact-points.yaml": "ContactPoints",
    "provisioning/alerting/policies.yaml": "Policies",
    "provisioning/alerting/rules.yaml": "RuleGroups",
    "api/playlists.json": "[Playlist]",
    "api/preferences.json": "Preferences",
}
INI = "grafana.ini"
RULES_FILE, POINTS_FILE, POLICIES_FILE = (
    f"provisioning/alerting/{name}.yaml" for name in ("rules", "contact-points", "policies")
)
PROVIDERS_FILE = "provisioning/dashboards/cityops.yaml"
EXPRESSION = "__expr__"
EXPANDED = re.compile(r"\$(|__\w+)\{([^}]+)\}")
"""How Grafana finds a variable or a file to put in: up to the first brace, so nothing nests."""
DURATION = re.compile(r"(\d+(ms|s|m|h|d))+")
BEAT_S = 10
"""Grafana's scheduler wakes every 10 s; groups of rules are asked at a multiple of it."""
SECONDS = {"s": 1, "m": 60, "h": 3600}


def shapes(files: Files) -> Said:
    """Every name is one that Grafana reads, of its type, and nothing that must be is missing."""
    known = model("provisioned")
    for name, text in files.items():
        if name in CLASSES:
            for detail in strange(yaml.safe_load(text), CLASSES[name], known):
                yield name, detail
    for query in (query for rule in _alert_rules(files) for query in rule["data"]):
        kind = "ThresholdModel" if query["datasourceUid"] == EXPRESSION else "SqlModel"
        for detail in strange(query["model"], kind, known, f"query {query['refId']}"):
            yield RULES_FILE, detail


def ini_keys(files: Files) -> Said:
    """Every key of grafana.ini is one that some Grafana reads."""
    if INI not in files:
        return
    known = model("provisioned")
    ini = configparser.RawConfigParser()
    ini.read_string(files[INI])
    for section in ini.sections():
        names = {*known["Ini"].get(section, "").split(), *known["IniLater"].get(section, {})}
        for key in ini[section].keys() - names:
            yield INI, f"[{section}] {key} is not known"


def one_level(files: Files) -> Said:
    """A variable or file is put in at one level: Grafana does not look inside what it put in."""
    for name, text in files.items():
        if name != INI and name not in CLASSES:
            continue  # Grafana puts nothing into dashboards
        values = _ini_values(text) if name == INI else strings(yaml.safe_load(text))
        for value in values:
            if any("$" in inside for _, inside in EXPANDED.findall(value)):
                yield name, f"{value} nests, which Grafana does not take"


def alert_queries(files: Files) -> Said:
    """An alert rule ends in a threshold over one query of our data source."""
    ours = {"type": DATASOURCE_TYPE, "uid": DATASOURCE_UID}
    for rule in _alert_rules(files):
        asked = {query["refId"]: query for query in rule["data"]}
        if len(asked) < len(rule["data"]) or rule["condition"] not in asked:
            yield RULES_FILE, f"{rule['uid']}: condition {rule['condition']} of {sorted(asked)}"
            continue
        if asked[rule["condition"]]["datasourceUid"] != EXPRESSION:
            yield RULES_FILE, f"{rule['uid']}: the condition is no expression"
        for ref, query in asked.items():
            if query["model"]["refId"] != ref:
                yield RULES_FILE, f"{rule['uid']}: query {ref} calls itself otherwise"
            if query["datasourceUid"] == EXPRESSION:
                if query["model"]["expression"] not in asked:
                    yield RULES_FILE, f"{rule['uid']}: {ref} looks at a query that is not there"
            elif query["datasourceUid"] != DATASOURCE_UID or query["model"]["datasource"] != ours:
                yield RULES_FILE, f"{rule['uid']}: {ref} reads {query['datasourceUid']}"
            elif query["relativeTimeRange"]["from"] <= query["relativeTimeRange"]["to"]:
                yield RULES_FILE, f"{rule['uid']}: {ref} asks for no time at all"


def alert_names(files: Files) -> Said:
    """Rules are told apart by uid and title; their folder is no folder of dashboards.

    Grafana makes the folder of rules by its title alone, without our uid; when that happens before
    the dashboards come, a folder of the same title and another uid is in their way.
    """
    found = list(_alert_rules(files))
    for key, most in (("uid", 40), ("title", 190)):
        for value, times in Counter(rule[key] for rule in found).items():
            if times > 1 or not 0 < len(value) <= most:
                yield RULES_FILE, f"{key} {value!r} is empty, too long or used twice"
    taken = {one["folder"] for one in _yaml(files, PROVIDERS_FILE).get("providers", [])}
    for group in _yaml(files, RULES_FILE).get("groups", []):
        if group["folder"] in taken or "/" in group["folder"]:
            yield RULES_FILE, f"folder {group['folder']!r} holds dashboards or is a path"


def alert_times(files: Files) -> Said:
    """Durations are Grafana's, and a rule is asked at a multiple of the scheduler's beat."""
    for group in _yaml(files, RULES_FILE).get("groups", []):
        if not DURATION.fullmatch(group["interval"]) or _seconds(group["interval"]) % BEAT_S:
            yield RULES_FILE, f"interval {group['interval']} is no multiple of {BEAT_S} s"
        for rule in group["rules"]:
            if not DURATION.fullmatch(rule["for"]):
                yield RULES_FILE, f"{rule['uid']}: for {rule['for']} is no duration"
            elif _seconds(rule["for"]) % _seconds(group["interval"]):
                yield RULES_FILE, f"{rule['uid']}: for {rule['for']} is no multiple of the interval"
    for policy in _yaml(files, POLICIES_FILE).get("policies", []):
        for key in ("group_wait", "group_interval", "repeat_interval"):
            if not DURATION.fullmatch(policy[key]):
                yield POLICIES_FILE, f"{key} {policy[key]} is no duration"


def alert_routes(files: Files) -> Said:
    """Every policy sends to a contact point that is there."""
    there = {one["name"] for one in _yaml(files, POINTS_FILE).get("contactPoints", [])}
    for policy in _yaml(files, POLICIES_FILE).get("policies", []):
        if policy["receiver"] not in there:
            yield POLICIES_FILE, f"sends to {policy['receiver']}, which is not there"


def targets(files: Files) -> Said:
    """What names a dashboard or a panel names one that is there."""
    boards = [json.loads(text) for name, text in files.items() if name.startswith("dashboards/")]
    panels = {board["uid"]: {panel["id"] for panel in board["panels"]} for board in boards}
    for rule in _alert_rules(files):
        named = rule["annotations"]["__dashboardUid__"], rule["annotations"]["__panelId__"]
        if rule["panelId"] not in panels.get(rule["dashboardUid"], ()):
            yield RULES_FILE, f"{rule['uid']} leads to a panel that is not there"
        if named != (rule["dashboardUid"], str(rule["panelId"])):
            yield RULES_FILE, f"{rule['uid']} leads to two panels"
    for playlist in json.loads(files.get("api/playlists.json", "[]")):
        for item in playlist["items"]:
            if item["value"] not in panels:
                yield "api/playlists.json", f"turns to {item['value']}, which is not there"
    home = json.loads(files.get("api/preferences.json", "{}")).get("homeDashboardUID")
    if home and home not in panels:
        yield "api/preferences.json", f"begins at {home}, which is not there"


PROVISIONED: dict[str, Callable[[Files], Said]] = {
    "shapes": shapes,
    "ini-keys": ini_keys,
    "one-level": one_level,
    "alert-queries": alert_queries,
    "alert-names": alert_names,
    "alert-times": alert_times,
    "alert-routes": alert_routes,
    "targets": targets,
}


def lint_files(files: Files) -> list[Finding]:
    """Return what is wrong with provisioning files (text by name, dashboards among them).

    Files that lack what must be there are told that first: the other rules look it up.
    """
    found: list[Finding] = []
    for name, rule in PROVISIONED.items():
        if found and found[0].rule == "shapes":
            break
        found += [Finding(name, where, "", detail) for where, detail in rule(files)]
    return found


def _yaml(files: Files, name: str) -> dict[str, Any]:
    return yaml.safe_load(files.get(name, "{}"))


def _alert_rules(files: Files) -> Iterator[dict[str, Any]]:
    for group in _yaml(files, RULES_FILE).get("groups", []):
        yield from group["rules"]


def _ini_values(text: str) -> list[str]:
    ini = configparser.RawConfigParser()
    ini.read_string(text)
    return [value for section in ini.sections() for value in ini[section].values()]


def _seconds(duration: str) -> int:
    return int(duration[:-1]) * SECONDS[duration[-1]]
