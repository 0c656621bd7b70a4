"""Where numbers are from, and that no caller can make the look-up raise or grow."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers.geodata import GEOCODE_DATA

from cti.errors import ConfigurationError
from cti.plan.provinces import PROVINCES
from cti.plan.region import NOWHERE, NUMBER_TYPES, Regions


@pytest.fixture(scope="module")
def regions():
    return Regions("CN", language="zh")


@pytest.mark.parametrize(
    "number",
    ["13800138000", "013800138000", "8613800138000", "008613800138000", "+8613800138000", "138-0013-8000"],
)
def test_one_number_however_it_comes(regions, number):
    found = regions.of(number)
    assert (found.e164, found.country, found.code, found.kind) == ("+8613800138000", "CN", "CN-BJ", "mobile")
    assert found.time_zones == ("Asia/Shanghai",)


@pytest.mark.parametrize(
    ("number", "told", "kind", "names"),
    [
        ("02088886666", "CN-GD (Guangzhou, Guangdong)", "fixed line", ["CN", "CN-44", "cn-gd", "Guangzhou", "广东*"]),
        ("4008001234", "CN", "shared cost", ["CN"]),
        ("8008201234", "CN", "toll free", ["CN"]),
        ("+85221234567", "HK", "fixed line", ["HK"]),
        ("+16502530000", "US-CA (Mountain View, CA)", "fixed line or mobile", ["US-CA", "Mountain*"]),
        ("+14162530000", "CA-ON (Etobicoke, ON)", "fixed line or mobile", ["CA", "ca-on"]),
        ("+442079460000", "GB (London)", "fixed line", ["London"]),
        ("+80012345678", "unknown", "toll free", []),
    ],
)
def test_numbers_of_the_world(regions, number, told, kind, names):
    found = regions.of(number)
    assert (str(found), found.kind) == (told, kind)
    assert all(map(found.is_called, names))


def test_california_is_not_canada(regions):
    assert not regions.of("+16502530000").is_called("CA")


@pytest.mark.parametrize(
    "number",
    [
        *("", "anonymous", "Anonymous", "unavailable", "0000", "1001", "5", "95511", "+", "-", "+0000000000", "0" * 11),
        *("alice", "alice13800138000", "sip:alice@example.com", "13800138000@example.com", "tel:+8613800138000"),
        *(
            "138\n00138000",
            "13800138000\x00",
            "\uff11\uff13\uff18\uff10\uff10138000",
            "١٣٨٠٠١٣٨٠٠٠",
            "\ud800",
            "%n%s",
            "1" * 100_000,
        ),
        *("+86" + "1" * 60, "1-800-FLOWERS", "13800138000 ext 5", "((((((((", "' or 1=1 --"),
    ],
)
def test_what_is_no_number_is_from_nowhere(regions, number):
    assert regions.of(number) is NOWHERE
    assert regions.e164(number) == number
    assert not NOWHERE.is_called("CN")
    assert str(NOWHERE) == NOWHERE.kind == "unknown"


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=50) | st.from_regex(r"\A\+?[0-9 ().\-]{0,44}\Z") | st.integers(0, 10**20).map("+{}".format))
def test_nothing_that_is_sent_raises(number):
    found = Regions("US", remembered=4).of(number)
    assert found.kind in NUMBER_TYPES
    assert (found.e164 == "") is (found is NOWHERE)


def test_what_is_kept_is_bounded():
    regions = Regions("CN", remembered=3)
    for last in range(10):
        regions.of(f"1380013800{last}")
        regions.of("x" * last)
    assert regions._kept.cache_info().currsize == 3


def test_every_place_in_china_is_in_a_province_we_know():
    found = {
        names["en"].rpartition(", ")[2]
        for number, names in GEOCODE_DATA.items()
        if number.startswith("86") and "en" in names
    }
    assert found == set(PROVINCES)


@pytest.mark.parametrize("country", ["", "cn", "China", "XX", None])
def test_a_country_that_is_unknown(country):
    with pytest.raises(ConfigurationError, match=r"country .* is unknown"):
        Regions(country)


def test_repr():
    assert repr(Regions("CN")) == "<Regions of CN>"
