"""Where the register is kept: tables, transactions, the change feed."""

from register.store.engine import RegisterAway, RegisterUnavailable, as_url, is_private, sqlite_path
from register.store.store import Store, open_store

__all__ = [
    "RegisterAway",
    "RegisterUnavailable",
    "Store",
    "as_url",
    "is_private",
    "open_store",
    "sqlite_path",
]
