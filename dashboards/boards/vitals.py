"""Tiles of vital signs: the number now, in its fixed place, on the colour of its state."""

from grafana_foundation_sdk.builders import stat as stat_builder
from grafana_foundation_sdk.builders.dashboard import DashboardLink
from grafana_foundation_sdk.models import dashboard as model

from catalog.severity import NORMAL_COLOUR
from dashboards.looks import TILE, UNITS, names_mapping
from dashboards.page import Page
from dashboards.panels import link_prop, stat
from dashboards.query import RANGE, STEP, SqlTarget, literal, name, rows, series
from dashboards.texts import Lang
from dashboards.wall import Vital

HANDLER = {
    **{"name": "displayName", "colour": "color", "unit": "unit", "decimals": "decimals"},
    **{"mapped": "mappings.value", "called": "mappings.text"},
}


def tiles(
    page: Page, signs: list[tuple[Vital, DashboardLink]]
) -> tuple[stat_builder.Panel, list[SqlTarget]]:
    """Return a panel of tiles and its queries, two for each sign.

    The first is the sign's line, which ends in the number now: an own frame with an own scale, so
    that no other sign moves or thins it. The second says how the tile is drawn; its place and the
    name of its series stay whatever it says.
    """
    panel, targets = stat(names=True, spark=True, filled=True), []
    for number, (sign, link) in enumerate(signs):
        letter = chr(ord("A") + number)
        targets.append(series(_line(sign, page.lang), letter))
        targets.append(rows(_mark(sign, page.lang), f"{letter}m"))
        panel.with_transformation(_drawn_by(letter))
        panel.override_by_query(letter, [link_prop([link])])
    return panel, targets


def _line(sign: Vital, lang: Lang) -> str:
    title = sign.title.zh if lang == "zh" else sign.title.en
    return f"""
        SELECT t."time", t.value AS {name(title)}
        FROM dash.vital_line({literal(sign.stream.name)}, {RANGE}, {STEP}) t
        ORDER BY t."time" LIMIT 2001"""


def _mark(sign: Vital, lang: Lang) -> str:
    known = ", ".join(f"({literal(ours)}, {literal(theirs)})" for ours, theirs in UNITS.items())
    columns, names = "", ""
    if called := _called(sign, lang):
        columns = ', n.value AS "mapped", n.called'
        names = f"LEFT JOIN (VALUES {called}) n (metric, value, called) ON n.metric = m.metric"
    return f"""
        SELECT m.name, coalesce(nullif(s.colour, {literal(NORMAL_COLOUR)}), {literal(TILE)})
               AS colour, coalesce(u.theirs, 'suffix: ' || m.unit) AS unit, m.decimals{columns}
        FROM dash.vital_mark({literal(sign.stream.name)}, {literal(lang)}) m
        JOIN dash.states s ON s.state = m.state
        LEFT JOIN (VALUES {known}) u (ours, theirs) ON u.ours = m.unit
        {names}
        ORDER BY 1 LIMIT 20"""


def _called(sign: Vital, lang: Lang) -> str:
    """Return the names of the headline's values as rows of SQL, empty when it has none."""
    stream = sign.stream
    return ", ".join(
        f"({literal(stream.headline)}, {value}, {literal(str(shown.text))})"
        for one in names_mapping(stream, stream.headline, lang)
        for value, shown in one.options.items()
    )


def _drawn_by(letter: str) -> model.DataTransformerConfig:
    options = {
        "configRefId": f"{letter}m",
        "applyTo": {"id": "byFrameRefID", "options": letter},
        "mappings": [{"fieldName": one, "handlerKey": key} for one, key in HANDLER.items()],
    }
    return model.DataTransformerConfig(id_val="configFromData", options=options)
