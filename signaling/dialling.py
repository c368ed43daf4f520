"""What was dialled: how it stands in a call, and what becomes of it where no trunk is set up."""

import unicodedata
from collections.abc import Set

from licensing.numbering import Number
from signaling.core import events
from signaling.core.holder import Person
from signaling.core.party import Party
from signaling.facts import Telephone
from signaling.permission import Permission, Refused, masked
from signaling.ports.telephones import Dialled, Teller
from wephone.protocol.ids import CallId, UserId
from wephone.protocol.messages import Media, Refusal, RefusalText
from wephone.protocol.reasons import EndReason

LONGEST = 31  # digits of what is shown


def party_named(to: Telephone, text: str) -> UserId:
    """As what a telephone is in a call: by the digits that were dialled. No account has such a name."""
    if isinstance(to, Number):
        return UserId(to.digits)
    digits = [str(unicodedata.digit(each)) if each.isdigit() else each for each in text]
    kept = [each for each in digits if each.isdigit() or each in "*#"]
    return UserId(("+" if text.lstrip().startswith("+") else "") + "".join(kept[:LONGEST]))


def is_telephone(user: UserId) -> bool:
    """Is this party of a call a telephone? Users' names begin with a letter."""
    return not user[:1].isalpha()


NO_TRUNK = events.Unroutable(EndReason.NO_ROUTE)
NO_SOUND = events.Refused(
    Refusal(
        code="NO_MEDIA_BACKEND",
        text=RefusalText(
            en="This server has nothing that carries the sound of telephone calls.",
            zh_cn="此服务器未配置电话语音承载。",
        ),
    )
)
NO_BRIDGE = Refusal(
    code="NO_BRIDGE",
    text=RefusalText(
        en="This server joins no two telephones: a call from one cannot go on to another.",
        zh_cn="此服务器不连接两部电话：电话来电不能转至另一号码。",
    ),
)
NO_HANDOVER = Refusal(
    code="NO_HANDOVER",
    text=RefusalText(
        en="This server hands no telephone over: what carries its sound stays with the app it talks to.",
        zh_cn="此服务器不能转接电话：其语音只能与当前通话的应用相连。",
    ),
)
NOT_FOR_ANOTHER = Refusal(
    code="NOT_FOR_ANOTHER",
    text=RefusalText(
        en="Nobody is connected with an emergency number by somebody else: dial it yourself.",
        zh_cn="不能代他人接通紧急号码：请自行拨打。",
    ),
)


class Unreached:
    """The telephone network of a server that has none: each number is decided on and written down."""

    def __init__(self, permission: Permission, outcome: events.Refused | events.Unroutable) -> None:
        """`outcome`: of a call that is permitted."""
        self._permission, self._outcome = permission, outcome

    async def dial(
        self,
        call: CallId,
        phone: Party,
        caller: Person,
        dialled: str,
        media: tuple[Media, ...],
        payer: Person | None = None,
    ) -> Dialled:
        """See `signaling.ports.telephones.Telephones`."""
        to = self._permission.dialled(dialled, payer or caller)
        answer = await self._permission.may_dial(call, caller, to, media)
        if isinstance(answer, Refused):
            return Dialled(masked(to), answer.decision, events.Refused(answer.refusal))
        for_help = isinstance(to, Number) and to.emergency
        outcome = events.Unroutable(EndReason.HELP_NOT_REACHED) if for_help else self._outcome
        return Dialled(masked(to), answer.decision, outcome)

    def teller(self, call: CallId, phone: Party, features: Set[str]) -> Teller | None:
        """Nothing carries sound here."""
        return None

    def forget(self, call: CallId) -> None:
        """Nothing was granted that anybody could use."""
