"""Feeds: declarations, tags and lifetimes, and answers as outside bindings read them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.transit import gtfs_realtime_pb2 as pb
from hypothesis import given
from hypothesis import strategies as st

from catalog.base import text
from catalog.feed import DeviceStates, Feed, Grade, GtfsAlerts, Kind, LinkStates, feeds
from console.public_rate import BURST, MOST_KEPT, PER_MINUTE, PublicRate
from exchange import gtfs_rt
from exchange.gtfs_rt import Told
from exchange.snapshot import Snapshot, Snapshots, unchanged

NOW = datetime(2026, 7, 1, tzinfo=UTC)
ALERTS = feeds()["traffic_alerts"].shows
KINDS = [Kind(cause="WEATHER", effect="DETOUR"), Kind(cause="CONSTRUCTION", effect="NO_EFFECT")]
WORDS = st.text(max_size=60).filter(lambda t: t.isprintable())
TOLD = st.builds(
    Told,
    id=st.text("abc-0123456789", min_size=1, max_size=20),
    since=st.integers(0, 2**40),
    kind=st.sampled_from(KINDS),
    severity=st.sampled_from(["WARNING", "SEVERE"]),
    header=st.builds(text, WORDS, WORDS),
    description=st.builds(text, WORDS, WORDS),
)


def shows() -> GtfsAlerts:
    assert isinstance(ALERTS, GtfsAlerts)
    return ALERTS


@given(st.lists(TOLD, max_size=5, unique_by=lambda one: one.id))
def test_outside_bindings_read_back_what_is_told(told: list[Told]) -> None:
    feed = pb.FeedMessage.FromString(gtfs_rt.message(shows(), told, NOW))
    assert feed.IsInitialized()
    head = feed.header
    assert (head.gtfs_realtime_version, head.timestamp) == ("2.0", int(NOW.timestamp()))
    assert head.incrementality == pb.FeedHeader.FULL_DATASET
    assert [entity.id for entity in feed.entity] == [one.id for one in told]
    for entity, one in zip(feed.entity, told, strict=True):
        alert = entity.alert
        assert [e.agency_id for e in alert.informed_entity] == ["chengdu-traffic"]
        assert pb.Alert.Cause.Name(alert.cause) == one.kind.cause
        assert pb.Alert.Effect.Name(alert.effect) == one.kind.effect
        assert pb.Alert.SeverityLevel.Name(alert.severity_level) == one.severity
        assert alert.active_period[0].start == one.since
        said = {t.language: t.text for t in alert.description_text.translation}
        assert said == {"zh-CN": one.description.zh, "en": one.description.en}
        assert len(alert.header_text.translation) == 2


def test_the_words_of_a_kind_are_those_of_the_specification() -> None:
    fields = Kind.model_fields
    for name, of in (("cause", pb.Alert.Cause), ("effect", pb.Alert.Effect)):
        assert {*fields[name].annotation.__args__} == {*of.keys()}  # type: ignore[union-attr]


def test_the_tag_does_not_tell_the_time() -> None:
    told = [Told("a", 1, KINDS[0], "WARNING", text("一", "1"), text("二", "2"))]
    later = NOW + timedelta(hours=1)
    assert gtfs_rt.message(shows(), told, NOW) != gtfs_rt.message(shows(), told, later)
    assert gtfs_rt.content(told) == gtfs_rt.content([replace(told[0])])
    assert gtfs_rt.content(told) != gtfs_rt.content([replace(told[0], severity="SEVERE")])


@pytest.mark.parametrize(
    ("header", "same"),
    [
        ("", False),
        ('W/"abc"', True),
        ('"abc"', True),
        ('"x", W/"abc"', True),
        (' "x" ,"abc" ', True),
        ("*", True),
        ("abc", False),
        ('W/"abcd"', False),
        ('w/"abc"', False),
        ("\x00", False),
    ],
)
def test_tags_are_compared_weakly(header: str, same: bool) -> None:
    assert unchanged('W/"abc"', header) is same


def test_an_answer_is_made_once_in_its_time() -> None:
    feed, kept, made = feeds()["link_states"], Snapshots(), list[datetime]()

    def ask(at: datetime) -> Snapshot:
        def make() -> Snapshot:
            made.append(at)
            return Snapshot(b"", "", "", at, at + timedelta(seconds=feed.ttl_s))

        return kept.get(feed, at, make)

    first = ask(NOW)
    assert ask(NOW + timedelta(seconds=59)) is first
    assert ask(NOW + timedelta(seconds=60)).made_at == NOW + timedelta(seconds=60)
    assert ask(NOW).made_at == NOW  # a clock that was set back keeps nothing for ever
    assert len(made) == 3


def test_one_that_cannot_be_made_is_asked_for_again() -> None:
    kept, feed = Snapshots(), feeds()["link_states"]

    def fail() -> Snapshot:
        raise OSError("database away")

    with pytest.raises(OSError):
        kept.get(feed, NOW, fail)
    good = Snapshot(b"", "", "", NOW, NOW + timedelta(seconds=1))
    assert kept.get(feed, NOW, lambda: good) is good


def test_the_rate_refills_and_is_counted_by_subscriber() -> None:
    now = [0.0]
    rate = PublicRate(lambda: now[0])
    assert [rate.wait_s("10.0.0.1") for _ in range(BURST)] == [0.0] * BURST
    assert rate.wait_s("10.0.0.1") == pytest.approx(60 / PER_MINUTE)
    assert rate.wait_s("10.0.0.2") == 0.0
    now[0] += 60 / PER_MINUTE
    assert rate.wait_s("10.0.0.1") == 0.0 and rate.wait_s("10.0.0.1") > 0
    for _ in range(BURST):
        rate.wait_s("2001:db8::1")
    assert rate.wait_s("2001:db8::ffff") > 0  # the same network
    for n in range(MOST_KEPT + 5):
        rate.wait_s(f"x{n}")
    assert len(rate._left) == MOST_KEPT


LINKS = {"network": "roads", "grades": ({"name": "a", "title": text("甲", "A"), "least": 0.0},)}


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        ({"format": "geojson"} | LINKS | {"network": "canals"}, "no network 'canals'"),
        ({"format": "vms-json", "device": "lamp"}, "no devices of kind 'lamp'"),
        ({"record": "task"}, "no public record 'task'"),
        ({"states": ("cleared",)}, "no open state 'cleared'"),
        ({"by": "details"}, "'details' is no public choice"),
        ({"kinds": {}}, "kinds says nothing of accident"),
        ({"kinds": {"quake": Kind(cause="WEATHER", effect="DETOUR")}}, "'quake' is no category"),
        ({"severe": ("lanes", ("five",))}, "'five' is no lanes"),
    ],
)
def test_a_wrong_feed_says_what_is_wrong(shown: dict[str, Any], said: str) -> None:
    if "format" not in shown:
        view = shows().of[0].model_copy(update=shown)
        shown = {"format": "gtfs-rt", "agency": "a", "of": (view.model_dump(),)}
    with pytest.raises(ValueError, match=said):
        Feed.model_validate(
            {"name": "x", "title": text("甲", "A"), "shows": shown, "ttl_s": 30, "licence": "x"}
        )


def test_grades_fall_to_zero() -> None:
    grade = Grade(name="a", title=text("甲", "A"), least=0.5)
    for grades in ((grade,), (grade, grade.model_copy(update={"least": 0.7}))):
        with pytest.raises(ValueError, match="go down to 0"):
            LinkStates(network="roads", grades=grades)
    assert isinstance(feeds()["sign_states"].shows, DeviceStates)
