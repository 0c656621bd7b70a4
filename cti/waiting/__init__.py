"""While a caller waits in a queue: music, what is announced, what they can do instead, and the agent's whisper.

``WaitingTreatment`` says what it is to be like, by queue; ``Attendant`` does it for one call, ``Waiting`` for a centre.
"""

from cti.model.treatment import SayNumber, WaitingTreatment
from cti.waiting.attendant import Attendant, Standing
from cti.waiting.waiting import Waiting

__all__ = ["Attendant", "SayNumber", "Standing", "Waiting", "WaitingTreatment"]
