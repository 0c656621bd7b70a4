"""Tones: made as PCMU files for SIPp to play, and looked for in recordings."""

from __future__ import annotations

import array
import math
import sys
import wave
from pathlib import Path

RATE_HZ = 8000


def write_pcmu_tone(path: Path, hertz: float, *, seconds: float = 1.0, level: float = 0.4) -> Path:
    """Write a headerless PCMU file of one tone; SIPp plays the bytes of the file as they are, header and all."""
    samples = (
        int(level * 32767 * math.sin(2 * math.pi * hertz * n / RATE_HZ)) for n in range(round(seconds * RATE_HZ))
    )
    path.write_bytes(bytes(_to_ulaw(sample) for sample in samples))
    return path


def read_stereo(path: Path) -> tuple[list[int], list[int]]:
    """Return the two sides of a 16-bit stereo WAV file as samples."""
    with wave.open(str(path), "rb") as recording:
        if (recording.getnchannels(), recording.getsampwidth()) != (2, 2):
            raise AssertionError(f"{path.name}: not 16-bit stereo but {recording.getparams()}")
        samples = array.array("h", recording.readframes(recording.getnframes()))
    if sys.byteorder == "big":
        samples.byteswap()
    return list(samples[0::2]), list(samples[1::2])


def tone_share(samples: list[int], hertz: float) -> float:
    """Return how much of the samples' energy is in this tone (Goertzel's filter): 0 none of it, 1 all of it."""
    energy = sum(sample * sample for sample in samples)
    if not energy:
        return 0.0
    coefficient = 2 * math.cos(2 * math.pi * hertz / RATE_HZ)
    before = last = 0.0
    for sample in samples:
        before, last = last, sample + coefficient * last - before
    power = last * last + before * before - coefficient * last * before
    return 2 * power / (len(samples) * energy)


def _to_ulaw(sample: int) -> int:
    """Encode one 16-bit sample (ITU-T G.711, mu-law)."""
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), 32_635) + 132
    exponent = magnitude.bit_length() - 8
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    return ~(sign | (exponent << 4) | mantissa) & 0xFF
