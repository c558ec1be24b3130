# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role that schedules the runs says of its settings, and how it writes them down."""

from __future__ import annotations

import functools
import re
import shlex
import typing as t

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Timeouts
from ansible_collections.fife.managed_tokens.plugins.module_utils._settings_names import (
    CONTROLLER_SETTINGS,
    KNOWN_SETTINGS,
)
from ansible_collections.fife.managed_tokens.tests.unit.roles.test_settings import (
    ASPECTS,
    CHECKOUT,
    report_options,
)
from ansible_collections.fife.managed_tokens.tests.unit.roles.test_settings import (
    OPTIONS as OTHER_ROLES,
)

ROLE = CHECKOUT / "roles" / "controller"
PREFIX = "managed_tokens_controller_"
FACTS = {"service_mgr": "systemd", "user_uid": 0, "user_id": "root"}
ID = "uid=1001(mtokens) gid=1002(fife) groups=1002(fife)"


@functools.cache
def load(path: str) -> t.Any:
    return DataLoader().load_from_file(str(ROLE / path), trusted_as_template=True)


OPTIONS: dict[str, dict[str, t.Any]] = load("meta/argument_specs.yml")["argument_specs"]["main"]["options"]


class Machine:
    """A machine as the role has found it, with settings."""

    def __init__(self, *, facts: dict[str, t.Any] | None = None, **given: t.Any) -> None:
        self.variables: dict[str, t.Any] = {
            "role_path": str(ROLE),
            "inventory_hostname": "tokens.example.org",
            "ansible_playbook_python": "/opt/venv/bin/python",
            "ansible_facts": FACTS | (facts or {}),
            **load("vars/main.yml"),
            **given,
        }
        self.found(account=ID)

    def found(
        self, *, account: str = "", marks: t.Sequence[str] = (), owners: t.Sequence[str] = (), ping: str = "1\t0"
    ) -> Machine:
        """Say what the looks at the machine have given."""
        self.variables |= {
            "__controller_id_result": {"rc": 0 if account else 1, "stdout": account},
            "__controller_marks_result": {"stdout_lines": list(marks)},
            "__controller_owners_result": {"stdout_lines": list(owners)},
            "__controller_ping_result": {"stdout": ping},
        }
        return self

    def value(self, name: str, **more: t.Any) -> t.Any:
        """Resolve a variable of the role."""
        loader = DataLoader()
        loader.set_basedir(str(ROLE))
        variables = {**self.variables, **more}
        return Templar(loader=loader, variables=variables).template(variables[name])

    def complaints(self, tasks: str, name: str) -> list[str]:
        """Give what a check of the role says."""
        (check,) = [task for task in load(f"tasks/{tasks}.yml") if "ansible.builtin.assert" in task]
        return list(self.value(name, **check["vars"]))

    def problems(self) -> list[str]:
        return self.complaints("settings", "__controller_problems")

    def conflicts(self) -> list[str]:
        return self.complaints("look", "__controller_conflicts")


def test_role_settings_of_its_own_are_exactly_the_known_ones() -> None:
    assert {name for name in OPTIONS if name.startswith(PREFIX)} == CONTROLLER_SETTINGS
    assert OPTIONS.keys() <= KNOWN_SETTINGS


@pytest.mark.parametrize("name", sorted(OPTIONS.keys() - CONTROLLER_SETTINGS))
def test_role_settings_that_others_have_too_are_the_same(name: str) -> None:
    report = {variable["name"]: option for option in report_options().values() for variable in option["vars"]}
    others = [options[name] for options in OTHER_ROLES.values() if name in options]
    assert others or name in report
    for other in others or [report[name]]:
        for aspect, absent in ASPECTS:
            assert OPTIONS[name].get(aspect, absent) == other.get(aspect, absent), aspect


def test_role_defaults_are_the_documented_ones() -> None:
    text = "".join((ROLE / path).read_text(encoding="utf-8") for path in ("vars/main.yml", "tasks/look.yml"))
    for name, option in OPTIONS.items():
        given = set(re.findall(rf"\b{name} \| default\((.*?)\)", text))
        wanted = option.get("default")
        if wanted is None:  # it depends on the machine
            continue
        literal = str(wanted).lower() if isinstance(wanted, bool) else repr(wanted)
        assert given == {literal}, name
    assert Machine().value("__controller_run_limit") == Timeouts().run


def test_settings_that_are_right_are_not_complained_of() -> None:
    assert Machine().problems() == []
    assert Machine(facts={"service_mgr": "init"}).problems() == []
    found = Machine().found(
        account=ID, owners=["root:directory:/etc/managed-tokens", "mtokens:directory:/var/lib/managed-tokens"]
    )
    assert found.conflicts() == []


# Settings without the prefix managed_tokens_, and the sentence that is said of them.
BAD: list[tuple[dict[str, t.Any], str]] = [
    ({"controller_usr": "x"}, "The variable managed_tokens_controller_usr is unknown"),
    (
        {"controller_user": "root"},
        "managed_tokens_controller_user is 'root'; it has to be the name of an ordinary account",
    ),
    ({"controller_user": "a b"}, "managed_tokens_controller_user is 'a b'"),
    ({"controller_directory": "etc"}, "managed_tokens_controller_directory is 'etc'; it has to be an absolute path."),
    ({"controller_ansible_playbook": "ap"}, "managed_tokens_controller_ansible_playbook is 'ap'"),
    ({"controller_options": ["a\nb"]}, "managed_tokens_controller_options holds a line break"),
    ({"controller_secrets": {"A": "s3cret\nx"}}, "managed_tokens_controller_secrets holds a line break"),
    ({"controller_push_minutes": []}, "managed_tokens_controller_push_minutes is empty"),
    (
        {"controller_push_minutes": [5, 60]},
        "managed_tokens_controller_push_minutes has 60; a minute is between 0 and 59.",
    ),
    (
        {"controller_refresh_time": "750"},
        "managed_tokens_controller_refresh_time is '750'; it has to be a time like 06:00",
    ),
    ({"controller_status_minutes": [5]}, "managed_tokens_status_page, which is to be written then, is not."),
    ({"controller_delay": -1}, "managed_tokens_controller_delay is -1"),
    ({"controller_log_weeks": -1}, "managed_tokens_controller_log_weeks is -1"),
    ({"timeouts": {"run": "long"}}, "managed_tokens_timeouts.run is 'long'; it has to be a number of seconds."),
    ({"controller_environment": {"A-B": "x"}}, "managed_tokens_controller_environment has 'A-B', which is no name"),
    ({"controller_secrets": {"A B": "x"}}, "managed_tokens_controller_secrets has 'A B', which is no name"),
    (
        {"controller_schedule": "cron", "controller_environment": {"A": "'\""}},
        "managed_tokens_controller_environment.A has both kinds of quotes",
    ),
    ({"controller_schedule": "cron", "controller_options": ["x" * 1000]}, "A line for cron would have more than 990"),
    ({"controller_mailto": ["a b"]}, "managed_tokens_controller_mailto (or managed_tokens_admin_emails) has 'a b'"),
    ({"controller_on_failure": "mail"}, "managed_tokens_controller_on_failure is 'mail'"),
    ({"log_file": "x.log"}, "managed_tokens_log_file has the directory ''; it has to be an absolute path."),
    ({"log_file": '/var/log/mt/"'}, "managed_tokens_log_file has a double quote"),
    ({"log_file": "/var/log/x.log"}, "managed_tokens_log_file has the directory '/var/log', which is the system's"),
    (
        {"database": "sqlite:////var/lib/x.db"},
        "managed_tokens_database has the directory '/var/lib', which is the system's",
    ),
    ({"keytab_path": "/etc"}, "managed_tokens_keytab_path has the directory '/etc', which is the system's"),
    (
        {"last_run_file": "/tmp/x/y"},
        "managed_tokens_last_run_file is in /tmp/x, and a unit of systemd has a /tmp of its own",
    ),
    ({"token_dir": "/var/tmp/x"}, "managed_tokens_token_dir is in /var/tmp/x, and a unit of systemd"),
]


@pytest.mark.parametrize(
    ("settings", "sentence"), BAD, ids=lambda item: next(iter(item)) if isinstance(item, dict) else ""
)
def test_settings_that_are_wrong_are_named_in_one_sentence(settings: dict[str, t.Any], sentence: str) -> None:
    (problem,) = Machine(**{f"managed_tokens_{name}": value for name, value in settings.items()}).problems()
    assert sentence in problem
    assert "s3cret" not in problem


def test_settings_without_root_are_refused() -> None:
    (problem,) = Machine(facts={"user_uid": 1001, "user_id": "ada"}).problems()
    assert "This needs root on tokens.example.org, and is ada there" in problem


FINE = ["root:directory:/etc/managed-tokens"]
CONFLICTS: list[tuple[dict[str, t.Any], str]] = [
    ({"owners": FINE}, "managed_tokens_controller_user is mtokens, and tokens.example.org has no such account"),
    (
        {"owners": FINE, "account": "uid=0(mtokens) gid=0(root)"},
        "managed_tokens_controller_user is mtokens, which has the UID 0",
    ),
    (
        {"owners": [], "account": ID},
        "managed_tokens_controller_directory is /etc/managed-tokens, which is no directory",
    ),
    (
        {"owners": FINE, "account": ID, "marks": ["/etc/systemd/system/managed-tokens-push.timer:0"]},
        "/etc/systemd/system/managed-tokens-push.timer is there, and was not made by this role: move it away first.",
    ),
    (
        {"owners": [*FINE, "ada:directory:/opt/managed-tokens/keytabs"], "account": ID},
        "/opt/managed-tokens/keytabs, which belongs to ada and not to mtokens",
    ),
    (
        {"owners": [*FINE, "mtokens:regular file:/opt/managed-tokens/keytabs"], "account": ID},
        "managed_tokens_keytab_path has the directory /opt/managed-tokens/keytabs, which is a regular file.",
    ),
]


@pytest.mark.parametrize(("found", "sentence"), CONFLICTS)
def test_things_of_others_are_named_and_not_taken(found: dict[str, t.Any], sentence: str) -> None:
    (conflict,) = Machine().found(**found).conflicts()
    assert sentence in conflict
    assert Machine(managed_tokens_controller_state="absent").found(**found).conflicts() == []


def test_directories_are_left_alone_when_the_site_says_so() -> None:
    machine = Machine(managed_tokens_controller_directories=False, managed_tokens_log_file="/var/log/x.log")
    assert (machine.problems(), machine.value("__controller_own_places")) == ([], [])


def test_directory_that_is_two_things_gets_the_narrower_mode() -> None:
    machine = Machine(managed_tokens_token_dir="/srv/mt", managed_tokens_database="/srv/mt/state.db")
    assert [item["mode"] for item in machine.value("__controller_own_places") if item["path"] == "/srv/mt"] == ["0700"]


def test_database_by_url_has_no_directory() -> None:
    machine = Machine(managed_tokens_database="postgresql+psycopg://user@host/database")
    assert "managed_tokens_database" not in [item["setting"] for item in machine.value("__controller_places")]


@pytest.mark.parametrize(
    ("ping", "wanted"), [("1\t0", True), ("0\t2147483647", False), ("1002\t1002", False), ("0\t1001", True), ("", True)]
)
def test_unit_gets_the_capability_for_ping_only_where_it_needs_it(ping: str, wanted: bool) -> None:
    machine = Machine().found(account=ID, ping=ping)
    template = trust_as_template("{{ lookup('ansible.builtin.template', 'service.j2') }}")
    text = machine.value("x", x=template, __controller_job={"name": "n", "playbook": "p", "what": "w"})
    assert ("\nAmbientCapabilities=CAP_NET_RAW\n" in text) is wanted


NASTY = "a \"b\" 'c' $HOME `d` \\e %f #g"


def test_secrets_are_the_same_to_a_shell_and_to_systemd() -> None:
    machine = Machine(managed_tokens_controller_secrets={"A": NASTY})
    text = machine.value("x", x=trust_as_template("{{ lookup('ansible.builtin.template', 'secrets.env.j2') }}"))
    (line,) = [line for line in text.splitlines() if not line.startswith("#")]
    # Source: systemd's parse_env_file takes the backslash away before these in double quotes, as a shell does.
    assert re.sub(r'\\(["\\$`])', r"\1", line) == f'A="{NASTY}"'
    assert not re.search(r"(?<!\\)(?:\\\\)*[$`]", line)


def test_words_arrive_in_a_unit_as_they_are() -> None:
    machine = Machine(managed_tokens_controller_options=[NASTY], managed_tokens_controller_environment={"A": NASTY})
    text = machine.value(
        "x",
        x=trust_as_template("{{ lookup('ansible.builtin.template', 'service.j2') }}"),
        __controller_job={"name": "n", "playbook": "p", "what": "w"},
    )
    (start,) = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
    # Source: systemd.service(5); what is left then are double quotes with backslashes, as in a shell.
    assert not {"$", "%"} & set(start.replace("$$", "").replace("%%", ""))
    plain = start.replace("%%", "%").replace("$$", "\0")
    assert [word.replace("\0", "$") for word in shlex.split(plain)][-2:] == [NASTY, "fife.managed_tokens.p"]
    assert f"A={NASTY}" in [
        shlex.split(item.replace("%%", "%"))[0] for item in re.findall(r"^Environment=(.*)$", text, re.MULTILINE)
    ]
