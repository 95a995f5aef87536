"""The probe sees what a person would see, to the byte, and answers like a terminal."""

from __future__ import annotations

import sys
import time

import pytest

from benchmarks.ptyprobe import Gone, Terminal, Text, answers, main, measure_start

ECHO = """
import sys, termios, tty
tty.setraw(0)
print("size", *termios.tcgetwinsize(1), end="\\r\\n", flush=True)
print("INC-1 \\x1b[31mINC\\x1b[0m-2\\x1b[5;1HINC-3", end="\\r\\n", flush=True)
while (key := sys.stdin.buffer.raw.read(1)) != b"q":
    sys.stdout.write("y" * 10) if key == b"y" else None
    sys.stdout.flush()
"""
ASK = """
import os, sys, tty
tty.setraw(0)
os.write(1, b"\\x1b[?20")
os.write(1, b"26$p\\x1b[c")
answer = b""
while not answer.endswith(b"c"):
    answer += os.read(0, 100)
print(repr(answer), end="", flush=True)
"""


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_colour_is_not_text_and_a_move_parts_words() -> None:
    text = Text()
    text.feed(b"a\x1b[1;31mb\x1b]0;a title\x07c\x1b[3;4Hd\x1b(B\x1b=e")
    assert text.seen == "abc\nde"


@pytest.mark.parametrize("cut", range(1, 30))
def test_a_sequence_or_a_character_may_be_cut_anywhere(cut: int) -> None:
    stream = "ä\x1b[38;2;1;2;3m▲ €\x1b]8;;x\x1b\\z".encode()
    text = Text()
    text.feed(stream[:cut])
    text.feed(stream[cut:])
    assert text.seen == "ä▲ €z"


def test_rubbish_after_an_escape_does_not_swallow_the_rest() -> None:
    text = Text()
    text.feed(b"\x1b\xff" + b"x" * 5000)
    assert text.seen.endswith("x" * 4000)


def test_answers_like_a_terminal() -> None:
    assert list(answers(b"\x1b[?2026$p")) == [b"\x1b[?2026;2$y"]
    assert list(answers(b"\x1b[?2026$p", synchronized=False)) == [b"\x1b[?2026;0$y"]
    assert list(answers(b"\x1b[?2048$p\x1b[6n")) == [b"\x1b[?2048;0$y", b"\x1b[1;1R"]
    assert list(answers(b"\x1b[c\x1b[>c\x1b[5n")) == [b"\x1b[?62;22c", b"\x1b[>1;10;0c", b"\x1b[0n"]
    assert list(answers(b"nothing asked")) == []


def test_a_question_cut_in_two_is_answered_once() -> None:
    with Terminal(python(ASK)) as terminal:
        terminal.wait_for("22c", limit=20)
    assert terminal.text.seen == repr(b"\x1b[?2026;2$y\x1b[?62;22c")


def test_bytes_per_key_and_at_rest() -> None:
    with Terminal(python(ECHO), size=(90, 33)) as terminal:
        start = measure_start(terminal, r"INC-\d", count=3, quiet=0.2, limit=20)
        assert "size 33 90" in terminal.text.seen
        assert 0 < start.first_byte <= start.painted <= start.settled
        assert start.rss_mb > 1
        assert terminal.press("y").size == 10
        silent = terminal.press("n")
        assert (silent.size, silent.first) == (0, None)
        assert terminal.rest(0.3).bytes_s == 0


def test_a_marker_that_never_comes_is_told_with_what_was_shown() -> None:
    with Terminal(python(ECHO)) as terminal, pytest.raises(Gone, match="INC-3"):
        terminal.wait_for(r"INC-\d", count=4, limit=0.5)


def test_a_program_that_ends_is_told_with_its_last_words() -> None:
    with (
        Terminal(python("raise SystemExit('no such thing')")) as terminal,
        pytest.raises(Gone, match="no such"),
    ):
        terminal.wait_for("board", limit=20)


def test_a_stubborn_program_is_ended_all_the_same() -> None:
    stubborn = (
        "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    )
    terminal = Terminal(python(stubborn))
    terminal.wait_for("up", limit=20)
    begin = time.perf_counter()
    terminal.close(patience=0.3)
    assert time.perf_counter() - begin < 5


def test_the_command_line_prints_medians(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--runs", "1", "--marker", "INC-3", "--quiet", "0.2", "--press", "y:2", "--json", "--"]
    assert main([*asked, *python(ECHO)]) == 0
    assert '"y bytes": 10' in capsys.readouterr().out
    assert main(["--runs", "1", "--", "/no/such/program"]) == 1
    assert "/no/such/program" in capsys.readouterr().err
