"""What vendors.toml says of a supplier's OAuth 2.0: the table `[vendor.NAME.oauth2]`."""

from __future__ import annotations

from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from integrations.addresses import web_address

CLIENT_SECRET: Final = "client_secret"  # noqa: S105 - its name
REFRESH_TOKEN: Final = "refresh_token"  # noqa: S105 - its name


def _endpoint(url: str) -> str:
    if not urlsplit(web_address(url)).path.strip("/"):
        raise ValueError("ends with the host: write the whole address where tokens are given out")
    return url  # with its last slash, where it has one: there it counts


_Visible = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[\x21-\x7e]+$")]


class OAuth2(BaseModel, extra="forbid", frozen=True):
    """How a token is got. The secrets are in the keyring: see `integrations.oauth.given`."""

    token_url: Annotated[
        str, AfterValidator(_endpoint), Field(description="where tokens are given out, https://…")
    ]
    client_id: Annotated[_Visible, Field(description="the OAuth client id: who we are there")]
    grant: Annotated[
        Literal["client_credentials", "refresh_token"],
        Field(description='"client_credentials", or "refresh_token" where a person agreed once'),
    ] = "client_credentials"
    scope: Annotated[
        str,
        StringConstraints(max_length=500, pattern=r"^[\x20-\x7e]*$"),
        Field(description="what the token is to be good for, by spaces; empty for what they give"),
    ] = ""
    client_auth: Annotated[
        Literal["basic", "post", "none"],
        Field(description='how the client secret is told: "basic", "post", or "none" where there is none'),
    ] = "basic"

    @property
    def asks(self) -> tuple[str, ...]:
        """What `muster vendors login` asks for, in this order."""
        secret = () if self.client_auth == "none" else (CLIENT_SECRET,)
        return (*secret, *((REFRESH_TOKEN,) if self.grant == "refresh_token" else ()))
