"""A directory of its own for clients: they are installed there, and the machine keeps no trace.

The input is a directory and names of clients; the output is the clients' packages in it::

    python/   a virtual environment of this Python, with what PyPI has
    alone/    for each client that needs other versions of shared packages, its modules
    npm/      what npm has
    debian/   an overlay over the machine's files, with what Debian has; only root can make it
    run       a script: it runs a command, in which all of these are found

The variable ``HTTPLIB_KIT_CLIENTS`` names the directory to the kit; the script sets it. In a mount
namespace of its own, it lays the overlay over the machine's files; what the command writes in the
present directory and in ``/tmp`` is written there as usual.
"""

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from conformance.drivers.clients.registry import registry

PLACE = "HTTPLIB_KIT_CLIENTS"
RUN = """#!/bin/sh
# Runs a command with the clients in this directory. httplib-kit wrote this file.
set -e
export {PLACE}={place}
export HTTPLIB_KIT_CACHE={place}/built
[ -d {place}/debian ] || exec "$@"
[ -z "$HTTPLIB_KIT_INSIDE" ] || exec "$@"
export HTTPLIB_KIT_INSIDE=1
# An overlay is mounted once: a second run enters the mount namespace of the first.
exec 9>{place}/debian/lock
flock 9
enter="unshare --mount --propagation private"
for one in {place}/debian/runs/*; do
  [ -e "$one" ] || continue
  space=/proc/${one##*/}/ns/mnt
  if [ "$(readlink "$space")" = "$(cat "$one")" ]; then enter="nsenter --mount=$space"; break; fi
  rm -f "$one"
done
exec $enter sh -ec '
  place=$1; here=$2; shift 2
  over=$place/debian
  root=$over/root
  if ! mountpoint -q "$root"; then
    mount -t overlay overlay -o "lowerdir=/,upperdir=$over/upper,workdir=$over/work" "$root"
    cut -d" " -f5 /proc/self/mountinfo | grep -v "^/$" | grep -vF "$root" | while read -r one; do
      [ ! -d "$one" ] || [ ! -d "$root$one" ] || mount --bind "$one" "$root$one"
    done
  fi
  for one in /tmp "$place" "$here"; do
    mkdir -p "$root$one"; mountpoint -q "$root$one" || mount --bind "$one" "$root$one"
  done
  mkdir -p "$over/runs"
  readlink /proc/self/ns/mnt >"$over/runs/$$"
  exec 9>&-
  exec chroot "$root" sh -ec "cd \\"\\$0\\"; exec \\"\\$@\\"" "$here" "$@"
' sh {place} "$PWD" "$@"
"""
_NO_SERVICES = "#!/bin/sh\nexit 101\n"
_PATIENCE = 1800.0


def place() -> Path | None:
    """Return the directory that the environment names; None without one."""
    given = os.environ.get(PLACE)
    return Path(given).absolute() if given else None


def python_paths(name: str) -> list[str]:
    """Return the directories in which the modules of the client *name* are searched first."""
    base = place()
    if base is None:
        return []
    alone = registry().client[name].alone
    found = base / "alone" / name if alone else _site(base)
    return [str(found)] if found.is_dir() else []


def wheels() -> str:
    """Return the directory with the packages of PyPI; this Python's own without a place."""
    base = place()
    return str(_site(base)) if base else sysconfig.get_path("purelib")


def npm() -> str:
    """Return the directory that has ``node_modules``; by default the present one."""
    base = place()
    return str(base / "npm") if base else str(Path.cwd())


def _site(base: Path) -> Path:
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    return base / "python" / "lib" / version / "site-packages"


class Installer:
    """Installs packages into a directory, and reports what cannot be had.

    Args:
        directory: the place of the clients.
        say: prints a line of progress.
    """

    def __init__(self, directory: Path, say: Callable[[str], object]) -> None:
        self._place = directory.absolute()
        self._say = say
        self.failed: dict[str, str] = {}
        """The packages that could not be installed, with the reason."""

    def install(self, names: Iterable[str]) -> None:
        """Install the packages of the clients *names*, and write the script ``run``.

        Raises:
            OSError: the directory cannot be written.
        """
        clients = {name: registry().client[name] for name in names}
        self._place.mkdir(parents=True, exist_ok=True)
        shared = [one for client in clients.values() if not client.alone for one in client.pypi]
        self._python([*dict.fromkeys(shared)])
        for name, client in clients.items():
            if client.alone and client.pypi:
                target = self._place / "alone" / name
                self._each("PyPI", [client.pypi], ["--target", str(target), "--upgrade"])
        self._npm([*dict.fromkeys(one for client in clients.values() for one in client.npm)])
        script = self._place / "run"
        script.write_text(
            RUN.replace("{PLACE}", PLACE).replace("{place}", shlex.quote(str(self._place)))
        )
        script.chmod(0o755)
        groups = [[*registry().way(name).debian, *one.debian] for name, one in clients.items()]
        self._debian([group for group in groups if group])

    def _python(self, wanted: Sequence[str]) -> None:
        if not wanted:
            return
        environment = self._place / "python"
        if not (environment / "bin" / "python").exists():
            self._done([sys.executable, "-m", "venv", str(environment)])
        self._each("PyPI", [[one] for one in wanted], [], str(environment / "bin" / "python"))

    def _each(
        self, source: str, groups: Sequence[list[str]], options: list[str], python: str = ""
    ) -> None:
        pip = [python or sys.executable, "-m", "pip", "install", "-q", *options]
        self._together(source, groups, [*pip, "--disable-pip-version-check"])

    def _npm(self, wanted: Sequence[str]) -> None:
        if not wanted:
            return
        if shutil.which("npm") is None:
            self._fail("npm", wanted, "there is no program npm")
            return
        (self._place / "npm").mkdir(exist_ok=True)
        install = ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"]
        prefix = ["--prefix", str(self._place / "npm")]
        self._together("npm", [[one] for one in wanted], [*install, *prefix])

    def _debian(self, groups: Sequence[list[str]]) -> None:
        if not groups:
            return
        programs = ("apt-get", "unshare", "nsenter", "flock", "chroot")
        needs = [one for one in programs if shutil.which(one) is None]
        if needs or os.geteuid():
            why = f"there is no program {needs[0]}" if needs else "only root can lay an overlay"
            self._fail("Debian", [one for group in groups for one in group], why)
            return
        for part in ("upper", "work", "root"):
            (self._place / "debian" / part).mkdir(parents=True, exist_ok=True)
        policy = self._place / "debian" / "upper" / "usr" / "sbin" / "policy-rc.d"
        policy.parent.mkdir(parents=True, exist_ok=True)
        policy.write_text(_NO_SERVICES)  # a package may start no service
        policy.chmod(0o755)
        inside = [
            str(self._place / "run"),
            "env",
            "DEBIAN_FRONTEND=noninteractive",
            "apt-get",
            "-qq",
        ]
        problem = self._done([*inside, "update"])
        if problem:
            self._say(f"apt-get update: {problem}")
        self._together("Debian", groups, [*inside, "install", "-y", "--no-install-recommends"])

    def _together(self, source: str, groups: Sequence[list[str]], install: list[str]) -> None:
        """Install all *groups* of packages at once; if that fails, one group after the other."""
        every = [*dict.fromkeys(one for group in groups for one in group)]
        self._say(f"{source}: {' '.join(every)}")
        if not self._done([*install, *every]):
            return
        for group in groups if len(groups) > 1 else [every]:
            problem = self._done([*install, *group])
            if problem:
                self._fail(source, group, problem)

    def _fail(self, source: str, wanted: Iterable[str], why: str) -> None:
        for one in wanted:
            self.failed[one] = f"{source}: {why}"

    def _done(self, command: Sequence[str]) -> str:
        """Run *command*; return why it failed, empty if it did not."""
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_PATIENCE,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"not done in {_PATIENCE:g} s"
        if not done.returncode:
            return ""
        lines = [line.strip() for line in (done.stderr or done.stdout).splitlines()]
        said = [line for line in lines if line]
        errors = [line for line in said if line.lower().startswith(("error", "e:", "npm err"))]
        return (errors or said or [f"status {done.returncode}"])[0]
