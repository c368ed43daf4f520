"""Routes of operators that narrow what permits allow: toggles, the panic switch, what waits for a second.

Each change is in force for the next decision when its answer is sent. Who asks is the account that signed in.
"""

from licensing.classify import ServiceClass
from licensing.permit import Part, Toggle
from signaling.api.operator import noted
from signaling.api.permits import Name, WaitingChange, Why, changing, in_path, register_of, shown
from signaling.api.routes import Routes, Rule
from signaling.api.visit import Visit
from wephone.protocol.messages import Model

routes = Routes()

TOGGLES, WAITING = "/api/operator/toggles", "/api/operator/waiting"
TELEPHONE = "/api/operator/telephone"


class WaitingChanges(Model):
    """All that waits for a second operator."""

    waiting: tuple[WaitingChange, ...]


class ToggleState(Why):
    """Which calls it is about, and are they on? No class, jurisdiction or region named: all of them."""

    enabled: bool
    services: tuple[ServiceClass, ...] = ()
    jurisdictions: tuple[Name, ...] = ()
    regions: tuple[Part, ...] = ()


class Toggles(Model):
    """All toggles, by key. One that is on changes nothing."""

    toggles: tuple[Toggle, ...]


class TelephoneState(Why):
    """Telephone calls at all? Off takes one operator, on takes two."""

    on: bool


class Telephone(Model):
    """Are telephone calls on, as far as permits allow them?"""

    on: bool
    waiting: WaitingChange | None = None


@routes.add("GET", TOGGLES, Rule.AUDITOR)
async def toggles(visit: Visit) -> Toggles:
    """All toggles."""
    return Toggles(toggles=register_of(visit).snapshot.toggles)


@routes.add("PUT", TOGGLES + "/{key}", Rule.OPERATOR, status=200, proven=True)
async def set_toggle(visit: Visit, body: ToggleState) -> Toggle:
    """Switch kinds of calls off, or on again as far as permits allow."""
    wanted = {
        "key": in_path(visit, "key"),
        "enabled": body.enabled,
        "services": body.services,
        "jurisdictions": body.jurisdictions,
        "regions": body.regions,
    }
    async with changing():
        toggle = await register_of(visit).set_toggle(wanted, by=visit.user, why=body.why)
    noted(visit, "toggle-on" if toggle.enabled else "toggle-off", toggle.key)
    return toggle


@routes.add("DELETE", TOGGLES + "/{key}", Rule.OPERATOR, proven=True)
async def remove_toggle(visit: Visit, query: Why) -> None:
    """Take a toggle away, as if it had never been set."""
    async with changing():
        await register_of(visit).remove_toggle(in_path(visit, "key"), by=visit.user, why=query.why)
    noted(visit, "toggle-remove", in_path(visit, "key"))


@routes.add("GET", TELEPHONE, Rule.AUDITOR)
async def telephone(visit: Visit) -> Telephone:
    """Are telephone calls switched on?"""
    register = register_of(visit)
    asked = next((each for each in register.waiting() if each.key.startswith("switch_on:")), None)
    return Telephone(on=not register.snapshot.telephone_off, waiting=shown(asked))


@routes.add("PUT", TELEPHONE, Rule.OPERATOR, status=200, proven=True)
async def switch_telephone(visit: Visit, body: TelephoneState) -> Telephone:
    """The panic switch: off at once but for emergency calls; on again once two operators have asked."""
    register = register_of(visit)
    waits = None
    async with changing():
        if body.on:
            waits = await register.switch_telephone_on(by=visit.user, why=body.why)
        else:
            await register.switch_telephone_off(by=visit.user, why=body.why)
    noted(visit, "telephone-on-asked" if waits else "telephone-on" if body.on else "telephone-off", "")
    return Telephone(on=not register.snapshot.telephone_off, waiting=shown(waits))


@routes.add("GET", WAITING, Rule.AUDITOR)
async def waiting(visit: Visit) -> WaitingChanges:
    """What waits for a second operator, who agrees by asking for the same."""
    found = (shown(proposal) for proposal in register_of(visit).waiting())
    return WaitingChanges(waiting=tuple(each for each in found if each is not None))


@routes.add("DELETE", WAITING + "/{key}", Rule.OPERATOR)
async def withdraw(visit: Visit, query: Why) -> None:
    """Take back what waits."""
    async with changing():
        await register_of(visit).withdraw(in_path(visit, "key"), by=visit.user, why=query.why)
    noted(visit, "withdraw", in_path(visit, "key"))
