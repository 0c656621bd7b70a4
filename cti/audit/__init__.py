"""The audit: who did what to which agent, queue or call, when, from where, with what outcome; see docs/alarms.md."""

from __future__ import annotations

from cti.audit.entry import Entry
from cti.audit.log import AuditLog
from cti.audit.reading import Found, read_audit

__all__ = ["AuditLog", "Entry", "Found", "read_audit"]
