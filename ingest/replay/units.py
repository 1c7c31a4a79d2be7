"""Units that a map may name: how a number in one becomes a number in the metric's."""

import unicodedata
from fractions import Fraction

OF = {
    "pressure": "Pa=1 hPa=100 mbar=100 kPa=1000 MPa=1000000 bar=100000 mmHg=133.322387415 "
    "psi=6894.757293168 mH2O=9806.65 atm=101325",
    "length": "µm=0.000001 mm=0.001 cm=0.01 dm=0.1 m=1 km=1000 in=0.0254 ft=0.3048 mi=1609.344",
    "speed": "m/s=1 km/h=1/3.6 mph=0.44704 kn=1852/3600 cm/s=0.01",
    "flow": "m³/s=1 m³/h=1/3600 m³/min=1/60 m³/d=1/86400 L/s=0.001 L/min=1/60000 L/h=1/3600000",
    "concentration": "µg/m³=1 ng/m³=0.001 mg/m³=1000 g/m³=1000000 µg/L=1000 mg/L=1000000 "
    "g/L=1000000000",
    "voltage": "mV=0.001 V=1 kV=1000",
    "current": "mA=0.001 A=1 kA=1000",
    "power": "W=1 kW=1000 MW=1000000 GW=1000000000",
    "reactive power": "var=1 kvar=1000 Mvar=1000000",
    "frequency": "mHz=0.001 Hz=1 kHz=1000",
    "time": "ms=0.001 s=1 min=60 h=3600 d=86400",
    "share": "1=1 %=0.01 ‰=0.001",
    "irradiance": "W/m²=1 kW/m²=1000",
    "traffic": "veh/h=1 veh/min=60 veh/s=3600",
    "angle": "°=1",
    "frequency change": "Hz/s=1 mHz/s=0.001",
}
"""Units of a quantity, each with its size in one of them."""
TEMPERATURE = {
    "°C": (Fraction(1), Fraction(0)),
    "K": (Fraction(1), Fraction("-273.15")),
    "°F": (Fraction(5, 9), Fraction(-160, 9)),
}
"""Factor and offset to °C."""
ALIASES = {
    "degC": "°C", "C": "°C", "摄氏度": "°C", "degF": "°F", "F": "°F", "deg": "°", "度": "°",
    "kmh": "km/h", "km/hr": "km/h", "kph": "km/h", "kt": "kn", "knots": "kn", "mi/h": "mph",
    "l/s": "L/s", "lps": "L/s", "l/min": "L/min", "l/h": "L/h", "m3/hr": "m³/h", "cms": "m³/s",
    "mH₂O": "mH2O", "mWC": "mH2O", "帕": "Pa", "千帕": "kPa", "兆帕": "MPa", "百帕": "hPa",
    "毫米": "mm", "厘米": "cm", "米": "m", "千米": "km", "公里": "km", "公里/小时": "km/h",
    "percent": "%", "kvolt": "kV", "伏": "V", "千伏": "kV", "安": "A", "兆瓦": "MW", "千瓦": "kW",
    "赫兹": "Hz", "秒": "s", "分钟": "min", "小时": "h", "毫秒": "ms", "hr": "h", "sec": "s",
    "ppmv": "ppm", "mg/l": "mg/L", "ug/l": "µg/L",
}  # fmt: skip


def _size(text: str) -> Fraction:
    top, _, bottom = text.partition("/")
    return Fraction(top) / Fraction(bottom or "1")


def _plain(unit: str) -> str:
    """Return the unit in one spelling: micro, powers and the degree sign written one way."""
    folded = unicodedata.normalize("NFKC", unit).replace("μ", "u").replace("µ", "u")
    return "".join(folded.split()).replace("^", "").replace("℃", "°C")


SIZES: dict[str, tuple[str, Fraction]] = {
    _plain(name): (quantity, _size(size))
    for quantity, units in OF.items()
    for name, _, size in (word.partition("=") for word in units.split())
}
WARMTH = {_plain(name): values for name, values in TEMPERATURE.items()}
SPELLINGS = {_plain(name): _plain(unit) for name, unit in ALIASES.items()}
NEEDS_MORE = {
    "ppb": "a share of volume: what it is in mass depends on the gas and its temperature",
    "ppm": "a share of volume: what it is in mass depends on the gas and its temperature",
    "dB": "not weighted as dB(A) is",
    "FNU": "measured in another way than NTU",
}


def conversion(unit: str, wanted: str) -> tuple[float, float]:
    """Return scale and offset from ``unit`` to ``wanted``.

    ``ValueError`` in words when there is no such factor.
    """
    have, want = (SPELLINGS.get(_plain(u), _plain(u)) for u in (unit, wanted))
    if have == want:
        return 1.0, 0.0
    if have in WARMTH and want in WARMTH:
        (scale, offset), (scale_back, offset_back) = WARMTH[have], WARMTH[want]
        return float(scale / scale_back), float((offset - offset_back) / scale_back)
    if have in SIZES and want in SIZES and SIZES[have][0] == SIZES[want][0]:
        return float(SIZES[have][1] / SIZES[want][1]), 0.0
    if have in NEEDS_MORE:
        raise ValueError(f"{unit} is no {wanted}, it is {NEEDS_MORE[have]}; write scale and offset")
    known = ", ".join(_family(want)) or wanted
    raise ValueError(f"{unit} cannot become {wanted}; known: {known}; or write scale and offset")


def _family(unit: str) -> list[str]:
    if unit in WARMTH:
        return list(TEMPERATURE)
    quantity = SIZES[unit][0] if unit in SIZES else ""
    return [word.partition("=")[0] for word in OF.get(quantity, "").split()]
