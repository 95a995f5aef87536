"""The page behind a link: plain HTML for whatever opens it. No script, nothing loaded, one button."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from html import escape
from typing import Final

_STYLE: Final = (
    ":root{color-scheme:light dark}"
    "body{font:1.125rem/1.5 system-ui,sans-serif;max-width:36rem;margin:2rem auto;padding:0 1rem}"
    "h1{font-size:1.5rem;line-height:1.3;overflow-wrap:anywhere}p{overflow-wrap:anywhere}"
    "button{font:inherit;font-weight:bold;padding:.8rem 1.6rem;border:2px solid;border-radius:.4rem;"
    "cursor:pointer}button:focus-visible{outline:3px solid;outline-offset:3px}"
)
_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
HEADERS: Final[Mapping[str, str]] = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'",
}
"""Of every answer: it is kept nowhere, tells nobody where it was, and runs nothing."""


def page(heading: str, *lines: str, button: str = "") -> bytes:
    """Return a page. button: the one that there is, which sends nothing but that it was pressed."""
    said = "".join(f"<p>{escape(line)}</p>\n" for line in lines if line)
    form = f'<form method="post"><button type="submit">{escape(button)}</button></form>\n' if button else ""
    title = escape(heading)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n<h1>{title}</h1>\n{said}{form}</main>\n</body>\n</html>\n"
    ).encode()
