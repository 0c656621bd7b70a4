"""Why an agent is not ready: Cisco Finesse's set of system reasons, plus the centre's own (any other text)."""

from __future__ import annotations

from typing import Final

RNA: Final = "RNA"
"""Did not answer (ring, no answer) too many times in a row."""
REJECTED: Final = "REJECTED"
"""Rejected a call; ends by itself after the agent's ``reject_delay_s``."""
BUSY: Final = "OFFHOOK"
"""The phone was busy when a call was offered; ends by itself after ``busy_delay_s``."""
PHONE_DOWN: Final = "PHONE_DOWN"
"""The phone is not registered; ends by itself when it registers again. Where that cannot be known (a gateway's number)
it ends after ``phone_down_delay_s``, when the phone is tried again."""
NON_ACD_CALL: Final = "NON_ACD_CALL"
"""The phone is in use for a call past the centre; ends with that call."""
PHONE_UP: Final = "PHONE_UP"
"""The phone is back in service, and the agent is configured to say so themselves (``after_phone_up``)."""
LINE_DOWN: Final = "LINE_DOWN"
"""The agent's standing connection is not up; ends by itself as soon as it is, if it is being rung."""
LINE_BUSY: Final = "LINE_BUSY"
"""The agent's standing connection is on its way out of a call that was not put through; ends by itself in a moment."""
CONN_DOWN: Final = "CONN_DOWN"
"""The network to the phone failed; ends by itself after ``phone_down_delay_s``."""
WORK_TIMER_EXPIRED: Final = "WORK_TIMER_EXPIRED"
"""Wrap-up ended and the agent is configured to be not ready after it."""
SUPERVISOR: Final = "SUPERVISOR"
"""Somebody else than the agent asked for it."""
LOGGED_ON: Final = "LOGGED_ON"
"""Logged on and not ready yet."""
