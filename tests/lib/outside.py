# SPDX-License-Identifier: GPL-2.0-or-later
"""Words between the test machine and the host that runs it, through the shared folder /out.

Inside, ask() writes a question and waits for the answer; outside, answer_all() does what is asked.
"""
import json
import os
import threading
import time

from . import host, picture

SHARE = "/out"
_asked = 0


def _write(path, value):
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(value, file)
    os.rename(path + ".new", path)


def ask(what, **details):
    """Asks the host; its answer, or AssertionError with what went wrong there."""
    global _asked
    _asked += 1
    answer = os.path.join(SHARE, f".answer-{_asked}")
    _write(os.path.join(SHARE, f".question-{_asked}"), {"what": what, **details})
    end = time.monotonic() + host.PATIENCE
    while not os.path.exists(answer):
        if time.monotonic() > end:
            raise AssertionError(f"the host does not answer to {what}")
        time.sleep(0.05)
    with open(answer, encoding="utf-8") as file:
        value = json.load(file)
    if "error" in value:
        raise AssertionError(f"{what} outside: {value['error']}")
    return value


def picture_of(what, name, **details):
    """A picture that the host takes: NAME.png stays in its folder."""
    answer = ask(what, name=name, **details)
    with open(os.path.join(SHARE, answer["file"]), "rb") as file:
        return picture.Picture(answer["width"], answer["height"], file.read())


class Answers:
    """The host's side: a thread that answers, by a table of functions, until stop()."""

    def __init__(self, folder, table):
        self.folder, self.table = folder, table
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._work)
        self.thread.start()

    def _work(self):
        number = 1
        while not self.ended.wait(0.05):
            question = os.path.join(self.folder, f".question-{number}")
            if os.path.exists(question):
                self._answer(question, os.path.join(self.folder, f".answer-{number}"))
                number += 1

    def _answer(self, question, answer):
        with open(question, encoding="utf-8") as file:
            details = json.load(file)
        try:
            value = self.table[details.pop("what")](**details)
            if isinstance(value, picture.Picture):
                value = self._store(value, answer)
        except BaseException as error:  # pylint: disable=broad-except
            value = {"error": f"{type(error).__name__}: {error}"}
        _write(answer, value)

    @staticmethod
    def _store(image, answer):
        """A picture goes as bare bytes: emulated machines are slow at PNGs."""
        with open(answer + ".rgb", "wb") as file:
            file.write(image.rgb)
        return {"file": os.path.basename(answer) + ".rgb", "width": image.width,
                "height": image.height}

    def stop(self):
        self.ended.set()
        self.thread.join()
