"""What is kept: the journal of every fact, snapshots, and what can be done with them afterwards."""

from cti.store.codec import Codec
from cti.store.errors import JournalError, NotKept, NotUnderstood
from cti.store.history_store import HistoryStore
from cti.store.journal import Journal
from cti.store.past import Past
from cti.store.recorded_engine import RecordedEngine
from cti.store.recovery import Due, TakenUp
from cti.store.replay import Replay, ReplayReport
from cti.store.retention import Retention
from cti.store.state_file import StateFile
from cti.store.survey import Survey, survey
from cti.store.trouble import JournalFigures, Trouble
from cti.store.whatif import Comparison, compare

__all__ = [
    "Codec",
    "Comparison",
    "Due",
    "HistoryStore",
    "Journal",
    "JournalError",
    "JournalFigures",
    "NotKept",
    "NotUnderstood",
    "Past",
    "RecordedEngine",
    "Replay",
    "ReplayReport",
    "Retention",
    "StateFile",
    "Survey",
    "TakenUp",
    "Trouble",
    "compare",
    "survey",
]
