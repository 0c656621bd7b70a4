"""Ids: of the right version, sorted by time, the same again from the same seed."""

from __future__ import annotations

import random
import uuid

from cti.model.ids import IdSource


def source(seed: int = 1, epoch: float = 1_700_000_000.0) -> IdSource:
    return IdSource(random.Random(seed).getrandbits, epoch)


def test_an_interactions_id_is_a_uuid_of_version_7_that_carries_its_time():
    made = uuid.UUID(source().interaction(12.345))
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert made.int >> 80 == 1_700_000_012_345


def test_interactions_ids_sort_by_time():
    ids = source()
    made = [ids.interaction(n / 100) for n in range(200)]
    assert made == sorted(made)
    assert len(set(made)) == 200


def test_a_legs_id_is_a_uuid_of_version_4():
    ids = source()
    made = {uuid.UUID(ids.connection()) for _ in range(100)}
    assert {(u.version, u.variant) for u in made} == {(4, uuid.RFC_4122)}
    assert len(made) == 100


def test_the_same_seed_makes_the_same_ids():
    one, two, other = source(1), source(1), source(2)
    assert [one.connection(), one.interaction(5)] == [two.connection(), two.interaction(5)]
    assert one.connection() != other.connection()
