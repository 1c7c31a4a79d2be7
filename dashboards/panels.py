"""The few kinds of panel that our pages use, each with the house's manners set once."""

from collections.abc import Sequence
from typing import Any

from grafana_foundation_sdk.builders import common as build
from grafana_foundation_sdk.builders import dashboard as dash
from grafana_foundation_sdk.builders import stat as stat_builder
from grafana_foundation_sdk.builders import statetimeline as timeline_builder
from grafana_foundation_sdk.builders import table as table_builder
from grafana_foundation_sdk.builders import timeseries as series_builder
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as model

from catalog.severity import LEVELS, NORMAL_COLOUR
from dashboards.looks import PLAIN, Steps, thresholds
from dashboards.query import jsonable

DURATION = "dthms"
"""Hours, minutes and seconds as 00:05:12: the same in every language."""
TITLE_PX, VALUE_PX = 15, 34
"""Sizes of letters in numbers, the same on every page."""
LINE = "#8FB8DE"
BAND = "#5B7083"
Property = model.DynamicConfigValue


def prop(id_val: str, value: object) -> Property:
    """Return one property of an override."""
    return Property(id_val=id_val, value=value)


def link_prop(links: Sequence[dash.DashboardLink]) -> Property:
    """Return data links as an override's property."""
    made = [jsonable(link.build()) for link in links]
    return prop("links", [{"title": m["title"], "url": m["url"]} for m in made])


def threshold_props(steps: Steps) -> list[Property]:
    """Return colour steps as override properties."""
    shown = [{"value": value, "color": colour} for value, colour in steps]
    return [prop("thresholds", {"mode": "absolute", "steps": shown})]


def mapping_prop(*maps: model.ValueMap) -> Property:
    """Return value mappings as an override's property."""
    return prop("mappings", [jsonable(item) for item in maps])


def coloured(*maps: model.ValueMap) -> list[Property]:
    """Return the properties of a table column whose mapped text carries its colour."""
    shown = prop("custom.cellOptions", {"type": "color-text"})
    return [mapping_prop(*maps), shown, prop("custom.align", "left")]


def number(unit: str, decimals: int | None = None) -> list[Property]:
    """Return unit and decimals as override properties."""
    found = [prop("unit", unit)]
    return found if decimals is None else [*found, prop("decimals", decimals)]


def stat(
    *,
    unit: str = "none",
    decimals: int = 0,
    steps: Steps = PLAIN,
    spark: bool = False,
    names: bool = False,
    rows: bool = False,
    fields: str = "",
    columns: bool = True,
    filled: bool = False,
) -> stat_builder.Panel:
    """Big numbers, side by side or below each other; with a sparkline when ``spark``.

    ``rows`` shows every row, else the last value of each series; ``fields`` picks fields by
    regular expression (all numbers when empty); ``filled``: the colour is the ground, not the text.
    """
    reduce = build.ReduceDataOptions().calcs(["lastNotNull"]).values(rows)
    if fields:
        reduce.fields(fields)
    return (
        stat_builder.Panel()
        .unit(unit)
        .decimals(decimals)
        .thresholds(thresholds(steps))
        .color_scheme(dash.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
        .color_mode(
            common.BigValueColorMode.BACKGROUND_SOLID if filled else common.BigValueColorMode.VALUE
        )
        .wide_layout(False)
        .text(common_text())
        .field_min_max(True)
        .graph_mode(common.BigValueGraphMode.AREA if spark else common.BigValueGraphMode.NONE)
        .justify_mode(common.BigValueJustifyMode.AUTO)
        .orientation(
            common.VizOrientation.VERTICAL if columns else common.VizOrientation.HORIZONTAL
        )
        .text_mode(
            common.BigValueTextMode.VALUE_AND_NAME if names else common.BigValueTextMode.VALUE
        )
        .reduce_options(reduce)
    )


def common_text() -> build.VizTextDisplayOptions:
    """Return the sizes of a number's name and value."""
    return build.VizTextDisplayOptions().title_size(TITLE_PX).value_size(VALUE_PX)


def lines(
    *,
    unit: str,
    decimals: int | None,
    gap_s: float = 180,
    legend: bool = True,
    bars: bool = False,
    stacked: bool = False,
    points: bool = False,
) -> series_builder.Panel:
    """A time series with shared manners: thin lines, no points, all values in one tooltip.

    ``gap_s``: a line runs through a pause up to this long; a longer one is a gap. Decimals of the
    axis are Grafana's own where none are asked for.
    """
    panel = (
        series_builder.Panel()
        .unit(unit)
        .thresholds(thresholds(PLAIN))
        .color_scheme(dash.FieldColor().mode(model.FieldColorModeId.PALETTE_CLASSIC_BY_NAME))
        .draw_style(common.GraphDrawStyle.BARS if bars else common.GraphDrawStyle.LINE)
        .line_width(0 if bars else 1)
        .fill_opacity(70 if bars else 0)
        .line_interpolation(common.LineInterpolation.LINEAR)
        .show_points(common.VisibilityMode.ALWAYS if points else common.VisibilityMode.NEVER)
        .point_size(3)
        .span_nulls(gap_s * 1000)
        .legend(
            build.VizLegendOptions()
            .display_mode(common.LegendDisplayMode.LIST)
            .placement(common.LegendPlacement.BOTTOM)
            .show_legend(legend)
            .calcs([])
        )
        .tooltip(
            build.VizTooltipOptions()
            .mode(common.TooltipDisplayMode.MULTI)
            .sort(common.SortOrder.DESCENDING)
        )
    )
    if decimals is not None:
        panel.decimals(decimals)
    if stacked:
        panel.stacking(build.StackingConfig().group("A").mode(common.StackingMode.NORMAL))
    return panel


def band(panel: series_builder.Panel, mean: str, low: str, high: str) -> series_builder.Panel:
    """Draw columns ``low`` and ``high`` as a quiet band around the line of ``mean``."""
    fixed = {"mode": "fixed", "fixedColor": BAND}
    edge = [
        prop("custom.lineWidth", 0),
        prop("color", fixed),
        prop("custom.hideFrom", {"legend": True, "tooltip": False, "viz": False}),
    ]
    panel.override_by_name(mean, [prop("color", {"mode": "fixed", "fixedColor": LINE})])
    panel.override_by_name(low, list(edge))
    filled = [*edge, prop("custom.fillBelowTo", low), prop("custom.fillOpacity", 18)]
    return panel.override_by_name(high, filled)


def usual_band(panel: series_builder.Panel, low: str, high: str) -> series_builder.Panel:
    """Draw columns ``low`` and ``high`` as thin dashed edges of what is usual."""
    for column in (low, high):
        panel.override_by_name(
            column,
            [
                prop("color", {"mode": "fixed", "fixedColor": BAND}),
                prop("custom.lineWidth", 1),
                prop("custom.lineStyle", {"fill": "dash", "dash": [2, 6]}),
            ],
        )
    return panel


def limit_lines(panel: series_builder.Panel) -> series_builder.Panel:
    """Draw the series whose names begin with the icon of a level dashed, in the level's colour."""
    for level in LEVELS.values():
        panel.override_by_regexp(
            f"/^{level.icon} /",
            [
                prop("color", {"mode": "fixed", "fixedColor": level.colour}),
                prop("custom.lineStyle", {"fill": "dash", "dash": [8, 6]}),
                prop("custom.hideFrom", {"legend": True, "tooltip": False, "viz": False}),
            ],
        )
    return panel


def timeline(steps: Steps, maps: model.ValueMap) -> timeline_builder.Panel:
    """Rows of states over time in the colours of their mapping; the text is in the tooltip."""
    return (
        timeline_builder.Panel()
        .show_value(common.VisibilityMode.NEVER)
        .merge_values(True)
        .align_value(common.TimelineValueAlignment.LEFT)
        .row_height(0.9)
        .line_width(0)
        .fill_opacity(100)
        .thresholds(thresholds(steps))
        .color_scheme(dash.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
        .mappings([maps])
        .legend(
            build.VizLegendOptions()
            .display_mode(common.LegendDisplayMode.LIST)
            .placement(common.LegendPlacement.BOTTOM)
            .show_legend(False)
            .calcs([])
        )
        .tooltip(
            build.VizTooltipOptions()
            .mode(common.TooltipDisplayMode.SINGLE)
            .sort(common.SortOrder.NONE)
        )
    )


def table(
    columns: dict[str, list[Property]] | None = None, hidden: Sequence[str] = ()
) -> table_builder.Panel:
    """A dense table; ``columns``: properties by column, ``hidden``: those kept for links only."""
    panel = (
        table_builder.Panel()
        .show_header(True)
        .cell_height(common.TableCellHeight.SM)
        .thresholds(thresholds([(None, NORMAL_COLOUR)]))
        .color_scheme(dash.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
    )
    for column, properties in (columns or {}).items():
        panel.override_by_name(column, properties)
    for column in hidden:
        panel.override_by_name(column, [prop("custom.hidden", True)])
    return panel


def time_column() -> list[Property]:
    """Return the properties of a column of moments."""
    return [prop("unit", "dateTimeAsLocal"), prop("custom.width", 165)]


def clock_column() -> list[Property]:
    """Return the properties of a column of moments of today, written as time of day."""
    return [prop("unit", "time:HH:mm:ss"), prop("custom.width", 85)]


def width(pixels: int) -> Property:
    """Return a column's width in pixels."""
    return prop("custom.width", pixels)


def linked(target: Any) -> list[Property]:
    """Return a column's properties when its cells lead somewhere."""
    return [link_prop([target])]
