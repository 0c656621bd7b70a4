"""Events about trunks."""

from __future__ import annotations

from attrs import frozen

from cti.model.cause import Cause
from cti.model.ids import SwitchId, TrunkId


@frozen(kw_only=True)
class TrunkStatus:
    """A trunk (a SIP gateway) of a switch is ``in service`` or ``out of service`` from now on (not CSTA)."""

    switch: SwitchId
    trunk: TrunkId
    at: float
    cause: Cause
    status: str
    detail: str = ""
    """Why it is out of service, in the switch's words."""
