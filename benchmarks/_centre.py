"""The centre that is measured, in a process of its own: ``_centre.py HOST:PORT PASSWORD AGENTS SIP_PORT DOORBELL``."""

from __future__ import annotations

import logging
import sys

import structlog

from cti import CallCenter


def main(switch: str, password: str, agents: int, sip_port: int, doorbell: str) -> None:
    """Queue every call to 5000 for any of the agents, without wrap-up, until ended by a signal."""
    # As a host would have it in production: warnings only, and not on the stream that says "ready".
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    centre = CallCenter(switch=switch, password=password, doorbell=doorbell)
    centre.add_queue("bench", requires={})
    for number in range(agents):
        name = f"a{number}"
        agent = centre.add_agent(name, contact=f"sofia/agents/{name}@127.0.0.1:{sip_port}", skills={}, wrap_up_s=0)
        agent.log_on(ready=True)

    @centre.on_call("5000")
    def enter(call):
        call.queue("bench")

    centre.start()
    print("ready", flush=True)
    centre.run_forever()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
