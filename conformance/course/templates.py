"""Templates: a client in several languages that passes the first stage, and a driver around it.

The files are data, in ``fixtures/course``, but for Python's driver, which is that of `new-driver`.
JavaScript has a driver of its own; the languages without JSON in their library share
``line/driver.py``, which speaks with them in lines and bytes.  The names of Python files end in
``.txt`` there: in an installation, pytest takes every Python file of a distribution with a plugin
for a module of that plugin.
"""

import shutil
from pathlib import Path

from conformance.cases import fixtures_directory
from conformance.course.progress import PROGRESS, CourseError, Progress
from conformance.drivers.clients import KITS

_LINE = "exec:python3 driver.py {}"
LANGUAGES = {
    "python": "exec:python3 driver.py",
    "javascript": "exec:node driver.mjs",
    **{name: _LINE.format(name) for name in ("go", "rust", "java", "c")},
}
"""The languages, each with its client as it is written for `check`."""


def begin(directory: Path, language: str) -> list[Path]:
    """Write the template for *language* and the file of a new student into *directory*.

    Returns:
        The files, in the order of their names.

    Raises:
        CourseError: the directory has files already, or cannot be written.
    """
    source = fixtures_directory() / "course"
    places = [
        source / language,
        *([source / "line"] if "driver.py " in LANGUAGES[language] else []),
    ]
    files = [one for place in places for one in place.iterdir() if one.is_file()]
    files += [KITS / "python" / "driver.py"] if language == "python" else []
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise CourseError(f"{directory}: has files already: give a new directory")
        for path in files:
            shutil.copyfile(path, directory / path.name.removesuffix(".txt"))
    except OSError as error:
        raise CourseError(f"{directory}: cannot be written: {error.strerror}") from None
    Progress(client=LANGUAGES[language]).write(directory / PROGRESS)
    return sorted(directory.iterdir())
