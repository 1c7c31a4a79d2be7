"""Development bars on public series, which stay beside the project (docs/forecasts.md)."""

from pathlib import Path

import pytest

from deploy.paths import ROOT
from forecasts.backtest_command import MAPS, score_file, total
from forecasts.outside import Outside, read_csv

DATA = ROOT.parent / "shared" / "data"
LEADS_H = (1, 6, 24)
SETS = {
    "grid/ETTh1.csv": ("", (0.30, 0.15, 0.08)),
    "air/PRSA_Gucheng.csv": ("prsa_air", (0.30, 0.15, 0.08)),
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason="public series are not beside the project"),
]


@pytest.mark.parametrize("name", SETS)
def test_forecasts_beat_the_naive_day_and_their_bands_hold(name: str) -> None:
    map_, bars = SETS[name]
    file: Path = DATA / name
    rows = {row["lead_h"]: row for row in total(score_file(_read(file, map_)))}
    for lead_h, bar in zip(LEADS_H, bars, strict=True):
        row = rows[lead_h]
        assert row["gain_on_seasonal"] >= bar, lead_h
        assert row["worst_on_better_naive"] <= 1.02, lead_h
        assert 0.77 <= row["cover80"] <= 0.83, lead_h
        assert 0.925 <= row["cover95"] <= 0.97, lead_h


def _read(file: Path, map_: str) -> Outside:
    return read_csv(file, MAPS / f"{map_}.toml" if map_ else None)
