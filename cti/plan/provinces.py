"""China's provinces: the names that phone numbers are known under, and the codes people write.

ISO 3166-2 gives letters (``CN-GD``) since 2017; GB/T 2260's digits (``CN-44``) were ISO's before, and still are what
most programs write.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

PROVINCES: Final[Mapping[str, tuple[str, str]]] = {
    "Beijing": ("CN-BJ", "CN-11"),
    "Tianjin": ("CN-TJ", "CN-12"),
    "Hebei": ("CN-HE", "CN-13"),
    "Shanxi": ("CN-SX", "CN-14"),
    "Inner Mongolia": ("CN-NM", "CN-15"),
    "Liaoning": ("CN-LN", "CN-21"),
    "Jilin": ("CN-JL", "CN-22"),
    "Heilongjiang": ("CN-HL", "CN-23"),
    "Shanghai": ("CN-SH", "CN-31"),
    "Jiangsu": ("CN-JS", "CN-32"),
    "Zhejiang": ("CN-ZJ", "CN-33"),
    "Anhui": ("CN-AH", "CN-34"),
    "Fujian": ("CN-FJ", "CN-35"),
    "Jiangxi": ("CN-JX", "CN-36"),
    "Shandong": ("CN-SD", "CN-37"),
    "Henan": ("CN-HA", "CN-41"),
    "Hubei": ("CN-HB", "CN-42"),
    "Hunan": ("CN-HN", "CN-43"),
    "Guangdong": ("CN-GD", "CN-44"),
    "Guangxi": ("CN-GX", "CN-45"),
    "Hainan": ("CN-HI", "CN-46"),
    "Chongqing": ("CN-CQ", "CN-50"),
    "Sichuan": ("CN-SC", "CN-51"),
    "Guizhou": ("CN-GZ", "CN-52"),
    "Yunnan": ("CN-YN", "CN-53"),
    "Tibet": ("CN-XZ", "CN-54"),
    "Shaanxi": ("CN-SN", "CN-61"),
    "Gansu": ("CN-GS", "CN-62"),
    "Qinghai": ("CN-QH", "CN-63"),
    "Ningxia": ("CN-NX", "CN-64"),
    "Xinjiang": ("CN-XJ", "CN-65"),
}
"""By the English name in phonenumbers' data."""

CODES: Final = frozenset(code for codes in PROVINCES.values() for code in codes)
