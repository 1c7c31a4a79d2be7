"""The SQL target that the SDK lacks, and the one data source that all panels read."""

import textwrap
from typing import Any, Literal

from grafana_foundation_sdk.cog import builder as cogbuilder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import common

DATASOURCE_UID = "cityops-db"
DATASOURCE_TYPE = "postgres"
"""The name that Grafana 10.1 knows; newer versions take it as an alias."""
DATASOURCE = common.DataSourceRef(type_val=DATASOURCE_TYPE, uid=DATASOURCE_UID)

Format = Literal["time_series", "table"]
STEP = "make_interval(secs => $__interval_ms / 1000.0)"
RANGE = "$__timeFrom(), $__timeTo()"


class SqlQuery(Dataquery):
    """One query of a panel, as the PostgreSQL plugin stores it."""

    def __init__(self, sql: str, form: Format, ref: str = "A") -> None:
        self.sql, self.form, self.ref = sql, form, ref

    def to_json(self) -> dict[str, object]:
        """Return the target's JSON."""
        return {
            "refId": self.ref,
            "datasource": {"type": DATASOURCE_TYPE, "uid": DATASOURCE_UID},
            "editorMode": "code",
            "format": self.form,
            "rawQuery": True,
            "rawSql": self.sql,
        }


class SqlTarget(cogbuilder.Builder[Dataquery]):
    """Builder of a query, as the SDK's panels want it."""

    def __init__(self, sql: str, form: Format, ref: str = "A") -> None:
        self._query = SqlQuery(tidy(sql), form, ref)

    def build(self) -> Dataquery:
        """Return the query."""
        return self._query


def tidy(sql: str) -> str:
    """Return SQL without the indentation of the code it was written in."""
    return textwrap.dedent(sql).strip()


def series(sql: str, ref: str = "A") -> SqlTarget:
    """Return a target whose rows are ``time``, an optional label and numbers, in time order."""
    return SqlTarget(sql, "time_series", ref)


def rows(sql: str, ref: str = "A") -> SqlTarget:
    """Return a target whose rows are shown as they are."""
    return SqlTarget(sql, "table", ref)


def literal(value: str) -> str:
    """Return a string as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def name(value: str) -> str:
    """Return a column alias, quoted."""
    return '"' + value.replace('"', '""') + '"'


def jsonable(item: Any) -> Any:
    """Return an SDK object as plain JSON values."""
    import json

    from grafana_foundation_sdk.cog.encoder import JSONEncoder

    return json.loads(json.dumps(item, cls=JSONEncoder))
