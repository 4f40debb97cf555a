"""The kit as others have it: built, installed outside the checkout, a guest in their repository."""

import email
import json
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import urllib.request
import zipfile
from pathlib import Path

import pytest

from conformance.cli.main import COMMANDS
from conformance.tests.conftest import ROOT, Installed, first_commands
from conformance.tests.support import CORPUS

pytestmark = pytest.mark.slow

CLIENTS = ROOT / "conformance" / "drivers" / "clients"
PACKAGES = {"httplib_impl", "mockserver", "conformance", "certs"}
BASE = {
    *("click", "cryptography", "hypothesis", "jinja2", "markupsafe", "msgspec", "rich", "tomli"),
    *("tomlkit", "trustme"),
}


def names_in(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def wheel_of(distributions: Path) -> Path:
    return next(distributions.glob("*.whl"))


def test_the_wheel_holds_four_packages_with_the_fixtures_and_no_unit_tests(
    distributions: Path,
) -> None:
    names = names_in(next(distributions.glob("*.whl")))
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith((".dist-info", ".data"))} == {
        *PACKAGES,
        "httplib_kit_plugin.py",
    }
    for folder in ("fixtures", "docs"):
        data = {name.removeprefix("conformance/") for name in names if f"/{folder}/" in name}
        files = [path for path in (ROOT / folder).rglob("*") if path.is_file()]
        assert data == {str(path.relative_to(ROOT)) for path in files}
    assert not [name for name in names if "/tests/" in name]
    assert {"test_corpus.py"} == {
        name.partition("/")[2] for name in names if re.match(r"conformance/test_\w+\.py", name)
    }
    assert {name for name in names if name.endswith(".html")}
    programs = (path for path in CLIENTS.rglob("*") if path.is_file() and path.suffix != ".pyc")
    assert {str(path.relative_to(ROOT)) for path in programs} <= names
    assert {f"{package}/py.typed" for package in PACKAGES} <= names


def test_the_sdist_makes_the_same_wheel(distributions: Path, tmp_path: Path) -> None:
    sdist = next(distributions.glob("*.tar.gz"))
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    assert (source / "conformance" / "tests").is_dir()
    assert next(tmp_path.glob("*.whl")).read_bytes() == wheel_of(distributions).read_bytes()


def test_the_wheel_is_small(distributions: Path) -> None:
    with zipfile.ZipFile(wheel_of(distributions)) as archive:
        entries = archive.infolist()
    # What `make record` writes.
    folders = ("conformance/fixtures/observed/", "conformance/fixtures/baselines/")
    records = [one for one in entries if one.filename.startswith(folders)]
    assert len(records) > 10
    assert sum(one.file_size for one in records) <= 12e6
    assert (
        sum(one.compress_size for one in entries) - sum(one.compress_size for one in records)
        <= 1.5e6
    )


def test_each_command_has_a_page_of_the_manual(installed: Installed) -> None:
    pages = {path.stem: path for path in installed.directory.glob("share/man/man1/httplib-kit*.1")}
    assert {"httplib-kit", *(f"httplib-kit-{name}" for name in COMMANDS)} <= set(pages)
    text = pages["httplib-kit-check"].read_text(encoding="utf-8")
    assert "\\fB\\-\\-baseline " in text
    if shutil.which("groff") is None:
        pytest.skip("groff is not here to read them")
    command = ["groff", "-man", "-ww", "-z", *map(str, pages.values())]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_what_is_installed_agrees(installed: Installed, tmp_path: Path) -> None:
    done = installed.run(["python", "-m", "pip", "check"], tmp_path)
    assert done.returncode == 0, done.stdout


def test_nothing_is_left_after_it_is_uninstalled(installed: Installed, tmp_path: Path) -> None:
    environment, home, scratch = (tmp_path / name for name in ("environment", "home", "scratch"))
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    python = str(environment / "bin" / "python")
    (site,) = environment.glob("lib/python3*/site-packages")
    home.mkdir()
    scratch.mkdir()
    before = {path for path in tmp_path.rglob("*") if path.is_file()}

    def run(*command: str, **known: str) -> None:
        done = installed.run(command, tmp_path, **known)
        assert done.returncode == 0, done.stdout + done.stderr

    pip = [installed.python, "-m", "pip", "--python", python]
    run(*pip, "install", "--quiet", "--no-deps", str(wheel_of(installed.distributions)))
    # What the kit depends on is taken from the other environment.
    elsewhere = site / "elsewhere.pth"
    elsewhere.write_text(f"{installed.site_packages}\n", encoding="utf-8")
    own = {"HOME": str(home), "TMPDIR": str(scratch)}
    check = ("check", "--select", "chunked.two-chunks")
    run(str(environment / "bin" / "httplib-kit"), *check, **own)
    run(python, "-m", "conformance", *check, "http.client", **own)
    assert [*home.iterdir(), *scratch.iterdir()] == []
    elsewhere.unlink()
    assert set(site.rglob("conformance/**/*.pyc"))
    run(*pip, "uninstall", "--quiet", "--yes", "httplib-kit")
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == before


def test_the_metadata_are_whole_and_ask_for_no_more_than_is_used(distributions: Path) -> None:
    with zipfile.ZipFile(next(distributions.glob("*.whl"))) as archive:
        name = next(one for one in archive.namelist() if one.endswith("/METADATA"))
        metadata = email.message_from_bytes(archive.read(name))
    required = [str(one) for one in metadata.get_all("Requires-Dist", [])]
    assert {re.split(r"[^\w-]", one)[0] for one in required if "extra ==" not in one} == BASE
    assert {"clients", "test"} <= set(metadata.get_all("Provides-Extra", []))
    for key in ("Summary", "License-Expression", "Requires-Python", "Keywords", "Classifier"):
        assert metadata[key], key


def test_the_commands_work_in_an_empty_folder(installed: Installed, tmp_path: Path) -> None:
    check = installed.run(["httplib-kit", "check", "--select", "framing.length.*"], tmp_path)
    assert check.returncode == 0, check.stdout + check.stderr
    listed = installed.run(["httplib-kit", "list", "--select", "status-codes.*"], tmp_path)
    case = listed.stdout.splitlines()[0]
    shown = installed.run(["httplib-kit", "show", case], tmp_path)
    assert shown.stdout.startswith(case)
    assert not list(tmp_path.iterdir())


def test_the_course_begins_in_an_empty_folder(installed: Installed, tmp_path: Path) -> None:
    kit = ["httplib-kit", "course"]
    begun = installed.run([*kit, "new", "mine", "--language", "python"], tmp_path)
    assert begun.returncode == 0, begun.stderr
    checked = installed.run([*kit, "check"], tmp_path / "mine")
    assert "your client passes this stage" in checked.stdout, checked.stdout + checked.stderr
    names = ["client.py", "driver.py", "httplib-course.json"]
    assert sorted(one.name for one in files_of(tmp_path / "mine")) == names


def test_serve_works_from_the_wheel(installed: Installed, tmp_path: Path) -> None:
    command = ["httplib-kit", "serve", "--port", "0"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=installed.environment(), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        ports = json.loads(process.stdout.readline())
        url = f"http://127.0.0.1:{ports['http']}/_/cases/chunked.two-chunks.html"
        with urllib.request.urlopen(url) as answer:
            assert b"</html>" in answer.read()
        process.send_signal(signal.SIGTERM)


def pytest_in(
    installed: Installed, cwd: Path, *args: str, **more: str
) -> "subprocess.CompletedProcess[str]":
    return installed.run(["pytest", "-p", "no:cacheprovider", *args], cwd, **more)


def outcomes(done: "subprocess.CompletedProcess[str]") -> dict[str, int]:
    """Return the counts of pytest's last line."""
    last = next(line for line in reversed(done.stdout.splitlines()) if " in " in line)
    return {name: int(count) for count, name in re.findall(r"(\d+) ([a-z]+)", last)}


ASKED = ("--pyargs", "conformance", "--httplib-impl", "mypkg.client")
ONE_EXCEPTION = ("-m", "exception_UnknownTransferEncoding")


def test_a_third_party_runs_the_corpus_as_tests_of_its_own(
    installed: Installed, third_party: Path
) -> None:
    done = pytest_in(installed, third_party, *ASKED, *ONE_EXCEPTION, "-v", "-p", "no:randomly")
    assert done.returncode == 0, done.stdout + done.stderr
    assert outcomes(done)["passed"] > 5
    assert re.search(r"test_corpus\.py::\w+\[framing\.[a-z0-9.-]+\] PASSED", done.stdout)
    assert "check_nothing" not in done.stdout


def test_the_host_s_own_tests_are_its_own(installed: Installed, third_party: Path) -> None:
    done = pytest_in(installed, third_party, "-v")
    assert outcomes(done) == {"passed": 1}


def files_of(directory: Path) -> set[Path]:
    """Return its files without byte code, which another test's pytest may be writing there."""
    return {path for path in directory.rglob("*") if "__pycache__" not in path.parts}


FEWER = "status-codes.no-body.204.*"


def test_nothing_is_written_into_site_packages(installed: Installed, third_party: Path) -> None:
    before = files_of(installed.site_packages)
    done = pytest_in(installed, third_party, *ASKED, "--httplib-select", FEWER, "-n", "2")
    assert outcomes(done) == {"passed": len(CORPUS.select([FEWER]))}, done.stdout + done.stderr
    assert files_of(installed.site_packages) == before
    assert {path.name for path in third_party.iterdir()} == {"src", "checks", "pyproject.toml"}


@pytest.mark.parametrize(
    "how",
    [
        ("--dist", "load", "--tx", "2*popen//chdir=/tmp"),
        ("-p", "randomly", "-p", "no:xdist"),
    ],
    ids=["gateways", "randomly"],
)
def test_the_corpus_runs_in_any_order_and_in_many_processes(
    installed: Installed, third_party: Path, how: tuple[str, ...]
) -> None:
    path = str(third_party / "src")
    chosen = ("--httplib-select", FEWER)
    done = pytest_in(installed, third_party, *ASKED, *chosen, *how, PYTHONPATH=path)
    assert outcomes(done) == {"passed": len(CORPUS.select([FEWER]))}, done.stdout + done.stderr


def test_a_failure_is_told_with_the_wire(installed: Installed, third_party: Path) -> None:
    asked = ("--pyargs", "conformance", "--httplib-impl", "mypkg.wrong")
    done = pytest_in(installed, third_party, *asked, "--httplib-select", "framing.length.*")
    assert done.returncode == 1
    assert re.search(r"^  wire      \| connection 1$", done.stdout, re.MULTILINE)
    assert re.search(r"^  accepted  ", done.stdout, re.MULTILINE)
    assert "httplib-kit check mypkg.wrong --select framing.length." in done.stdout


SMALL = {
    "conformance",
    "conformance.cases",
    "conformance.cases.words",
    "conformance.lazy",
    "conformance.run",
    "conformance.run.deadlines",
}
"""What the plugin's options need of other rooms: words and numbers alone."""


def test_where_it_is_not_used_the_plugin_loads_pytest_and_the_standard_library_alone(
    installed: Installed, tmp_path: Path
) -> None:
    (tmp_path / "test_it.py").write_text(
        "import sys\n"
        "def test_it():\n"
        "    known = sys.stdlib_module_names\n"
        "    tops = {name.partition('.')[0] for name in sys.modules}\n"
        "    assert not tops & {'msgspec', 'click', 'rich', 'jinja2', 'trustme', 'cryptography'}\n"
        "    ours = sorted(name for name in sys.modules if name.startswith('conformance'))\n"
        f"    small = {SMALL}\n"
        "    more = [one for one in ours if not one.startswith('conformance.plugin')]\n"
        "    assert set(more) <= small, more\n"
        "    assert not tops & {'mockserver', 'certs', 'httplib_impl'}\n",
        encoding="utf-8",
    )
    done = pytest_in(installed, tmp_path, "-p", "no:xdist", "-p", "no:randomly")
    assert outcomes(done) == {"passed": 1}, done.stdout


def test_three_commands_lead_from_nothing_to_a_verdict(
    installed: Installed, tmp_path: Path
) -> None:
    (tmp_path / "kit").symlink_to(installed.directory)  # which the first two have made
    done = installed.run(["bash", "-c", first_commands()[2]], tmp_path)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    assert re.search(r"^\d+ cases: .*\d+ PASS", done.stdout, re.MULTILINE)
