"""The live state of a network: the newest readings beside it, the alerts that close it."""

from psycopg import Connection, sql

from catalog.network import Network
from engine.network.graph import graph_of
from engine.network.live import Alarm, Live, Sensed, live
from storage.tables import last_table

_ALARMS = (
    "SELECT e.id, e.rule, e.severity, s.lon, s.lat FROM episodes e"
    " JOIN sensors s ON (s.stream, s.sensor) = (e.stream, e.sensor)"
    " WHERE e.cleared_at IS NULL AND e.rule = ANY(%s) AND s.lon IS NOT NULL ORDER BY e.id"
)


def live_of(conn: Connection, network: Network) -> Live:
    """Return what the network's links cost now, by the database's clock."""
    rules = [closure.rule for closure in network.closures]
    alarms = conn.execute(_ALARMS, [rules]).fetchall() if rules else []
    return live(
        graph_of(network),
        _sensed(conn, network),
        [Alarm(id, rule, severity, (lon, lat)) for id, rule, severity, lon, lat in alarms],
    )


def _sensed(conn: Connection, network: Network) -> list[Sensed]:
    if network.cost is None:
        return []
    query = sql.SQL(
        "SELECT s.lon, s.lat, l.{}, extract(epoch FROM clock_timestamp() - l.observed_at)::float8"
        " FROM {} l JOIN sensors s ON (s.stream, s.sensor) = (%s, l.sensor)"
        " WHERE s.lon IS NOT NULL AND l.{} IS NOT NULL ORDER BY l.sensor"
    ).format(
        sql.Identifier(network.cost.metric),
        sql.Identifier(last_table(network.cost.stream)),
        sql.Identifier(network.cost.metric),
    )
    rows = conn.execute(query, [network.cost.stream])
    return [Sensed((lon, lat), value, age) for lon, lat, value, age in rows]


def placed(conn: Connection, stream: str) -> dict[str, tuple[float, float]]:
    """Return where the sensors of a stream are that are in use, by id."""
    rows = conn.execute(
        "SELECT sensor, lon, lat FROM sensors WHERE stream = %s AND lon IS NOT NULL"
        " AND status <> 'retired' ORDER BY sensor",
        [stream],
    )
    return {sensor: (lon, lat) for sensor, lon, lat in rows}


def everything_placed(conn: Connection) -> list[tuple[str, str, str, str, float, float]]:
    """Return (stream, sensor, title_zh, title_en, lon, lat) of all sensors in use."""
    return conn.execute(
        "SELECT stream, sensor, title_zh, title_en, lon, lat FROM sensors"
        " WHERE lon IS NOT NULL AND status <> 'retired' ORDER BY stream, sensor"
    ).fetchall()
