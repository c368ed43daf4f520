"""Where devices can be woken, as `signaling.ports` asks for it."""

from collections.abc import Sequence

from signaling.ports.push import Sleeper
from signaling.store.database import Database
from wephone.protocol.ids import DeviceId, UserId


class PushRows:
    """See signaling.ports.push.PushRows."""

    database: Database

    async def keep_push(self, user: UserId, sleeper: Sleeper, session: str, at: int) -> bool:
        return bool(
            await self.database.write(
                "keep_push",
                str(user),
                str(sleeper.device),
                sleeper.endpoint,
                sleeper.p256dh,
                sleeper.auth,
                sleeper.language,
                session,
                at,
            )
        )

    async def forget_push(self, endpoint: str) -> None:
        await self.database.write("forget_push", endpoint)

    async def forget_device_push(self, user: UserId, device: DeviceId) -> None:
        await self.database.write("forget_device_push", str(user), str(device))

    async def sleepers(self, user: UserId, at: int) -> Sequence[Sleeper]:
        rows = await self.database.read("sleepers", user, at)
        return [Sleeper(DeviceId(device), *more) for device, *more in rows]
