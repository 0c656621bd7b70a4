"""The channel variables mod_sofia puts on a leg, as recorded: they make up most of an event's size."""

from __future__ import annotations

from cti.sim.event import HeaderValue

_MEDIA = {
    "variable_rtp_use_codec_name": "PCMU",
    "variable_rtp_use_codec_rate": "8000",
    "variable_rtp_use_codec_ptime": "20",
    "variable_rtp_use_codec_channels": "1",
    "variable_rtp_last_audio_codec_string": "PCMU@8000h@20i@1c",
    "variable_read_codec": "PCMU",
    "variable_original_read_codec": "PCMU",
    "variable_read_rate": "8000",
    "variable_original_read_rate": "8000",
    "variable_write_codec": "PCMU",
    "variable_write_rate": "8000",
    "variable_dtmf_type": "info",
}
_ANSWERED = {
    "variable_local_media_ip": "127.0.0.1",
    "variable_local_media_port": "28296",
    "variable_advertised_media_ip": "127.0.0.1",
    "variable_rtp_use_timer_name": "soft",
    "variable_rtp_use_pt": "0",
    "variable_remote_media_ip": "127.0.0.1",
    "variable_remote_media_port": "6004",
}


def inbound(uuid: str, session_id: int, name: str, caller: tuple[str, str], called: str) -> dict[str, HeaderValue]:
    """What an inbound leg has when it is created."""
    caller_name, number = caller
    return {
        "variable_direction": "inbound",
        "variable_uuid": uuid,
        "variable_call_uuid": uuid,
        "variable_session_id": str(session_id),
        "variable_sip_from_user": number,
        "variable_sip_from_port": "5060",
        "variable_sip_from_uri": f"{number}@127.0.0.1:5060",
        "variable_sip_from_host": "127.0.0.1",
        "variable_video_media_flow": "disabled",
        "variable_text_media_flow": "disabled",
        "variable_channel_name": name,
        "variable_sip_call_id": f"{session_id}@127.0.0.1",
        "variable_sip_network_ip": "127.0.0.1",
        "variable_sip_network_port": "5060",
        "variable_sip_via_protocol": "udp",
        "variable_sofia_profile_name": "callers",
        "variable_recovery_profile_name": "callers",
        "variable_sip_from_display": caller_name,
        "variable_sip_req_user": called,
        "variable_sip_req_uri": f"{called}@127.0.0.1:5060",
        "variable_sip_req_host": "127.0.0.1",
        "variable_sip_to_user": called,
        "variable_sip_to_uri": f"{called}@127.0.0.1:5060",
        "variable_sip_to_host": "127.0.0.1",
        "variable_max_forwards": "70",
        "variable_audio_media_flow": "sendrecv",
        "variable_remote_media_ip": "127.0.0.1",
        "variable_remote_media_port": "6004",
        **_MEDIA,
        "variable_endpoint_disposition": "RECEIVED",
    }


def outbound(uuid: str, session_id: int, name: str, profile: str, address: str) -> dict[str, HeaderValue]:
    """What an outbound leg has when it is created, before the variables of the command."""
    return {
        "variable_direction": "outbound",
        "variable_is_outbound": "true",
        "variable_uuid": uuid,
        "variable_call_uuid": uuid,
        "variable_session_id": str(session_id),
        "variable_sip_profile_name": profile,
        "variable_video_media_flow": "disabled",
        "variable_text_media_flow": "disabled",
        "variable_channel_name": name,
        "variable_sip_destination_url": f"sip:{address}",
        "variable_rtp_use_codec_string": "PCMU,PCMA",
        "variable_audio_media_flow": "sendrecv",
        "variable_sip_req_uri": address,
        "variable_sofia_profile_name": profile,
        "variable_recovery_profile_name": profile,
    }


def inbound_answered() -> dict[str, HeaderValue]:
    """What our answer to an inbound leg adds."""
    return dict(_ANSWERED)


def outbound_answered() -> dict[str, HeaderValue]:
    """What a phone's answer adds to an outbound leg."""
    return {**_MEDIA, **_ANSWERED}
