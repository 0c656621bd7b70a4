"""Voice menus that a configuration names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from cti.config.script_reference import ScriptReference
from cti.ivr import Ivr, IvrTree
from cti.plan import Calendar


@frozen
class VoiceMenu:
    """A voice menu as it was read.

    Args:
        tree: what its file says.
        lookups: the functions that its nodes ask.
        calendars: the calendars there are.
    """

    tree: IvrTree
    lookups: Mapping[str, ScriptReference]
    calendars: Mapping[str, Calendar]

    def load(self) -> Callable[..., Any]:
        """The menu as a script. Imports its look-ups; the thread of the centre must do this.

        Raises:
            ConfigurationError: a look-up cannot be imported.
        """
        lookups = {name: reference.load() for name, reference in self.lookups.items()}
        return Ivr(self.tree, lookups=lookups, calendars=self.calendars)
