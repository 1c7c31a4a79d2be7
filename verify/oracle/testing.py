"""The tests of a reading in the reference, by what is declared, and what is set for its sensor."""

from catalog.model import Metric, Stream
from catalog.sensors import sensor as declared_sensor
from catalog.single import is_broken
from verify.oracle import quality
from verify.oracle.device import Device
from verify.oracle.overrides import Overrides
from verify.oracle.quality import Checked


class Testing:
    """The tests of one stream; a jump is seen between readings up to ``reach`` (µs) apart."""

    def __init__(self, stream: Stream, overrides: Overrides, reach: int) -> None:
        self._stream = stream
        self._overrides = overrides
        self._declared = {metric.name: metric for metric in stream.metrics}
        self._reach = reach

    def alone(self, device: Device, reading: Checked) -> None:
        """Test each value by itself."""
        for metric in self._metrics(device):
            x = reading.values.get(metric.name)
            if x is not None:
                said, trace = (
                    reading.values.get(f"{metric.name}_flag"),
                    device.traces.get(metric.name),
                )
                outside = trace.outside if trace else 0.0
                reading.tests[metric.name] = quality.alone_tests(metric, x, said, outside)

    def newest(self, device: Device, reading: Checked) -> None:
        """Test a newest reading, already tested alone, against what its sensor has shown."""
        compared: list[str] = []
        for metric in self._metrics(device):
            x, tests = reading.values.get(metric.name), reading.tests.get(metric.name)
            if x is None or tests is None or quality.is_failed(tests):
                continue
            empty = quality.new_trace(self._stream, metric)
            trace = device.traces.setdefault(metric.name, empty)
            quality.learn_span(metric, trace, x)
            cadence_s = self._stream.cadence_s
            tests |= quality.compare_tests(metric, trace, reading.at, x, self._reach, cadence_s)
            if metric.flat is not None:
                quality.leave_floor(trace, x)
            compared.append(metric.name)
        self.relations(device, reading)
        for name in compared:
            x = reading.values[name]
            assert x is not None
            quality.learn_step(self._declared[name], device.traces[name], reading.at, x)
            if quality.is_remembered(reading.tests[name]):
                quality.remember(device.traces[name], reading.at, x)

    def relations(self, device: Device, reading: Checked) -> None:
        """Test relations on the values that nothing has flagged so far."""
        known = declared_sensor(self._stream.name, device.name)
        names = self._stream.metric_names
        clean = {m: reading.values[m] for m in names if reading.is_good(m)}
        numbers = {**(known.attributes if known else {}), **clean}
        for relation in self._stream.relations:
            if is_broken(relation, numbers):
                for metric in relation.marks:
                    if metric in clean:
                        reading.tests[metric][relation.name] = relation.flag

    def _metrics(self, device: Device) -> list[Metric]:
        return [self._overrides.metric(device.name, metric) for metric in self._stream.metrics]
