"""Our dashboards in the form that Grafana reads, made with its own SDK."""

import json
from typing import Any, Final

from grafana_foundation_sdk.builders import bargauge, common, prometheus, stat, statetimeline, timeseries
from grafana_foundation_sdk.builders import dashboard as board
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.common import BigValueColorMode, BigValueGraphMode, GraphTresholdsStyleMode

from deploy.grafana.pieces import MARKS, Choice, Kind, Mark, Page, Panel

DOCS: Final = "https://tidegate.example/blob/main"
"""Where people read the repository. Put your own here and run `make dashboards`, or type it into the page's box."""
SOURCE: Final = model.DataSourceRef(type_val="prometheus", uid="${datasource}")
_BUILDERS: Final[dict[Kind, Any]] = {
    "lines": timeseries.Panel,
    "now": stat.Panel,
    "states": statetimeline.Panel,
    "bars": bargauge.Panel,
}


class _Annotation(model.AnnotationQuery):
    """With what Grafana's source Prometheus knows besides: what the mark is called, and its own step."""

    def __init__(self, mark: Mark) -> None:
        super().__init__(name=mark.name, datasource=SOURCE, icon_color=mark.colour, expr=mark.expr)
        self._text = mark.text

    def to_json(self) -> dict[str, object]:
        """As Grafana reads it."""
        return {**super().to_json(), "titleFormat": self._text, "step": "60s"}


def drawn(page: Page) -> str:
    """The dashboard's JSON."""
    made = board.Dashboard(page.title).uid(page.uid).description(page.says).tags(["tidegate"]).readonly()
    made.refresh("30s").time(page.since, "now").timezone("browser").tooltip(model.DashboardCursorSync.CROSSHAIR)
    made.with_variable(board.DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
    made.with_variable(board.TextBoxVariable("docs").label("Docs").default_value(DOCS))
    for choice in page.choices:
        made.with_variable(_choice(choice))
    others = board.DashboardLink("Tidegate").type(model.DashboardLinkType.DASHBOARDS).tags(["tidegate"])
    made.link(others.as_dropdown(True).keep_time(True))
    for row in page.rows:
        made.with_row(board.Row(row.title))
        for panel in row.panels:
            made.with_panel(_panel(panel))
    built = made.build()
    built.annotations = model.AnnotationContainer([_Annotation(mark) for mark in MARKS])
    _number(built)
    return json.dumps(built, cls=JSONEncoder, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _number(built: Any) -> None:
    for number, panel in enumerate(built.panels, start=1):
        panel.id_val = number


def _choice(choice: Choice) -> board.QueryVariable:
    made = board.QueryVariable(choice.name).label(choice.label).query(choice.query).datasource(SOURCE)
    if choice.first is not None:
        made.current(model.VariableOption(selected=True, text=choice.first, value=choice.first))
    return made.multi(True).include_all(True).all_value(".*").refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)


def _panel(panel: Panel) -> Any:
    made = _BUILDERS[panel.kind]().title(panel.title).description(panel.says).datasource(SOURCE)
    made.unit(panel.unit).height(panel.height).span(panel.width).links([_link(panel.see)])
    made.thresholds(board.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(_steps(panel)))
    if panel.words:
        words = {value: model.ValueMappingResult(text=text) for value, text in panel.words}
        made.mappings([model.ValueMap(options=words)])
    for name, query in zip("ABCDEFGH", panel.queries, strict=False):
        target = prometheus.Dataquery().expr(query.expr).legend_format(query.legend or "__auto").ref_id(name)
        made.with_target(target.instant() if panel.kind == "bars" else target.range())
    return _styled(made, panel)


def _styled(made: Any, panel: Panel) -> Any:
    if panel.kind == "lines":
        made.line_width(1).fill_opacity(8).axis_soft_min(0).span_nulls(False)
        if len(panel.steps) > 1:
            made.thresholds_style(common.GraphThresholdsStyleConfig().mode(GraphTresholdsStyleMode.DASHED))
    if panel.kind == "now":
        made.color_mode(BigValueColorMode.VALUE).graph_mode(BigValueGraphMode.AREA)
    if panel.kind in ("now", "bars"):
        made.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
    if panel.kind == "states":
        made.color_scheme(board.FieldColor().mode(model.FieldColorModeId.THRESHOLDS)).merge_values(True)
    return made


def _steps(panel: Panel) -> list[model.Threshold]:
    return [model.Threshold(value, colour) for value, colour in panel.steps]


def _link(see: str) -> board.DashboardLink:
    return board.DashboardLink("What to do · 怎么办").type(model.DashboardLinkType.LINK).url(f"${{docs}}/{see}")
