"""A simulated FreeSWITCH: it speaks the event socket's bytes, in virtual or real time, with callers and phones.

``SimServer`` and ``GeventScheduler`` live in their own modules, so that a simulation in virtual time needs no gevent.
"""

from cti.sim.caller import Caller
from cti.sim.channel import Channel
from cti.sim.dialplan import centre_dialplan
from cti.sim.faults import Faults
from cti.sim.phone import ANSWERS, Behaviour, Phone, Phones
from cti.sim.scheduler import Handle, Scheduler, VirtualScheduler
from cti.sim.session import Session
from cti.sim.switch import SimulatedSwitch
from cti.sim.traffic import Counters, Traffic
from cti.sim.trunk import Trunk, connect

__all__ = [
    "ANSWERS",
    "Behaviour",
    "Caller",
    "Channel",
    "Counters",
    "Faults",
    "Handle",
    "Phone",
    "Phones",
    "Scheduler",
    "Session",
    "SimulatedSwitch",
    "Traffic",
    "Trunk",
    "VirtualScheduler",
    "centre_dialplan",
    "connect",
]
