"""The package of the corpus for npm: a directory, and the same as a tarball.

``python -m tools.corpus_package DIR`` writes ``DIR/package``, in which ``npm publish`` works, and
the tarball that ``npm pack`` would make there.  The same kit gives the same bytes.
"""

import gzip
import io
import json
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path

from conformance.cases import Cases, fixtures_directory, load_corpus
from conformance.export import export_lines

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "examples" / "corpus"


def files(cases: Cases) -> dict[str, bytes]:
    """Return the content of each file of the package of *cases*, by its name."""
    digest, kit = load_corpus().digest, version("httplib-kit")
    about = json.loads((SOURCE / "package.json").read_bytes())
    return {
        "package.json": f"{json.dumps({**about, 'version': kit}, indent=2)}\n".encode(),
        "README.md": (SOURCE / "README.md").read_bytes(),
        "LICENSE": (ROOT / "LICENSE").read_bytes(),
        "play.mjs": (SOURCE / "play.mjs").read_bytes(),
        "corpus.json": "".join(export_lines(cases, kit=kit, corpus=digest)).encode(),
        "schema.json": (fixtures_directory() / "export.schema.json").read_bytes(),
    }


def tarball(content: dict[str, bytes]) -> bytes:
    """Return a compressed archive of *content* in the form of npm, without times and owners."""
    made = io.BytesIO()
    with (
        gzip.GzipFile(filename="", fileobj=made, mode="wb", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name, data in content.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size, entry.mode = len(data), 0o755 if name == "play.mjs" else 0o644
            archive.addfile(entry, io.BytesIO(data))
    return made.getvalue()


def write(place: Path, content: dict[str, bytes]) -> None:
    """Write the package and its tarball into the directory *place*."""
    package = place / "package"
    package.mkdir(parents=True, exist_ok=True)
    for name, data in content.items():
        (package / name).write_bytes(data)
    about = json.loads(content["package.json"])
    (place / f"{about['name']}-{about['version']}.tgz").write_bytes(tarball(content))


if __name__ == "__main__":
    write(Path(sys.argv[1]), files(load_corpus().every))
