#!/usr/bin/env python
"""Django's command line.

`manage.py devstack` runs before Django is set up: it makes the settings the others need.
Beside a running devstack, every other command uses its services (see `devstack/environment.py`).
"""

import os
import runpy
import sys

from django.core.management import execute_from_command_line

from medisync.devstack import environment


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medisync.settings")
    if sys.argv[1:2] == ["devstack"]:
        del sys.argv[1]
        runpy.run_module("medisync.devstack", run_name="__main__", alter_sys=True)
    else:
        environment.join_running_devstack()
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
