"""What `make run` starts with."""

from pathlib import Path

from deploy.launcher.standard import standard_system
from services.cli.__main__ import parser


def test_a_start_never_puts_an_older_policy_in_force(tmp_path: Path) -> None:
    system = standard_system(tmp_path, {}, lambda _: None)
    prepared = [parser().parse_args(command[1:]) for command in system.options.prepare]
    assert [arguments.if_newer for arguments in prepared if "if_newer" in arguments] == [True]
