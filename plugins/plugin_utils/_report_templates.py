# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Fill in the templates of the mails: an operator's own where there is one, and the built-in one where that is broken.

Templates get texts of strangers only as values, HTML escaped, and can reach nothing but those values.
"""

from __future__ import annotations

import os
import typing as t
from functools import lru_cache
from pathlib import Path

from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import one_line
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_headline import counted
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_text import table, wrapped

BUILT_IN = Path(__file__).resolve().parents[2] / "templates" / "report"


def filled_in(name: str, values: t.Mapping[str, t.Any], template_dir: str, problems: list[str]) -> str:
    """Give the template `name` filled in; `template_dir` holds an operator's own ("" for none).

    What is wrong with those is added to `problems`, one sentence for each file.
    """
    if template_dir:
        own = os.path.abspath(os.path.expanduser(template_dir))
        if not os.path.isdir(own):
            _add(problems, f"There is no directory {own} for templates, so the built-in ones were used.")
        elif os.path.lexists(os.path.join(own, name)):
            try:
                return _environment(own).get_template(name).render(values)
            except Exception as err:  # noqa: BLE001 - a template can raise anything, and the mail is to be sent
                _add(problems, _broken(err, own, name))
    return _environment("").get_template(name).render(values)


# Compiled once for all messages of a report.
@lru_cache(maxsize=4)
def _environment(own: str) -> ImmutableSandboxedEnvironment:
    built_in = FileSystemLoader(BUILT_IN)
    environment = ImmutableSandboxedEnvironment(
        loader=ChoiceLoader([FileSystemLoader(own), built_in]) if own else built_in,
        autoescape=lambda name: not str(name).endswith(".txt.j2"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(wrapped=wrapped, table=table, counted=counted)
    return environment


def _broken(error: Exception, own: str, name: str) -> str:
    file, line = os.path.join(own, name), 0
    if isinstance(error, TemplateSyntaxError):
        file, line = error.filename or file, error.lineno
    else:
        # Jinja puts the template's own lines into the traceback.
        trace = error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename.startswith(own + os.sep):
                file, line = trace.tb_frame.f_code.co_filename, trace.tb_lineno
            trace = trace.tb_next
    words = error.message if isinstance(error, TemplateError) else None
    reason = one_line(words or str(error) or type(error).__name__, 160).rstrip(".")
    where = f"{one_line(file, 200)}{f', line {line},' if line else ''}"
    return f"The template {where} is broken ({reason}), so the built-in one was used."


def _add(problems: list[str], problem: str) -> None:
    if problem not in problems:
        problems.append(problem)
