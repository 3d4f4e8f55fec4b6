"""Kafka's jars on this machine: fetched once into a cache outside the tree, checked against the lock at every start."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from deploy.embedded.lock import Jar, kafka_version, parse

LOCK_FILE = Path(__file__).with_name("kafka.lock")
_PARALLEL_DOWNLOADS = 6

Say = Callable[[str], None]
Fetch = Callable[[Jar, Path], Path]


class JarError(Exception):
    """A jar could not be had, or is not the one that the lock names."""


def tell_terminal(line: str) -> None:
    """The default for `say`: news go to stderr."""
    print(line, file=sys.stderr, flush=True)


def cache_root() -> Path:
    """The user's cache folder for Tidegate, by the XDG rule."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "tidegate"


def locked() -> tuple[Jar, ...]:
    """The committed lock."""
    return parse(LOCK_FILE.read_text(encoding="utf-8"))


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch_from_central(jar: Jar, scratch: Path) -> Path:
    """Download one jar below `scratch` with jgo and return its path there."""
    from jgo.maven import MavenContext  # imports half of requests: only when something has to be fetched

    context = MavenContext(repo_cache=scratch, timeout=60)
    return Path(context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve())


def ensure(
    folder: Path, jars: Sequence[Jar], fetch: Fetch = fetch_from_central, say: Say = tell_terminal
) -> list[Path]:
    """Return the paths of all `jars` in `folder`, each with the locked hash; fetch those that are missing or wrong.

    Every jar is hashed at every call (40 MB take some 40 ms), so a cache that was tampered with is never run.
    Raises JarError when a jar cannot be fetched or what comes is not what the lock names.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [jar for jar in jars if not _is_good(folder / jar.filename, jar, say)]
    if wanted:
        say(f"downloading {len(wanted)} of Kafka's {len(jars)} jars into {folder}")
        with tempfile.TemporaryDirectory(prefix="fetch-", dir=folder) as scratch:
            _fetch_all(wanted, folder, Path(scratch), fetch, say)
    return [folder / jar.filename for jar in jars]


def ensure_locked(say: Say = tell_terminal) -> list[Path]:
    """The class path of the locked Kafka, in the user's cache."""
    jars = locked()
    return ensure(cache_root() / f"kafka-{kafka_version(jars)}", jars, say=say)


def _is_good(path: Path, jar: Jar, say: Say) -> bool:
    if not path.is_file():
        return False
    if sha256_of(path) == jar.sha256:
        return True
    say(f"{path.name} in the cache is not the locked one: fetching it again")
    return False


def _fetch_all(wanted: Iterable[Jar], folder: Path, scratch: Path, fetch: Fetch, say: Say) -> None:
    jars = list(wanted)
    with ThreadPoolExecutor(_PARALLEL_DOWNLOADS) as pool:
        pending = {pool.submit(_fetch_one, jar, folder, scratch, fetch): jar for jar in jars}
        try:
            for done, future in enumerate(as_completed(pending), start=1):
                size = future.result()
                say(f"  {done:3}/{len(jars)}  {pending[future].filename}  {size / 1e6:.1f} MB")
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _fetch_one(jar: Jar, folder: Path, scratch: Path, fetch: Fetch) -> int:
    place = scratch / jar.filename
    place.mkdir()
    try:
        fetched = fetch(jar, place)
    except Exception as error:
        raise JarError(f"{jar.coordinates} could not be downloaded: {error}") from error
    actual = sha256_of(fetched)
    if actual != jar.sha256:
        raise JarError(f"{jar.coordinates} is not the locked one: sha256 {actual}, locked {jar.sha256}")
    size = fetched.stat().st_size
    fetched.replace(folder / jar.filename)  # atomic: another process sees the whole jar or none
    shutil.rmtree(place)
    return size
