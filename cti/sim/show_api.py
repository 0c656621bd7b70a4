"""``show channels`` and ``show calls``: the tables of FreeSWITCH's core database, columns as recorded."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from cti.sim.event import json_members

if TYPE_CHECKING:
    from cti.sim.channel import Channel
    from cti.sim.switch import SimulatedSwitch

_USAGE = (
    "-USAGE: codec|endpoint|application|api|dialplan|file|timer|calls [count]|channels [count|like <match string>]|calls|"
    "detailed_calls|bridged_calls|detailed_bridged_calls|aliases|complete|chat|management|modules|nat_map|say|interfaces|"
    "interface_types|tasks|limits|status\n"
)
_CALL_COLUMNS = (
    "uuid",
    "direction",
    "created",
    "created_epoch",
    "name",
    "state",
    "cid_name",
    "cid_num",
    "ip_addr",
    "dest",
    "presence_id",
    "presence_data",
    "accountcode",
    "callstate",
    "callee_name",
    "callee_num",
    "callee_direction",
)


def show(switch: SimulatedSwitch, text: str) -> str:
    """Carries out ``show TEXT`` for channels and calls; anything else answers with the usage."""
    words = text.split()
    what = words[0] if words else ""
    if what not in ("channels", "calls"):
        return _USAGE
    channels = list(switch.channels.values())
    if what == "channels":
        if words[1:2] == ["like"] and len(words) > 2:
            channels = [one for one in channels if any(words[2] in value for value in _row(switch, one).values())]
        rows = [_row(switch, one) for one in channels]
    else:
        rows = [_call(switch, one) for one in channels if one.bridge is None or one.bridge.a is one]
    if words[1:2] == ["count"]:
        return f"\n{len(rows)} total.\n"
    if words[1:3] == ["as", "json"]:
        return _as_json(rows)
    if not rows:
        return "\n0 total.\n"
    lines = [",".join(rows[0])] + [",".join(row.values()) for row in rows]
    return "\n".join(lines) + f"\n\n{len(rows)} total.\n"


def _as_json(rows: list[dict[str, str]]) -> str:
    texts = [f"{{{json_members(row)}}}" for row in rows]
    if not texts:
        return '{"row_count": 0}\n'
    return f'{{"row_count":{len(rows)},"rows":[{",".join(texts)}]}}'


def _row(switch: SimulatedSwitch, channel: Channel) -> dict[str, str]:
    fields = channel.profile.fields
    epoch = channel.created_us // 1_000_000
    codec = ("PCMU", "8000", "64000") if channel.media_known else ("", "", "")
    sent_name = channel.variable("last_sent_callee_id_name") or ""
    sent_number = channel.variable("last_sent_callee_id_number") or ""
    return {
        "uuid": channel.uuid,
        "direction": channel.direction,
        "created": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(epoch)),
        "created_epoch": str(epoch),
        "name": channel.name,
        "state": channel.state,
        "cid_name": fields["Caller-ID-Name"],
        "cid_num": fields["Caller-ID-Number"],
        "ip_addr": fields["Network-Addr"] if channel.direction == "inbound" else "",
        "dest": fields["Destination-Number"],
        "application": channel.last_application,
        "application_data": channel.last_data,
        "dialplan": fields["Dialplan"],
        "context": fields["Context"],
        "read_codec": codec[0],
        "read_rate": codec[1],
        "read_bit_rate": codec[2],
        "write_codec": codec[0],
        "write_rate": codec[1],
        "write_bit_rate": codec[2],
        "secure": "",
        "hostname": switch.hostname,
        "presence_id": channel.presence_id,
        "presence_data": "",
        "accountcode": "",
        "callstate": channel.call_state,
        "callee_name": fields["Callee-ID-Name"],
        "callee_num": fields["Callee-ID-Number"],
        "callee_direction": "SEND" if sent_number else "",
        "call_uuid": channel.call_uuid if channel.bridge is not None else "",
        "sent_callee_name": sent_name,
        "sent_callee_num": sent_number,
        "initial_cid_name": fields["Orig-Caller-ID-Name"],
        "initial_cid_num": fields["Orig-Caller-ID-Number"],
        "initial_ip_addr": fields["Network-Addr"],
        "initial_dest": fields["Destination-Number"],
        "initial_dialplan": fields["Dialplan"],
        "initial_context": fields["Context"],
    }


def _call(switch: SimulatedSwitch, channel: Channel) -> dict[str, str]:
    row = _row(switch, channel)
    partner = channel.bridge.b if channel.bridge is not None and channel.bridge.joined else None
    other = _row(switch, partner) if partner is not None else dict.fromkeys(row, "")
    found = {name: row[name] for name in _CALL_COLUMNS}
    found["call_uuid"] = row["call_uuid"]
    found["hostname"] = row["hostname"]
    found["sent_callee_name"] = row["sent_callee_name"]
    found["sent_callee_num"] = row["sent_callee_num"]
    for name in (*_CALL_COLUMNS, "sent_callee_name", "sent_callee_num"):
        found["b_" + name] = other[name]
    found["call_created_epoch"] = row["created_epoch"] if partner is not None else ""
    return found
