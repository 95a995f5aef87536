"""Where the register is kept: tables, transactions, the change feed."""

import register.store.page_tables  # noqa: F401 - before anything makes tables, or copies them
from register.store.engine import (
    RegisterAway,
    RegisterReplaced,
    RegisterUnavailable,
    as_url,
    is_private,
    sqlite_path,
)
from register.store.store import Store, open_store

__all__ = [
    "RegisterAway",
    "RegisterReplaced",
    "RegisterUnavailable",
    "Store",
    "as_url",
    "is_private",
    "open_store",
    "sqlite_path",
]
