"""The worker's metrics beyond what every process has."""

from prometheus_client import Counter, Gauge

from service.metrics import seconds, sizes

READINGS = Counter("cityops_worker_readings", "Readings worked off", ["result"])
FRAMES = Counter("cityops_worker_frames", "Frames and ticks worked off")
BYTES = Counter("cityops_worker_bytes", "Bytes of the records worked off")
FRAME_READINGS = sizes("cityops_worker_frame_readings", "Readings of a frame")
FRAME_SECONDS = seconds("cityops_worker_frame_seconds", "Duration of working off one record")
LETTERS = Counter(
    "cityops_worker_dead_letters", "Records that could not be worked off, kept as letters", ["code"]
)
CORRECTIONS = Counter("cityops_worker_corrections", "Windows put out again, corrected")
POISON = Counter("cityops_worker_poison", "Records that are no frame", ["code"])
TRANSITIONS = Counter("cityops_worker_transitions", "Alert transitions", ["kind"])
OUTPUTS = Counter("cityops_worker_outputs", "Messages put out", ["kind"])
CHECKPOINT_SECONDS = seconds("cityops_worker_checkpoint_seconds", "Duration of one checkpoint")
CHECKPOINT_BYTES = Gauge("cityops_worker_checkpoint_bytes", "Bytes of the last checkpoint")
CHECKPOINT_AGE = Gauge("cityops_worker_checkpoint_age_seconds", "Time since the last checkpoint")
