"""A call centre simulated in virtual time: the real engine and the real adapter on a switch that is not there.

settings = SimulationSettings(agents=..., queues=..., calls=...)
report = Simulation(settings).run()
"""

from cti.simulation.faults import PROFILES, FaultProfile
from cti.simulation.ledger import CallEnd
from cti.simulation.report import Report
from cti.simulation.settings import Calls, SimulationSettings
from cti.simulation.simulation import Simulation

__all__ = ["PROFILES", "CallEnd", "Calls", "FaultProfile", "Report", "Simulation", "SimulationSettings"]
