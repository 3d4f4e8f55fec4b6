"""Real files through the backtest: what trips is what SQL finds in them, without any of our code."""

import csv
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.backtest import Report, Trip
from schemas.base import to_ms
from services.cli import __main__ as cli

REAL = Path(__file__).parents[4] / "shared" / "data"
"""Where they are at hand; nothing of them is in the tree."""
MAPS = Path(__file__).parents[2] / "data"
PANE_S = 5
"""A minute is the pane of the moment and the twelve before it."""

Backtest = Callable[..., list[Trip]]
pytestmark = pytest.mark.skipif(not REAL.exists(), reason="the real data are not at hand")


@pytest.fixture
def backtest(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Backtest:
    """What trips in a file under a map and, perhaps, a policy."""

    def run(file: Path, mapped: str, *more: object) -> list[Trip]:
        report = tmp_path / "report.json"
        arguments = [file, "--map", MAPS / mapped, "--json", report, *more]
        monkeypatch.setattr("sys.argv", ["tidegate", "backtest", *map(str, arguments)])
        assert cli.main() == 0
        (found,) = Report.model_validate_json(report.read_bytes()).runs
        return [trip for trip in found.trips if trip.tripped is not None]

    return run


def rows_of(name: str) -> list[dict[str, str]]:
    """The rows of one file."""
    with (REAL / name).open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def excerpt(folder: Path, rows: list[dict[str, str]]) -> Path:
    """A file of some rows, since days that are of no interest take their time too."""
    path = folder / "excerpt.csv"
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def asked(rows: list[dict[str, str]], query: str) -> list[tuple[object, ...]]:
    """What SQL answers about rows, which it has as its only parameter, in JSON."""
    with sqlite3.connect(":memory:") as db:
        return db.execute(query, (json.dumps(rows),)).fetchall()


def test_addresses_trip_where_sql_finds_three_clicks_in_a_minute(backtest: Backtest, tmp_path: Path) -> None:
    """The evening, in which all of them are. Each episode begins where SQL finds three, and SQL finds no more."""
    busy = [row for row in rows_of("ad_clicks_2017_30k.csv") if row["click_time"] >= "2017-11-07 10:00"]
    trips = backtest(excerpt(tmp_path, busy), "clicks_map.yml", "--policy", MAPS / "policy_sample_clicks.yaml")
    crowded = asked(
        busy,
        """with pane as (select value ->> 'ip' as ip, strftime('%s', value ->> 'click_time') / 5 as number
        from json_each(?)) select distinct ip, number from pane as last where 3 <=
        (select count(*) from pane where pane.ip = last.ip and pane.number between last.number - 12 and last.number)""",
    )
    assert len({trip.subject for trip in trips}) == len({ip for ip, _ in crowded}) == 3
    ends = {(int(str(number)) + 1) * PANE_S * 1000 for _, number in crowded}
    assert {to_ms(trip.tripped) for trip in trips if trip.tripped} <= ends
    lasting = [(to_ms(trip.opened), to_ms(trip.resolved)) for trip in trips if trip.resolved]
    assert all(any(opened <= end <= resolved for opened, resolved in lasting) for end in ends)


COMPARED = """
with rows as (select value ->> 'placement' as placement, value ->> 'date' as date, value ->> 'displays' as displays,
    value ->> 'clicks' as clicks, value ->> 'cost' as cost, value ->> 'post_click_conversions' as won
    from json_each(?)),
days as (select placement, date, sum(displays) as displays, sum(clicks) as clicks, sum(cost) as cost, sum(won) as won,
    case when date between '2020-04-04' and '2020-04-06' or date between '2020-05-01' and '2020-05-05' then 'holiday'
    when strftime('%w', date) in ('0', '6') and date not in ('2020-04-26', '2020-05-09') then 'weekend'
    else 'workday' end as kind from rows group by placement, date),
pairs as (select now.*, old.displays as old_displays, old.clicks as old_clicks, old.cost as old_cost,
    old.won as old_won, now.kind = old.kind as alike, sum(now.kind = old.kind) over week as all_alike,
    min(old.date) over week <= date(now.date, '-4 days') as known
    from days as now join days as old on old.placement = now.placement
    and julianday(now.date) - julianday(old.date) between 1 and 7
    window week as (partition by now.placement, now.date)),
weeks as (select placement, date, displays, clicks, cost, won, sum(old_displays) as old_displays,
    sum(old_clicks) as old_clicks, sum(old_cost) as old_cost, sum(old_won) as old_won
    from pairs where known and (alike or all_alike < 2) group by placement, date),
compared (rule, placement, date, change, bound, few, of, many, among) as (
    select 'engagement_drop', placement, date, 1 - 1.0 * clicks / displays / old_clicks * old_displays, 0.4,
    clicks, displays, old_clicks, old_displays from weeks where min(displays, old_displays) >= 10000
    union all select 'conversion_drop', placement, date, 1 - 1.0 * won / clicks / old_won * old_clicks, 0.3,
    won, clicks, old_won, old_clicks from weeks where min(clicks, old_clicks) >= 1000
    union all select 'cac_spike', placement, date, cost / won / old_cost * old_won - 1, 0.2,
    won, cost, old_won, old_cost from weeks where min(won, old_won) >= 30
    union all select 'cac_spike/fall', placement, date, 1 - cost / won / old_cost * old_won, 0.2,
    old_won, old_cost, won, cost from weeks where min(won, old_won) >= 30),
shared as (select *, 1.0 * of / (of + among) as share from compared),
expected as (select *, (few + many) * share as mean, (few + many) * share * (1 - share) as variance from shared),
judged as (select *, case when change < 0.9 * bound then 0 when change >= bound and mean > few
    and (mean - few) * (mean - few) >= 3.0902 * 3.0902 * (variance + 0.0025 * variance * variance) then 1 end as bad
    from expected)
select rule, placement, date from judged as now where bad and date < (select max(date) from days) and not coalesce(
    (select bad from judged as old where old.rule = now.rule and old.placement = now.placement and old.date < now.date
    and bad is not null order by date desc limit 1), 0) order by rule, placement, date"""
"""On which days an episode begins: a day's sums against those of the days alike in the week before, and the share that
is expected of the day, of which it must be over three standard deviations short (a confidence of 0.999)."""


@pytest.mark.parametrize(
    ("first", "last", "placements", "rules"),
    [
        ("2020-04-01", "2020-04-16", {"def", "jkl"}, {"cac_spike", "cac_spike/fall", "conversion_drop"}),
        (
            "2020-04-18",
            "2020-05-10",
            {"def", "ghi", "jkl", "mno"},
            {"cac_spike", "cac_spike/fall", "conversion_drop", "engagement_drop"},
        ),
    ],
)
def test_placements_trip_on_the_days_that_sql_finds(
    backtest: Backtest, tmp_path: Path, first: str, last: str, placements: set[str], rules: set[str]
) -> None:
    """Around two holidays. The conversions of the large placements are left out: they are most of the events."""
    daily = [
        row | ({} if row["placement"] in {"def", "jkl"} else {"post_click_conversions": "0"})
        for row in rows_of("ad_performance_2020_apr_may.csv")
        if first <= row["date"] <= last and row["placement"] in placements
    ]
    trips = backtest(excerpt(tmp_path, daily), "ads_map.yml", "--policy", MAPS / "policy_daily_sums.yaml")
    found = [
        (trip.rule, trip.subject.removeprefix("channel:"), trip.tripped.date().isoformat())
        for trip in trips
        if trip.tripped
    ]
    assert sorted(found) == asked(daily, COMPARED)
    assert {rule for rule, *_ in found} == rules


def test_growth_trips_in_the_quarters_that_sql_finds_weak_after_strong_ones(backtest: Backtest, tmp_path: Path) -> None:
    quarterly = [row for row in rows_of("macro_cn_gdp_quarterly.csv") if row["quarter"] >= "2024"]
    trips = backtest(excerpt(tmp_path, quarterly), "gdp_map.yml")
    begun = asked(
        quarterly,
        """with known as (select value ->> 'quarter' as quarter, value ->> 'gdp_yoy_single_quarter_pct' as text
        from json_each(?)), growth as (select quarter, text + 0.0 as percent from known where text <> '')
        select quarter from (select quarter, percent, lag(percent) over (order by quarter) as before from growth)
        where percent < 5 and coalesce(before >= 5, true) order by quarter""",
    )
    quarters = [(trip.tripped.year, (trip.tripped.month + 2) // 3) for trip in trips if trip.tripped]
    assert [(f"{year}-Q{number}",) for year, number in quarters] == begun != []
    assert {trip.subject for trip in trips} == {"market:gdp"}


def test_a_rate_that_only_falls_is_silent(backtest: Backtest, tmp_path: Path) -> None:
    monthly = [row for row in rows_of("macro_cn_lpr.csv") if row["date"] >= "2024"]
    rises = """with known as (select value ->> 'date' as day, value ->> 'lpr_1y_pct' as one,
        value ->> 'lpr_5y_pct' as five from json_each(?))
        select count(*) from (select one - lag(one) over (order by day) as one_more,
        five - lag(five) over (order by day) as five_more from known) where one_more > 0 or five_more > 0"""
    assert asked(monthly, rises) == [(0,)]
    assert backtest(excerpt(tmp_path, monthly), "lpr_map.yml") == []
