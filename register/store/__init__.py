"""Where the register is kept: tables, transactions, the change feed."""

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
