"""Identity is kept in order once an hour, by one process, and rotated keys close again what older ones closed."""

from commonweal.boot.rings import Key, Ring, fresh, written
from commonweal.boot.trial import Trial
from commonweal.boot.upkeep import HOUR, Upkeep
from commonweal.identity.house import DAY
from commonweal.identity.oauth import keys
from commonweal.store.drawers import MemoryDrawers, Sealer


async def test_a_round_throws_away_renews_and_closes_anew(trial: Trial) -> None:
    leases: list[tuple[str, str, int]] = []

    async def lease(name: str, holder: str, seconds: int) -> object | None:
        leases.append((name, holder, seconds))
        return None if len(leases) > 2 else object()

    old, resealed = [2, 3, 0, 0], []

    async def reseal() -> int:
        resealed.append(old[len(resealed)])
        return resealed[-1]

    identity = trial.identity
    before = await keys.published(identity)
    await identity.drawers.put("x", "gone", b"", until=identity.now() + 1)
    upkeep = Upkeep(identity, reseal, lease, lambda: f"round-{len(leases)}")
    assert not await upkeep.tick()
    assert resealed == [2, 3, 0]
    assert await identity.drawers.get("x", "gone") is not None
    trial.now += trial.now.resolution * (keys.ROTATED_AFTER + DAY)
    assert not await upkeep.tick()
    assert await identity.drawers.expire() == 0, "it was thrown away by the round"
    after = await keys.published(identity)
    assert {each["kid"] for each in before["keys"]} != {each["kid"] for each in after["keys"]}
    assert not await upkeep.tick()
    assert [(name, seconds) for name, _, seconds in leases] == [("upkeep:identity", HOUR)] * 3
    assert len({holder for _, holder, _ in leases}) == 3
    assert len(resealed) == 4, "without the lease nothing is done"


async def test_what_an_old_key_closed_is_closed_with_the_new_one(trial: Trial) -> None:
    first, second = Key("first", b"1" * 32, 0), fresh()
    content, now = written([first]), 0.0
    drawers = MemoryDrawers(Sealer(Ring(lambda: content, lambda: now)), trial.identity.now)
    await drawers.put("x", "y", b"kept")
    content, now = written([second, first]), 60.0
    entry = await drawers.get("x", "y")
    assert entry is not None and entry.data == b"kept"
    assert await drawers.reseal() == 1
    content, now = written([second]), 120.0
    entry = await drawers.get("x", "y")
    assert entry is not None and entry.data == b"kept"
