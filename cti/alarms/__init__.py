"""Alarms: what a person should know of, graded, raised once and cleared once; see docs/alarms.md."""

from __future__ import annotations

from cti.alarms.alarm import CLEARED, RAISED, Alarm, Grade
from cti.alarms.board import AlarmBoard
from cti.alarms.kinds import KINDS, Kind
from cti.alarms.ledger import AlarmLedger
from cti.alarms.mail import AlarmMail, MailSettings
from cti.alarms.settings import AlarmSettings
from cti.alarms.watch import AlarmWatch

__all__ = [
    "CLEARED",
    "KINDS",
    "RAISED",
    "Alarm",
    "AlarmBoard",
    "AlarmLedger",
    "AlarmMail",
    "AlarmSettings",
    "AlarmWatch",
    "Grade",
    "Kind",
    "MailSettings",
]
