"""The example as an operator copies it: started, called, used by another program, killed, and started again."""

from __future__ import annotations

import shutil
from pathlib import Path

from cti.client import Client

EXAMPLE = Path(__file__).parents[2] / "examples" / "daemon"


def test_a_shift_by_the_example(running):
    for user in ("1001", "1002", "1003"):
        running.phones(user)
    for name in ("centre.toml", "centre_scripts.py"):
        shutil.copy(EXAMPLE / name, running.directory / name)
    text = running.file.read_text().replace(":8100", ":*").replace(":8101", ":*").replace(":8080", ":0")
    running.file.write_text(text.replace('format = "auto"', 'format = "json"'))
    host, port = running.server.address
    environ = {
        "FREESWITCH_ADDRESS": f"{host}:{port}",
        "FREESWITCH_PASSWORD": "ClueCon",
        "RUNTIME_DIRECTORY": str(running.directory),
        "STATE_DIRECTORY": str(running.directory),
    }
    running.ready(**environ)
    assert (running.directory / "control").exists()
    running.switch.incoming(called_number="5001", talk_s=0.1)
    assert running.said("Established")["agent"] == "carol"
    running.said("CallCleared")
    with Client(running.said("the API listens")["requests"]) as client:
        client.agent("alice").log_on(ready=True)
        talking = running.switch.incoming(calling_number="139", called_number="5002")
        assert running.said("Established", count=2)["agent"] == "alice"
        assert client.agent("alice").view.state == "busy"
    running.kill()
    running.ready(**environ)
    assert not talking.ended
    assert any((running.directory / "journal").iterdir()), "no journal was written"
    with Client(running.said("the API listens")["requests"]) as client:
        client.agent("alice").log_on(ready=True)
        assert client.agent("alice").view.state == "busy"
        talking.hang_up()
        running.until("alice is ready again", lambda: client.agent("alice").view.state != "busy")
