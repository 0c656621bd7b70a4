"""A configuration as it was read: values only, nothing of it is running."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from cti.api import DefinedRole
from cti.config.problem import Problem
from cti.config.routes import Routes
from cti.config.service_tables import Services
from cti.config.settings import ApiSettings, CentreSettings, DaemonSettings, LogSettings, SwitchSettings
from cti.model.agent import AgentSettings
from cti.model.ids import AgentId, QueueId
from cti.model.party import Destination
from cti.model.queue import QueueSettings


@frozen
class Configuration:
    """What ``centre.toml`` says.

    Args:
        file: where it was read.
        switches: the FreeSWITCH, or several; at least one.
        centre: the call centre as a whole.
        daemon: the process.
        log: the log.
        services: what there is around the calls: state, journal, web, webhooks, alarms, audit, recordings.
        api: the interface for other programs, None for none.
        roles: the operator's own, which keys and accounts may have, by name.
        queues: by name, in an order in which they can be defined: where a queue's calls overflow to comes before it.
        agents: by name.
        log_on: who is logged on at the start, and whether ready.
        routes: where calls go.
        destinations: which numbers agents may have called, and how.
        warnings: what probably does not do what was meant.
    """

    file: Path
    switches: tuple[SwitchSettings, ...]
    centre: CentreSettings
    daemon: DaemonSettings
    log: LogSettings
    services: Services
    api: ApiSettings | None
    roles: Mapping[str, DefinedRole]
    queues: Mapping[QueueId, QueueSettings]
    agents: Mapping[AgentId, AgentSettings]
    log_on: Mapping[AgentId, bool]
    routes: Routes
    destinations: tuple[Destination, ...] = ()
    warnings: tuple[Problem, ...] = ()

    @property
    def addresses(self) -> str:
        """The switches' event sockets, with their names where there are several; for people to read."""
        return ", ".join(f"{each.name} {each.address}".lstrip() for each in self.switches)
