"""What makes a request ours: the headers that carry a supplier's credential, and getting others."""

from __future__ import annotations

import asyncio
import base64
from collections import deque
from collections.abc import Awaitable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar
from weakref import WeakKeyDictionary

from integrations.errors import AuthFailed, AuthTrouble, NoToken
from integrations.masks import masks_of
from integrations.signer import Headers, Signer, Unsigned

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")
HEADER_CHARS: Final = frozenset(map(chr, range(0x20, 0x7F)))


def signed_in(user: str, secret: str) -> Headers:
    """A password, or an API token, goes with the name of its account; without one it is a bearer token."""
    if not secret:
        return {}
    if not user:
        return {"Authorization": f"Bearer {secret}"}
    return {"Authorization": f"Basic {base64.b64encode(f'{user}:{secret}'.encode()).decode()}"}


class Credential(Protocol):
    """Who we are at a supplier. Raises only `integrations.errors` kinds; has no secret in its repr."""

    @property
    def held(self) -> Headers:
        """What is known already, to be masked from the first answer on."""
        ...

    @property
    def about(self) -> str:
        """What it says of itself, for a person: until when it holds. Empty where it says nothing."""
        ...

    async def headers(self) -> Headers:
        """What goes with a request that is made now."""
        ...

    async def renewed(self, refused: Headers) -> bool:
        """The supplier refused these: get others. False where there are none to be had."""
        ...

    async def aclose(self) -> None: ...


class Fixed:
    """One that stays as it is: a token or a password."""

    def __init__(self, headers: Headers) -> None:
        self.held = headers
        self.about = ""

    async def headers(self) -> Headers:
        return self.held

    async def renewed(self, refused: Headers) -> bool:
        return False

    async def aclose(self) -> None:
        """It has nothing to end."""


def is_sendable(headers: Headers) -> bool:
    """Whether HTTP can carry them."""
    return all(HEADER_CHARS.issuperset(value) for value in headers.values())


class Masks:
    """What must never be shown: the header values, and each word of them; of the last few credentials."""

    def __init__(self) -> None:
        self._seen: deque[Headers] = deque(maxlen=4)
        self._more: set[str] = set()
        self._words: tuple[str, ...] = ()

    def learn(self, headers: Headers) -> None:
        """Mask these from now on."""
        if headers in self._seen:
            return
        self._seen.append(headers)
        self._words = self._all()

    def hide(self, secrets: Iterable[str]) -> None:
        """Mask these, too."""
        self._more |= {*secrets}
        self._words = self._all()

    def _all(self) -> tuple[str, ...]:
        return masks_of([*self._more, *(value for known in self._seen for value in known.values())])

    def over(self, text: str, most: int | None = None) -> str:
        """Return the text without them, should a supplier send them back.

        most: so many characters of it, or a few fewer: where one lies across the cut, none of it is there.
        """
        if most is not None and len(text) > most:
            text = text[: self._whole(text, most)]
        for secret in self._words:
            text = text.replace(secret, "•••")
        return text

    def _whole(self, text: str, end: int) -> int:
        """Return where to cut a text, at `end` or before it, so that nothing masked lies across the cut."""
        across = True
        while across:
            across = False
            for secret in self._words:
                at = text.find(secret, max(0, end - len(secret) + 1), end + len(secret) - 1)
                if at >= 0:
                    end, across = at, True
        return end


class Identity:
    """What a client is at its supplier: a credential, waited for and masked, and what was told to it.

    To a token that is over, some answer nothing instead of no. So when one is refused and another taken, all
    that was read with the first is in doubt, and with it what follows from it: that a ticket is not there,
    say. Whoever read then must begin again. patience: seconds that a credential may be waited for.
    """

    def __init__(
        self, credential: Credential, name: str, patience: float, signer: Signer | None = None
    ) -> None:
        self._credential, self._name, self._patience, self._signer = credential, name, patience, signer
        self.masks = Masks()
        if signer is not None:
            self.masks.hide([signer.secret])
        self._age = 0  # credentials that were refused so far
        self._told: WeakKeyDictionary[asyncio.Task[Any], int] = WeakKeyDictionary()
        self._carries(credential.held)

    async def headers(self) -> Headers:
        """The headers that make a request ours now."""
        ours = await self._in_time(self._credential.headers())
        self._carries(ours)
        return ours

    def signed(self, request: httpx.Request) -> httpx.Request:
        """The request with its signature, where one is needed: made now, of the very bytes that are sent."""
        if self._signer is not None:
            path, _, query = request.url.raw_path.decode("ascii").partition("?")
            told = Unsigned(request.method, path, query, dict(request.headers), request.content)
            signed = self._signer.sign(told, datetime.now(UTC))
            self.masks.learn({"signature": signed.hidden})
            request.headers.update(signed.headers)
            if signed.body is not None:
                request = type(request)(
                    request.method,
                    request.url,
                    headers=[one for one in request.headers.multi_items() if one[0] != "content-length"],
                    content=signed.body,
                    extensions=request.extensions,
                )
        return request

    async def renewed(self, refused: Headers) -> bool:
        """These are over before their time: whether others are to be had."""
        found = await self._in_time(self._credential.renewed(refused))
        self._age += found
        return found

    def in_doubt(self) -> bool:
        """Whether this task was told something before the last refusal; asked at every answer."""
        task = asyncio.current_task()
        if task is None:
            return False
        before, self._told[task] = self._told.get(task, self._age), self._age
        return before != self._age

    async def _in_time(self, asked: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(self._patience):
                return await asked
        except TimeoutError:
            pass  # raised below, so that nothing of it hangs on the failure
        raise NoToken(f"No token for {self._name} came in time, so nothing was sent to it.")

    def _carries(self, headers: Headers) -> None:
        """See that they can be sent, and are never shown."""
        if not is_sendable(headers):
            raise AuthFailed(
                f"The stored credential for {self._name} has characters that no HTTP header can carry: "
                "store it again, without line ends.",
                AuthTrouble.MISSING,
            )
        self.masks.learn(headers)
