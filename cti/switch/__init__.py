"""The FreeSWITCH adapter: events to facts, intents to commands, over links that are kept up."""

from cti.switch.event_fact import BridgeAt
from cti.switch.freeswitch import FreeSwitch
from cti.switch.link import Link

__all__ = ["BridgeAt", "FreeSwitch", "Link"]
