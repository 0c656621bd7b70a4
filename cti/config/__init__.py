"""The configuration of the daemon: one TOML file, read and checked as a whole, as plain values."""

from cti.config.configuration import Configuration
from cti.config.loading import LoadedScripts, load_scripts
from cti.config.problem import BadConfiguration, Problem
from cti.config.reading import read_configuration
from cti.config.routes import Number, Routes
from cti.config.service_settings import (
    AlarmsSettings,
    AuditSettings,
    HistorySettings,
    MessagesSettings,
    RecordingsSettings,
    StateSettings,
    StatisticsSettings,
    WebSettings,
)
from cti.config.service_tables import Services
from cti.config.settings import (
    ApiSettings,
    CentreSettings,
    DaemonSettings,
    JournalSettings,
    LogSettings,
    SwitchSettings,
)

__all__ = [
    "AlarmsSettings",
    "ApiSettings",
    "AuditSettings",
    "BadConfiguration",
    "CentreSettings",
    "Configuration",
    "DaemonSettings",
    "HistorySettings",
    "JournalSettings",
    "LoadedScripts",
    "LogSettings",
    "MessagesSettings",
    "Number",
    "Problem",
    "RecordingsSettings",
    "Routes",
    "Services",
    "StateSettings",
    "StatisticsSettings",
    "SwitchSettings",
    "WebSettings",
    "load_scripts",
    "read_configuration",
]
