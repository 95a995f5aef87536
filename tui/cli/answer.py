"""What a command has to say: once as lines for a person, once as JSON for a program."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from pydantic import BaseModel

from register.plain import clean
from tui.width import fitted


@dataclass(frozen=True, slots=True)
class Answer:
    """A command's outcome. `data` is what --json prints; `lines` are for people, cleaned when printed."""

    data: Any
    lines: Sequence[str] = ()
    code: int = 0
    silent: bool = False  # everything was said already
    as_json: bool = False


def put(answer: Answer) -> int:
    """Print an answer; return its exit code."""
    if answer.silent:
        return answer.code
    if answer.as_json:
        narrow = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
        print(json.dumps(plain(answer.data), ensure_ascii=narrow, indent=2))
    else:
        for line in fitted(map(clean, answer.lines), sys.stdout):
            print(line)
    return answer.code


def plain(value: Any) -> Any:
    """Return a value as JSON has it, its texts without anything that a terminal would obey."""
    if isinstance(value, BaseModel):
        return plain(value.model_dump())
    if isinstance(value, Mapping):
        return {clean(str(key)): plain(inner) for key, inner in value.items()}
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, str):
        return clean(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Sequence | frozenset | set):
        return [plain(inner) for inner in value]
    return clean(str(value))
