"""FreeSWITCH rings with each urgent event (mod_event_multicast), and nobody has to wake it by the clock."""

from __future__ import annotations

import gevent
import pytest

from cti import CallCenter, events

from .freeswitch_process import FreeSwitchProcess

pytestmark = pytest.mark.live


def test_the_doorbell_rings_and_whoever_relies_on_it_is_told_when_it_does_not(switch: FreeSwitchProcess):
    with switch.connect() as control:
        if control.api("module_exists mod_event_multicast").strip() != "true":
            pytest.skip("this FreeSWITCH has no mod_event_multicast")
        centre = CallCenter(switch=switch.address, password=switch.password, doorbell=switch.doorbell)
        came: list[str] = []
        centre.on(events.Queued)(lambda event: came.append(event.interaction))
        centre.add_queue("claims", requires={})
        centre.on_call("5*")(lambda call: call.queue("claims"))

        def call() -> None:
            before = len(came)
            control.api(
                "bgapi originate {ignore_early_media=true}"
                f"sofia/agents/5000@127.0.0.1:{switch.callers_port} &playback(silence_stream://-1)"
            )
            with gevent.Timeout(20):
                while len(came) == before:
                    gevent.sleep(0.01)

        centre.start()
        try:
            call()
            assert centre.switch.doorbell_rings
            control.api("unload mod_event_multicast")
            gevent.sleep(1.5)  # longer than a ring counts
            call()
            assert not centre.switch.doorbell_rings
            control.api("load mod_event_multicast")
            call()
            assert centre.switch.doorbell_rings
        finally:
            centre.stop()
            control.api("load mod_event_multicast")
