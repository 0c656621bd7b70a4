"""The daemon: a call centre that runs by a configuration file, is reloaded, and is stopped without losing a call."""

from cti.daemon.change import Change, change
from cti.daemon.daemon import Daemon

__all__ = ["Change", "Daemon", "change"]
