"""What a password may be, and how many wrong ones are heard."""

import threading

import pytest

from console.login_limits import (
    MOST_KEPT,
    PER_ACCOUNT,
    PER_ADDRESS,
    PER_BROWSER,
    PER_PAIR,
    WINDOW_S,
    LoginLimits,
    Try,
    network_of,
)
from console.passwords import PasswordError, check_password, fits, hash_password


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short", "short"),
        ("   a b c   ", "short"),
        ("x" * 201, "long"),
        ("aaaaaaaaaa", "simple"),
        ("1234567890", "simple"),
        ("9876543210", "simple"),
        ("abcdefghijkl", "simple"),
        ("qwertyuiop", "simple"),
        ("1q2w3e4r5t", "simple"),
        ("1qaz2wsx3edc", "simple"),
        ("abcXabcXabcX", "simple"),
        ("5201314520", "simple"),
        ("qwerty123456", "simple"),
        ("Password123!", "usual"),
        ("P@ssw0rd123", "usual"),
        ("Admin@123456", "usual"),
        ("woaini1314520", "usual"),
        ("Chengdu2026!", "usual"),
        ("Li-Wei-is-here", "name"),
        ("my-l1-wei-secret", "name"),
    ],
)
def test_a_password_that_would_be_guessed_is_refused(password: str, code: str) -> None:
    with pytest.raises(PasswordError) as refused:
        check_password("li-wei", password)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "password",
    ["correct horse battery", "Zk3-vR8w.pQ", "涪城路水泵站值班员一二三", "gT5-Sommer-Regen"],
)
def test_a_sound_password_is_taken(password: str) -> None:
    check_password("li-wei", password)
    with pytest.raises(PasswordError):
        check_password("li-wei", password, old=password)
    stored = hash_password(password)
    assert fits(stored, password)
    assert not fits(stored, password + "x")
    assert not fits(None, password)


class Time:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def admitted(limits: LoginLimits, attempt: Try, times: int) -> int:
    return sum(limits.admit(attempt) for _ in range(times))


def test_limits_by_pair_address_and_account() -> None:
    clock = Time()
    limits = LoginLimits(clock)
    assert admitted(limits, Try("a", "192.0.2.1"), 99) == PER_PAIR
    assert admitted(limits, Try("A ", "192.0.2.1"), 9) == 0, "the same name"
    spread = sum(limits.admit(Try(f"b{n}", "192.0.2.1")) for n in range(99))
    assert spread == PER_ADDRESS - PER_PAIR
    wide = sum(limits.admit(Try("c", f"198.51.100.{n}")) for n in range(200))
    assert wide == PER_ACCOUNT
    known = Try("c", "203.0.113.1", trust="address")
    assert limits.admit(known), "an address that the owner has used goes on"
    clock.now += WINDOW_S + 1
    assert admitted(limits, Try("a", "192.0.2.1"), 99) == PER_PAIR


def test_a_known_browser_counts_for_itself_alone() -> None:
    limits = LoginLimits(Time())
    for n in range(PER_ADDRESS):
        limits.admit(Try(f"n{n}", "192.0.2.1"))
    own = Try("a", "192.0.2.1", "browser", "browser")
    assert admitted(limits, own, 99) == PER_BROWSER


def test_a_right_password_forgives_what_came_before() -> None:
    limits = LoginLimits(Time())
    attempt = Try("a", "192.0.2.1")
    for _ in range(PER_ADDRESS * 2):
        assert limits.admit(attempt)
        limits.forgive(attempt)
    assert admitted(limits, attempt, PER_PAIR - 1) == PER_PAIR - 1
    assert limits.admit(attempt)
    limits.forgive(attempt)
    assert admitted(limits, attempt, 99) == PER_PAIR


def test_tries_at_once_are_counted_before_the_password_is_looked_at() -> None:
    limits, results = LoginLimits(Time()), list[bool]()

    def admit() -> None:
        results.append(limits.admit(Try("a", "192.0.2.1")))

    threads = [threading.Thread(target=admit, daemon=True) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results.count(True) == PER_PAIR


def test_memory_is_bounded_and_a_network_is_one_address() -> None:
    limits = LoginLimits(Time())
    for n in range(MOST_KEPT + 500):
        limits.admit(Try(f"n{n}", f"2001:db8:{n % 65536:x}:{n // 65536:x}::1"))
    assert len(limits._failures) <= MOST_KEPT  # pyright: ignore[reportPrivateUsage]
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:1")
    assert network_of("2001:db8:0:1::1") != network_of("2001:db8::1")
    assert network_of("::ffff:192.0.2.1") == "192.0.2.1"
    assert network_of("no address") == "no address"
