"""Grafana's own alerting, used for one thing: to watch the platform from outside of it.

City alerts are the platform's business (rules in the catalog, webhooks signed). These few rules
tell when the platform itself falls silent, and go to the console's incoming webhook.
"""

from dataclasses import dataclass
from typing import Any

from catalog.model import Text, text
from dashboards.page import panel_id, uid
from dashboards.query import DATASOURCE_TYPE, DATASOURCE_UID
from dashboards.texts import pick
from storage.views.limits import OFFLINE_PCT, PLATFORM_LIMITS

FOLDER = "平台自检 Platform watch"
"""A folder of its own: Grafana may make it before the dashboards' folders, and by title alone."""
RECEIVER = "cityops-console"
EXPRESSION = "__expr__"


@dataclass(frozen=True, slots=True)
class Watch:
    """One rule: alarm when ``sql`` (one number) is above ``limit`` for ``for_s`` seconds."""

    key: str
    title: Text
    sql: str
    limit: float
    for_s: int
    severity: str
    page: str
    panel: str


def _figure(name: str) -> str:
    return f"SELECT p.value FROM dash.platform() p WHERE p.name = '{name}'"


WATCHES = (
    Watch(
        "no-data",
        text("全平台没有新数据", "No new data at all"),
        _figure("newest_age_s"),
        PLATFORM_LIMITS["newest_age_s"],
        60,
        "red",
        "platform",
        "figures_platform",
    ),
    Watch(
        "undelivered",
        text("通知积压", "Webhooks pile up"),
        _figure("oldest_undelivered_s"),
        PLATFORM_LIMITS["oldest_undelivered_s"],
        120,
        "orange",
        "platform",
        "figures_platform",
    ),
    Watch(
        "dead-letters",
        text("异常数据未处理", "Dead letters are open"),
        _figure("dead_letters_open"),
        PLATFORM_LIMITS["dead_letters_open"],
        300,
        "yellow",
        "platform",
        "figures_platform",
    ),
    Watch(
        "offline",
        text(
            f"超过 {OFFLINE_PCT}% 的传感器离线", f"More than {OFFLINE_PCT} % of sensors are offline"
        ),
        "SELECT 100.0 * (1 - sum(f.fresh) / nullif(sum(f.sensors), 0)) AS value"
        " FROM dash.freshness() f",
        OFFLINE_PCT,
        300,
        "orange",
        "quality",
        "freshness",
    ),
)
"""Limits are engineering choices: the platform has no standard of its own."""


def alerting(console: str) -> dict[str, dict[str, Any]]:
    """Return the alerting files by name; ``console`` is where notifications go."""
    return {
        "provisioning/alerting/contact-points.yaml": _contact_points(console),
        "provisioning/alerting/policies.yaml": _policies(),
        "provisioning/alerting/rules.yaml": _rules(),
    }


def _contact_points(console: str) -> dict[str, Any]:
    return {
        "apiVersion": 1,
        "contactPoints": [
            {
                "orgId": 1,
                "name": RECEIVER,
                "receivers": [
                    {
                        "uid": "cityops-incoming",
                        "type": "webhook",
                        "settings": {
                            "url": f"{console}/api/v1/incoming/grafana",
                            "httpMethod": "POST",
                            "authorization_scheme": "Bearer",
                            "authorization_credentials": "$CITYOPS_API_KEY",
                            "maxAlerts": 50,
                        },
                    }
                ],
            }
        ],
    }


def _policies() -> dict[str, Any]:
    return {
        "apiVersion": 1,
        "policies": [
            {
                "orgId": 1,
                "receiver": RECEIVER,
                "group_by": ["grafana_folder", "alertname"],
                "group_wait": "10s",
                "group_interval": "1m",
                "repeat_interval": "4h",
            }
        ],
    }


def _rules() -> dict[str, Any]:
    return {
        "apiVersion": 1,
        "groups": [
            {
                "orgId": 1,
                "name": "cityops-platform",
                "folder": FOLDER,
                "interval": "30s",
                "rules": [_rule(watch) for watch in WATCHES],
            }
        ],
    }


def rule_uid(watch: Watch) -> str:
    """Return the uid of a rule, the same for ever."""
    return f"cityops-{watch.key}"


def _rule(watch: Watch) -> dict[str, Any]:
    board, panel = uid(watch.page), panel_id(f"{watch.page}/{watch.panel}")
    return {
        "uid": rule_uid(watch),
        "title": f"{pick(watch.title, 'zh')} / {pick(watch.title, 'en')}",
        "condition": "C",
        "for": f"{watch.for_s}s",
        "noDataState": "Alerting",
        "execErrState": "Error",
        "labels": {"severity": watch.severity, "source": "cityops"},
        "annotations": {
            "summary": pick(watch.title, "zh"),
            "summary_en": pick(watch.title, "en"),
            "__dashboardUid__": board,
            "__panelId__": str(panel),
        },
        "dashboardUid": board,
        "panelId": panel,
        "data": [_query(watch.sql), _threshold(watch.limit)],
    }


def _query(sql: str) -> dict[str, Any]:
    return {
        "refId": "A",
        "datasourceUid": DATASOURCE_UID,
        "relativeTimeRange": {"from": 600, "to": 0},
        "model": {
            "refId": "A",
            "format": "table",
            "datasource": {"type": DATASOURCE_TYPE, "uid": DATASOURCE_UID},
            "rawQuery": True,
            "editorMode": "code",
            "rawSql": sql,
            "intervalMs": 1000,
            "maxDataPoints": 100,
        },
    }


def _threshold(limit: float) -> dict[str, Any]:
    condition = {
        "evaluator": {"type": "gt", "params": [limit]},
        "query": {"params": ["A"]},
        "operator": {"type": "and"},
        "reducer": {"type": "last", "params": []},
        "type": "query",
    }
    return {
        "refId": "C",
        "datasourceUid": EXPRESSION,
        "relativeTimeRange": {"from": 600, "to": 0},
        "model": {
            "refId": "C",
            "type": "threshold",
            "expression": "A",
            "conditions": [condition],
            "datasource": {"type": EXPRESSION, "uid": EXPRESSION},
        },
    }
