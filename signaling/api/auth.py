"""Who asks: a bearer token, a browser's cookie, or a named operator on the Unix socket."""

from dataclasses import dataclass

from aiohttp import web

from signaling.accounts import FIRST_OPERATOR, Accounts
from signaling.api.origin import Origins
from signaling.api.problem import Problem
from signaling.api.routes import Rule
from signaling.passwords import is_once
from wephone.protocol.ids import UserId

# RFC 6265bis §4.1.3.2: of this host alone, over HTTPS alone, for all paths. Cookies know no ports, so two
# listeners on one host need two names.
COOKIE = "__Host-wephone"
OPERATOR_COOKIE = "__Host-wephone-operator"
OPERATOR_HEADER = "WePhone-Operator"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody whom we know."""

    user: UserId
    session: str  # empty for whoever came by the Unix socket
    expires_at: int = 0  # of the session, UTC microseconds
    operator: bool = False
    auditor: bool = False
    once: bool = False  # the password has to be changed first
    by_cookie: bool = False


class Door:
    """Lets requests in, or not. `local` is the Unix socket: its file's mode has let only our own user in."""

    def __init__(
        self, accounts: Accounts, origins: Origins, *, cookie: str = COOKIE, local: bool = False
    ) -> None:
        self.cookie = cookie
        self._accounts, self._origins, self._local = accounts, origins, local

    def check_origin(self, request: web.BaseRequest) -> None:
        """Problem if another site's page sent this, or might have."""
        origin = request.headers.get("Origin")
        if origin is not None and not self._origins.allows(origin, request):
            raise Problem(403, "foreign_origin", f"pages of {origin[:100]!r} may not use this server")

    async def who(self, request: web.BaseRequest) -> Who | None:
        """Whose request it is. None if it has no credentials; Problem if they are no good."""
        token, by_cookie = credentials(request, self.cookie)
        if token is None:
            return await self._local_operator(request) if self._local else None
        found = await self._accounts.who(token)
        if found is None:
            raise not_signed_in("the session is unknown, ended or too old")
        if by_cookie and request.method not in SAFE_METHODS and "Origin" not in request.headers:
            raise Problem(403, "foreign_origin", "a request with a cookie must say its origin")
        session, account = found
        once = is_once(account.password)
        return Who(
            account.user,
            session.session,
            session.expires_at,
            account.operator,
            account.auditor,
            once,
            by_cookie,
        )

    async def admit(self, request: web.BaseRequest, rule: Rule) -> Who | None:
        """Whoever asks, if this rule lets them in; Problem if not."""
        if rule is Rule.ANYONE:
            return None
        who = await self.who(request)
        if who is None:
            raise not_signed_in("sign in first")
        if who.once and rule is not Rule.SIGNED_IN_ONCE:
            raise Problem(
                403, "password_change_required", "change the password first: POST /api/account/password"
            )
        if who.auditor and rule is Rule.OPERATOR:
            raise Problem(
                403, "not_an_operator", f"`{who.user}` is an auditor's account: it reads, and changes nothing"
            )
        if rule in (Rule.OPERATOR, Rule.AUDITOR) and not (who.operator or who.auditor):
            raise Problem(403, "not_an_operator", f"`{who.user}` is no operator's account")
        return who

    async def _local_operator(self, request: web.BaseRequest) -> Who | None:
        """The operator or auditor whom a command on this machine names.

        If it names none: the first operator, or the only one.
        """
        operators = await self._accounts.operators()
        named = request.headers.get(OPERATOR_HEADER)
        if named is None:
            if FIRST_OPERATOR in operators:
                named = FIRST_OPERATOR
            elif len(operators) == 1:
                named = operators[0]
            else:
                listed = ", ".join(f"`{name}`" for name in operators) or "there is none"
                raise Problem(401, "operator_unnamed", f"say which operator you are: {listed}")
        if named in await self._accounts.auditors():
            return Who(UserId(named), "", auditor=True)
        if named not in operators:
            raise Problem(403, "not_an_operator", f"{named[:32]!r} is no operator's account that is enabled")
        return Who(UserId(named), "", operator=True)


def credentials(request: web.BaseRequest, name: str) -> tuple[str | None, bool]:
    """The token, and whether a cookie brought it. A query is never looked at: queries end up in logs."""
    header = request.headers.get("Authorization")
    if header is not None:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise not_signed_in("credentials are `Authorization: Bearer TOKEN`")
        return token.strip(), False
    cookie = request.cookies.get(name)
    return cookie, cookie is not None


def not_signed_in(detail: str) -> Problem:
    """401 (RFC 9110 §15.5.2)."""
    return Problem(401, "not_signed_in", detail, headers={"WWW-Authenticate": 'Bearer realm="wephone"'})
