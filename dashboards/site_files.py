"""The text of what a Grafana needs to start with our dashboards: ini, data source, folders.

``Place`` names what differs from machine to machine. Without one, variables stand in the place of
addresses and secrets, and Grafana takes them from its environment.
"""

import json
from dataclasses import dataclass
from typing import Any

import yaml

from catalog.model import text
from catalog.site import site
from dashboards.maps import GROUND_LAYER
from dashboards.page import uid
from dashboards.query import DATASOURCE_TYPE, DATASOURCE_UID
from dashboards.texts import LANGUAGES, Lang, pick
from storage.views.reader import ROLE

FOLDERS = {
    "zh": ("cityops-zh", text("城市运行", "City operations (zh)")),
    "en": ("cityops-en", text("城市运行（英文）", "City operations")),
}
OPEN_CONNECTIONS = 15
"""Below the role's own limit of 20, so that alerting is never refused."""
SESSION_S = 60
"""After this a pooled session is closed: what somebody has set in it lasts no longer."""
REFRESH_FLOOR = "10s"


@dataclass(frozen=True, slots=True)
class Place:
    """The values that differ from machine to machine; without one, variables stand."""

    folder: str = "${CITYOPS_GRAFANA_DATA}"
    host: str = "${CITYOPS_GRAFANA_DB_HOST}"
    database: str = "${CITYOPS_GRAFANA_DB_NAME}"
    password: str = "${CITYOPS_GRAFANA_DB_PASSWORD}"
    admin_password: str = "${CITYOPS_GRAFANA_ADMIN_PASSWORD}"
    secret_key: str = "${CITYOPS_GRAFANA_SECRET_KEY}"
    console: str = "${CITYOPS_CONSOLE}"
    port: str = "${CITYOPS_GRAFANA_PORT}"


def provisioning_files(place: Place) -> dict[str, str]:
    """Return the provisioning files by name, for one place."""
    return {
        "provisioning/datasources/cityops.yaml": as_yaml(datasource(place)),
        "provisioning/dashboards/cityops.yaml": as_yaml(providers(place)),
        "grafana.ini": grafana_ini(place),
    }


def datasource(place: Place) -> dict[str, Any]:
    """Return the data source file: read-only role, few connections, uid that panels name."""
    return {
        "apiVersion": 1,
        "prune": True,
        "datasources": [
            {
                "name": "cityops",
                "uid": DATASOURCE_UID,
                "type": DATASOURCE_TYPE,
                "access": "proxy",
                "url": place.host,
                "user": ROLE,
                "isDefault": True,
                "editable": False,
                "jsonData": {
                    "database": place.database,
                    "sslmode": "disable",
                    "postgresVersion": 1500,
                    "timescaledb": True,
                    "timeInterval": "5s",
                    "maxOpenConns": OPEN_CONNECTIONS,
                    "maxIdleConns": OPEN_CONNECTIONS,
                    "connMaxLifetime": SESSION_S,
                },
                "secureJsonData": {"password": place.password},
            }
        ],
    }


def providers(place: Place) -> dict[str, Any]:
    """Return the dashboards file: one provider per language, because folders need fixed uids."""
    return {
        "apiVersion": 1,
        "providers": [
            {
                "name": f"cityops-{lang}",
                "orgId": 1,
                "type": "file",
                "folder": pick(FOLDERS[lang][1], lang),
                "folderUid": FOLDERS[lang][0],
                "disableDeletion": True,
                "allowUiUpdates": False,
                "updateIntervalSeconds": 30,
                "options": {"path": f"{place.folder}/dashboards/{lang}"},
            }
            for lang in LANGUAGES
        ],
    }


def grafana_ini(place: Place, lang: Lang = "zh") -> str:
    """Return Grafana's settings for a closed network: nothing calls out, no static secret."""
    home = f"{place.folder}/dashboards/{lang}/{uid('wall', '', lang)}.json"
    sections = {
        "paths": {
            "data": f"{place.folder}/data",
            "logs": f"{place.folder}/logs",
            "plugins": f"{place.folder}/plugins",
            "provisioning": f"{place.folder}/provisioning",
        },
        "server": {"http_addr": "127.0.0.1", "http_port": place.port},
        "security": {
            "admin_password": place.admin_password,
            "secret_key": place.secret_key,
            "disable_gravatar": True,
            "cookie_samesite": "lax",
            "content_security_policy": False,
        },
        "users": {
            "allow_sign_up": False,
            "auto_assign_org_role": "Viewer",
            "viewers_can_edit": False,
            "default_theme": "dark",
            "default_language": "zh-Hans" if lang == "zh" else "en-US",
        },
        "date_formats": {"default_timezone": site().zone, "default_week_start": "monday"},
        "snapshots": {"external_enabled": False},
        "auth.anonymous": {"enabled": False},
        "analytics": {
            "reporting_enabled": False,
            "check_for_updates": False,
            "check_for_plugin_updates": False,
            "feedback_links_enabled": False,
        },
        "news": {"news_feed_enabled": False},
        "plugins": {
            "plugin_admin_enabled": False,
            "preinstall_disabled": True,
            "preinstall_auto_update": False,
            "public_key_retrieval_disabled": True,
        },
        "dashboards": {
            "default_home_dashboard_path": home,
            "min_refresh_interval": REFRESH_FLOOR,
        },
        "dataproxy": {"row_limit": 100000, "timeout": 15},
        # in backquotes, because ; would begin a comment
        "geomap": {"default_baselayer_config": f"`{json.dumps(GROUND_LAYER)}`"},
        "unified_alerting": {"enabled": True, "min_interval": "10s"},
        "log": {"mode": "console", "level": "warn"},
    }
    lines = ["# Written by `python -m dashboards`; changes are overwritten."]
    for section, values in sections.items():
        if values:
            lines += ["", f"[{section}]"]
            lines += [f"{key} = {_ini(value)}" for key, value in values.items()]
    return "\n".join(lines) + "\n"


def as_yaml(content: dict[str, Any]) -> str:
    """Return YAML as it is written: keys in the order written, Chinese as it is."""
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=100)


def _ini(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
