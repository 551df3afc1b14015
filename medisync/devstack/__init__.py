"""The real stack on one machine: `manage.py devstack`.

PostgreSQL and Valkey (from wheels), an SMTP server that keeps mail instead of sending it, the
web server, a Celery worker and Celery beat, all started, watched and stopped together. A
service whose URL is in the environment is used as it is and not started. Everything it keeps
lies under `.local/`: delete that directory to begin again.

For development and tests only. Production runs the same programs (`docker-compose.yml`).
"""

# How `prepare` ends when one can sign in with the demo accounts.
HAS_DEMO = 3


class Problem(Exception):
    """Why the stack cannot run: one sentence that also says what to do."""
