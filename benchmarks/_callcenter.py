"""What FreeSWITCH's own mod_callcenter needs on top of freeswitch-conf, to do the same work as the centre measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

QUEUE = "bench@callcenter"
NUMBER = "6000"

_EXTENSION = """<context name="callers">
  <extension name="mod_callcenter">
    <condition field="destination_number" expression="^6\\d{{3}}$">
      <action application="answer"/>
      <action application="callcenter" data="{queue}"/>
    </condition>
  </extension>
"""

_CONFIGURATION = """<configuration name="callcenter.conf" description="Call center">
  <settings/>
  <queues>
    <queue name="{queue}">
      <param name="strategy" value="longest-idle-agent"/>
      <param name="moh-sound" value="$${{hold_music}}"/>
      <param name="time-base-score" value="system"/>
      <param name="max-wait-time" value="0"/>
      <param name="max-wait-time-with-no-agent" value="0"/>
      <param name="tier-rules-apply" value="false"/>
      <param name="discard-abandoned-after" value="60"/>
      <param name="abandoned-resume-allowed" value="false"/>
    </queue>
  </queues>
  <agents>
{agents}
  </agents>
  <tiers>
{tiers}
  </tiers>
</configuration>
"""

_AGENT = (
    '    <agent name="{name}" type="callback" contact="{contact}" status="Available" max-no-answer="0"'
    ' wrap-up-time="0" reject-delay-time="0" busy-delay-time="0" no-answer-delay-time="0"/>'
)
_TIER = '    <tier agent="{name}" queue="{queue}" level="1" position="1"/>'


def overlay(contacts: dict[str, str]) -> Callable[[Path], None]:
    """Return what adds mod_callcenter with these agents (name to dial string) to a copy of freeswitch-conf.

    Numbers 6000 to 6999 then enter its queue. The longest-idle strategy is used and there is no wrap-up time.
    """

    def add(configuration: Path) -> None:
        agents = "\n".join(_AGENT.format(name=name, contact=contact) for name, contact in contacts.items())
        tiers = "\n".join(_TIER.format(name=name, queue=QUEUE) for name in contacts)
        (configuration / "autoload_configs" / "callcenter.conf.xml").write_text(
            _CONFIGURATION.format(queue=QUEUE, agents=agents, tiers=tiers)
        )
        _replace(
            configuration / "autoload_configs" / "modules.conf.xml",
            '<load module="mod_sofia"/>',
            '<load module="mod_sofia"/>\n    <load module="mod_callcenter"/>',
        )
        _replace(
            configuration / "dialplan" / "callers.xml",
            '<context name="callers">',
            _EXTENSION.format(queue=QUEUE),
        )

    return add


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    if text.count(old) != 1:
        raise ValueError(f"{path.name} has changed: {old!r} is not there exactly once")
    path.write_text(text.replace(old, new))
