"""The lessons: what is right comes from the cases, in a terminal and on a page."""

import fcntl
import os
import pty
import re
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from conformance import EXIT_INTERRUPTED
from conformance.atlas import question
from conformance.cases import JUDGED_LEVELS, load_corpus
from conformance.cli import main
from conformance.course import CourseError, load_lessons, played
from conformance.course.lessons import FACTS, Lesson
from conformance.reproduce import DEFAULT_PORTS, Catalogue
from conformance.serve.pages import Pages

LESSONS = load_lessons()
LATE = 60.0
"""Seconds after which a lesson that should have ended is a failure."""
NUMBERS = range(1, len(LESSONS) + 1)
ANSWERS = {
    1: "404",
    2: "a",
    3: "hel",
    4: "15",
    5: "reject the response",
    6: "reject the response",
    7: "2",
    8: "nothing",
    9: "hello",
    10: "reject the response",
    11: "OSError",
}
"""The answer to the question of each lesson, written here to hold what is computed."""


def test_there_are_ten_lessons_with_titles_that_are_questions() -> None:
    assert len({one.title for one in LESSONS}) == len(LESSONS) >= 10
    assert all(one.title.endswith("?") for one in LESSONS)


@pytest.mark.parametrize("number", NUMBERS)
def test_the_answers_of_a_lesson_come_from_its_cases(number: int) -> None:
    one, corpus = LESSONS[number - 1], load_corpus()
    case = one.shown(corpus)
    assert case.level in JUDGED_LEVELS
    assert one.prediction(corpus) == question(case)
    asked = one.question(corpus)
    assert asked.answer == ANSWERS[number]
    assert len(asked.options) >= 2
    assert len(set(asked.options)) == len(asked.options)
    typed = f"{one.ask} {one.wrong}"
    assert not re.search(rf"\b{re.escape(asked.answer)}\b", typed.replace(one.title, ""))


@pytest.mark.parametrize("number", NUMBERS)
def test_the_play_of_a_lesson_does_what_is_said(number: int) -> None:
    one, corpus = LESSONS[number - 1], load_corpus()
    case = one.shown(corpus)
    result = played(case)
    assert result.verdict in ("PASS", "TOLERATED")
    answer = one.prediction(corpus).answer
    if answer.startswith("it raises "):
        raised = answer.removeprefix("it raises ").split(" or ")
        assert any(re.search(rf"-> .*(?:{'|'.join(raised)}|Error)", line) for line in result.trace)
    assert result.transcript


def test_an_answer_among_the_wrong_ones_is_an_error() -> None:
    one = LESSONS[3]
    broken = Lesson(**{**{f: getattr(one, f) for f in one.__struct_fields__}, "wrong": ["15"]})
    with pytest.raises(CourseError, match="'15' is among the wrong ones"):
        broken.question(load_corpus())


def test_every_fact_is_asked_for() -> None:
    assert {one.fact for one in LESSONS} == {*FACTS, "does"}


def test_without_a_terminal_a_lesson_is_printed_with_its_answers() -> None:
    printed = CliRunner().invoke(main, ["lesson", "4"]).output
    assert "How long is content whose length is unknown?" in printed
    assert re.search(r"^ +\S+ +zz\\r\\n$", printed, re.MULTILINE)
    assert "answer it raises IncompleteRead" in printed
    assert "answer 15" in printed
    assert "next   httplib-kit lesson 5" in printed


def test_the_list_and_a_wrong_number() -> None:
    assert CliRunner().invoke(main, ["lesson"]).output.count("\n") == len(LESSONS)
    assert "1 to 11" in CliRunner().invoke(main, ["lesson", "12"]).output


def is_asleep(process: int) -> bool:
    """Return whether the process waits for something."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "S"


def on_a_terminal(*answers: bytes) -> tuple[str, int]:
    """Return what lesson 4 shows to someone who types *answers*, and its exit code."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "conformance", "lesson", "4"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "dumb", "COLUMNS": "80"},
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    ) as process:
        os.close(theirs)
        shown = b""
        # One that asks on and on ends with a failure: reading from its terminal has no timeout.
        watch = threading.Timer(LATE, process.kill)
        watch.start()
        for answer in answers:
            # The function that reads writes the last blank. An interrupt between the two would only
            # be handled when the read ends, so the process must be asleep in it.
            while not re.search(rb"your answer[^\n]*: \Z", shown):
                shown += os.read(ours, 65536)
            while not is_asleep(process.pid):
                time.sleep(0.001)
            os.write(ours, answer)
            while b"\n" not in shown.rpartition(b"your answer")[2]:
                shown += os.read(ours, 1)
        try:
            while data := os.read(ours, 65536):
                shown += data
        except OSError:  # the other end is closed
            pass
        watch.cancel()
        os.close(ours)
    return shown.decode(), process.returncode


def test_on_a_terminal_a_lesson_asks_and_says_whether_the_answer_is_right() -> None:
    # Nothing, nonsense, beyond the choices, a digit of another script; then a wrong one.
    text, code = on_a_terminal(
        *(one.encode() for one in ("\n", "a\n", "9\n", "２\n", "1\n", "1\n"))
    )
    assert code == 0
    assert "Error: '9' is not the number of a choice, 1 to 4" in text
    assert text.count("is not the number of a choice") == 3
    assert "Not so: it raises IncompleteRead." in text
    assert re.search(r"(Not so|Right): 15\.", text)
    assert "answer it raises" not in text
    assert max(map(len, text.replace("\r", "").split("\n"))) <= 84  # an address is not broken


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("typed", [b"\3", b"\4"])
def test_a_lesson_can_be_left(typed: bytes) -> None:
    text, code = on_a_terminal(typed)
    assert text.endswith("\nhttplib-kit: interrupted\r\n")
    assert code == EXIT_INTERRUPTED


def test_the_pages_have_the_lessons() -> None:
    pages = Pages(Catalogue(load_corpus()), DEFAULT_PORTS, str, None, "")  # type: ignore[arg-type]  # makes no certificate
    listing = pages.reply("/_/lessons").body.decode()
    assert all(f'href="/_/lessons/{number}"' in listing for number in NUMBERS)
    for number in (1, 7, 11):
        page = pages.reply(f"/_/lessons/{number}").body.decode()
        asked = LESSONS[number - 1].question(load_corpus())
        assert f'data-answer="{asked.answer}"' in page
        assert "id=predict data-first hidden" in page
    assert pages.reply("/_/lessons/12").status == 404
    assert "<p><code>Content-Length</code> says" in pages.reply("/_/lessons/3").body.decode()
