"""Trunks on a real FreeSWITCH: gateways that register or are pinged, whose carrier is there, goes and comes back."""

from __future__ import annotations

from collections.abc import Iterator

import gevent
import pytest

from cti import events
from cti.alarms import Alarm, AlarmSettings, AlarmWatch, kinds
from cti.model.states import DeviceState

from .carrier import Carrier
from .freeswitch_process import FreeSwitchProcess
from .ports import free_ports
from .test_line import Watch, centre_on

pytestmark = pytest.mark.live

_GATEWAYS = """<profile name="callers">
  <gateways>
    <gateway name="registering">
      <param name="proxy" value="127.0.0.1:{registering}"/>
      <param name="username" value="u"/><param name="password" value="p"/>
      <param name="retry-seconds" value="5"/><param name="timeout-seconds" value="5"/>
      <param name="expire-seconds" value="20"/>
    </gateway>
    <gateway name="pinged">
      <param name="proxy" value="127.0.0.1:{pinged}"/>
      <param name="register" value="false"/><param name="ping" value="5"/>
      <param name="ping-max" value="1"/><param name="ping-min" value="1"/>
    </gateway>
    <gateway name="unwatched">
      <param name="proxy" value="127.0.0.1:{pinged}"/><param name="register" value="false"/>
    </gateway>
  </gateways>
"""


@pytest.fixture
def watch(switch: FreeSwitchProcess) -> Iterator[Watch]:
    with centre_on(switch) as made:
        made.centre.subscribe(made.said.append, events.TrunkStatus, Alarm)
        made.centre.start()
        yield made


@pytest.fixture
def ports(switch: FreeSwitchProcess) -> Iterator[tuple[int, int]]:
    """The ports at which the carriers of two gateways are to answer; nobody does yet. The gateways are removed after."""
    registering, pinged = free_ports(2)
    profile = switch.configuration / "sip_profiles" / "callers.xml"
    before = profile.read_text()
    yield registering, pinged
    profile.write_text(before)
    with switch.connect() as control:
        control.api("reloadxml")
        control.api("sofia profile callers killgw _all_")
        for _ in range(200):
            if "<gateway>" not in control.api("sofia xmlstatus gateway"):
                break
            gevent.sleep(0.1)


def configure(switch: FreeSwitchProcess, registering: int, pinged: int) -> None:
    """Give the switch its gateways while it runs."""
    profile = switch.configuration / "sip_profiles" / "callers.xml"
    head, _, rest = profile.read_text().partition('<profile name="callers">')
    profile.write_text(head + _GATEWAYS.format(registering=registering, pinged=pinged) + rest)
    with switch.connect() as control:
        control.api("reloadxml")
        control.api("sofia profile callers rescan")


def states(watch: Watch) -> dict[str, DeviceState]:
    [view] = watch.centre.switch_views()
    return {each.id: each.state for each in view.trunks}


def alarms(watch: Watch, trunk: str) -> list[str]:
    return [one.state for one in watch.of(Alarm, name=kinds.TRUNK_DOWN) if one.subject.endswith(f"/{trunk}")]


def test_gateways_are_seen_to_come_go_and_come_back(watch, switch, ports, monkeypatch):
    settled = {name: kind.__class__(kind.grade, 0, 0, kind.suggestion) for name, kind in kinds.KINDS.items()}
    monkeypatch.setattr("cti.alarms.settings.KINDS", settled)
    alarm_watch = AlarmWatch(AlarmSettings(every_s=0.2, off=(kinds.UNSTAFFED,)))
    alarm_watch.start(watch.centre)
    configure(switch, *ports)
    down = watch.wait_for(events.TrunkStatus, 30, trunk="registering", status="out of service")
    watch.until("the pinged one is down", lambda: watch.of(events.TrunkStatus, trunk="pinged"), 60)
    assert states(watch) == {
        "registering": DeviceState.OUT_OF_SERVICE,
        "pinged": DeviceState.OUT_OF_SERVICE,
        "unwatched": DeviceState.IN_SERVICE,
    }
    assert down.detail.startswith("registration "), down
    watch.until("alarms", lambda: alarms(watch, "registering") == alarms(watch, "pinged") == ["raised"])
    with Carrier(ports[0]) as registrar, Carrier(ports[1]) as pinged:
        watch.wait_for(events.TrunkStatus, 60, trunk="registering", status="in service")
        watch.wait_for(events.TrunkStatus, 60, trunk="pinged", status="in service")
        watch.until(
            "no alarm", lambda: alarms(watch, "registering") == alarms(watch, "pinged") == ["raised", "cleared"]
        )
        assert set(registrar.requests) == {"REGISTER"}
        assert set(pinged.requests) == {"OPTIONS"}
        registrar.status = "403 Forbidden"
        watch.until("refused", lambda: len(watch.of(events.TrunkStatus, trunk="registering")) == 3, 60)
        assert "403" in watch.of(events.TrunkStatus, trunk="registering")[-1].detail
    with switch.connect() as control:
        control.api("sofia profile callers killgw unwatched")
    watch.until("one is gone", lambda: "unwatched" not in states(watch), 30)
    alarm_watch.stop()


def test_what_happened_while_the_link_was_down_is_found_out(watch, switch, ports):
    with Carrier(ports[0]), Carrier(ports[1]):
        configure(switch, *ports)
        watch.until("up", lambda: states(watch).get("registering") is DeviceState.IN_SERVICE, 30)
        socket = watch.centre.switch._socket
        for link in (socket._events, socket._commands):
            link.close()
        with switch.connect() as control:
            control.api("sofia profile callers killgw registering")
        watch.until("the link is back", lambda: socket.connected)
        watch.until("it is gone", lambda: "registering" not in states(watch), 30)
