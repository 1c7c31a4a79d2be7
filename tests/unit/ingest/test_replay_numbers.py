"""Numbers of files: marks, missing values and units are declared, or refused by name."""

from pathlib import Path

import pytest

from catalog.errors import FatalError
from catalog.registry import streams
from ingest.replay.numbers import Numbers
from ingest.replay.units import conversion
from tests.unit.ingest.files import noise_map, replayed


@pytest.mark.parametrize(
    ("decimal", "thousands", "cell", "number"),
    [
        (".", "", "-5.5e1", -55.0),
        (",", "", "50,5", 50.5),
        (",", "", "51", 51.0),
        (",", ".", "1.234,5", 1234.5),
        (",", ".", "1234,5", 1234.5),
        (".", ",", "1,234,567", 1234567.0),
        (".", ",", "-1,234.5", -1234.5),
        (".", " ", "1\u202f234.5", 1234.5),
        (",", " ", "12 345,6", 12345.6),
        (".", "'", "1'234", 1234.0),
    ],
)
def test_marks_are_read_as_declared(decimal: str, thousands: str, cell: str, number: float) -> None:
    assert Numbers(decimal, thousands, ()).read(cell) == number


@pytest.mark.parametrize(
    ("decimal", "thousands", "cell"),
    [
        (".", "", "1,234"),
        (".", "", "1_000"),
        (".", "", "٥"),
        (".", "", "inf"),
        (",", "", "50.5"),
        (",", ".", "12.34"),
        (".", ",", "1,23"),
        (".", ",", "1234,567"),
        (".", ",", ",123"),
        (".", "", "< 0.5"),
    ],
)
def test_other_marks_are_no_numbers(decimal: str, thousands: str, cell: str) -> None:
    with pytest.raises(ValueError, match="is no number"):
        Numbers(decimal, thousands, ()).read(cell)


@pytest.mark.parametrize("cell", ["-999", "-999.00", "-9.99e2", "Ausfall", "AUSFALL ", "NaN", ""])
def test_sentinels_are_compared_as_numbers_and_words_without_case(cell: str) -> None:
    assert Numbers(".", "", ("-999", "ausfall")).read(cell) is None
    assert Numbers(".", "", ("-999", "ausfall")).read("-99") == -99.0


def of_cells(folder: Path, *cells: str, top: str = "") -> list[float]:
    text = "timestamp;value\n"
    text += "".join(f"2015-09-01 11:{i:02}:00;{cell}\n" for i, cell in enumerate(cells))
    return replayed(folder, text, noise_map(folder, top=top)).values


@pytest.mark.parametrize(
    ("cells", "top", "says"),
    [
        (("0", "0", "0", "0,5", "0", "0,2"), "", 'write decimal = ","'),
        (("1,200", "1,300", "900"), "", 'thousands = "," or decimal = ","'),
        (("50.5", "51.5", "50"), 'decimal = ","', 'take decimal = "," out'),
    ],
)
def test_a_file_of_another_mark_stops_with_advice(
    tmp_path: Path, cells: tuple[str, ...], top: str, says: str
) -> None:
    with pytest.raises(FatalError, match=says):
        of_cells(tmp_path, *cells, top=top)


def test_single_odd_cells_do_not_stop_a_file(tmp_path: Path) -> None:
    assert of_cells(tmp_path, "50", "5,5", "51") == [50.0, 51.0]
    assert of_cells(tmp_path, "50.5", "5,5", "5,6", "51.5", "52.5") == [50.5, 51.5, 52.5]


@pytest.mark.parametrize(
    ("unit", "wanted", "scale", "offset"),
    [
        ("kPa", "MPa", 0.001, 0.0),
        ("kPa", "hPa", 10.0, 0.0),
        ("mH2O", "MPa", 0.00980665, 0.0),
        ("bar", "MPa", 0.1, 0.0),
        ("mph", "km/h", 1.609344, 0.0),
        ("L/s", "m³/h", 3.6, 0.0),
        ("m3/h", "m³/h", 1.0, 0.0),
        ("ug/m3", "mg/m³", 0.001, 0.0),
        ("μg/m³", "µg/m³", 1.0, 0.0),
        ("mg/L", "µg/m³", 1e6, 0.0),
        ("℃", "°C", 1.0, 0.0),
        ("K", "°C", 1.0, -273.15),
        ("°C", "K", 1.0, 273.15),
        ("cm", "m", 0.01, 0.0),
        ("厘米", "m", 0.01, 0.0),
        ("V", "kV", 0.001, 0.0),
        ("1", "%", 100.0, 0.0),
        ("dB(A)", "dB(A)", 1.0, 0.0),
    ],
)
def test_units_become_the_metric_s(unit: str, wanted: str, scale: float, offset: float) -> None:
    assert conversion(unit, wanted) == (scale, offset)


def test_fahrenheit_is_celsius() -> None:
    scale, offset = conversion("°F", "°C")
    assert [round(f * scale + offset, 9) for f in (32, 212, -40)] == [0.0, 100.0, -40.0]


@pytest.mark.parametrize(
    ("unit", "wanted", "says"),
    [
        ("ppb", "µg/m³", "depends on the gas"),
        ("dB", "dB(A)", "not weighted"),
        ("kPa", "m", "cannot become m; known: µm, mm, cm"),
        ("mW", "MW", "cannot become MW"),
        ("cubits", "m", "cannot become m"),
    ],
)
def test_other_units_are_refused_by_name(unit: str, wanted: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        conversion(unit, wanted)


def test_every_unit_of_the_catalog_is_known_to_itself() -> None:
    for stream in streams().values():
        for metric in stream.metrics:
            assert conversion(metric.unit, metric.unit) == (1.0, 0.0)


def test_a_map_converts_or_says_why_not(tmp_path: Path) -> None:
    with pytest.raises(FatalError, match=r"map .*dB is no dB"):
        noise_map(tmp_path, value='{ column = "value", unit = "dB" }')
    with pytest.raises(FatalError, match="not both"):
        noise_map(tmp_path, value='{ column = "value", unit = "dB(A)", scale = 2 }')
    with pytest.raises(FatalError, match="the same mark"):
        noise_map(tmp_path, top='decimal = ","\nthousands = ","')
