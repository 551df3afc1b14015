# The two commands of a newcomer: `make run` and `make test`. Both need only Python >= 3.11.
#
#   make test PYTHON=python3.12    another interpreter, in a virtual environment of its own
#   make run PORT=8001             another port

IS_SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(or $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c '$(IS_SUPPORTED)' 2>/dev/null && echo $$python && break; done),python3)
PORT ?= 8000
WORKERS ?= auto
ARGS ?=

VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
VENV := $(if $(filter command environment,$(origin PYTHON)),.venv-$(VERSION),.venv)
BIN := $(VENV)/bin

# `make check` judges the settings of production; nothing is connected to.
PRODUCTION := \
	DEBUG=0 \
	SECRET_KEY=not-a-secret-only-for-checks-0123456789-abcdefghijklmnopqrstuvwxyz \
	FIELD_ENCRYPTION_KEYS=check1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= \
	BLIND_INDEX_KEY=not-a-secret-either-only-for-checks \
	HEALTH_CARD_SIGNING_KEYS=MEECAQAwEwYHKoZIzj0CAQYIKoZIzj0DAQcEJzAlAgEBBCABAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ== \
	DATABASE_URL=postgresql://medisync@localhost/medisync \
	REDIS_URL=redis://localhost/0 \
	EMAIL_URL=smtp+tls://localhost:587 \
	SITE_URL=https://medisync.example \
	ALLOWED_HOSTS=medisync.example \
	TRUSTED_PROXY_COUNT=1
TEMPLATES = $(shell find templates -name '*.html')

.DEFAULT_GOAL := help
.PHONY: help run test check lock messages clean python

help:  ## This list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/make \1\t\2/' | expand -t 16

run: $(VENV)/.runtime  ## Run everything here: real services, demo data, http://127.0.0.1:8000
	@$(BIN)/python manage.py devstack --port $(PORT)

test: $(VENV)/.development  ## The whole test suite
	@ran=no; for how in "-n $(WORKERS)" --alone; do \
		$(BIN)/pytest $$how $(ARGS); status=$$?; \
		case $$status in 0) ran=yes ;; 5) ;; *) exit $$status ;; esac; \
	done; [ $$ran = yes ]

check: $(VENV)/.development  ## Everything that can be judged without running the product
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(PRODUCTION) $(BIN)/mypy .
	$(BIN)/djade --check --target-version 5.2 $(TEMPLATES)
	$(BIN)/djhtml --check --tabwidth 2 $(TEMPLATES)
	$(PRODUCTION) $(BIN)/python -W ignore manage.py makemigrations --check --dry-run
	$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(PRODUCTION) $(BIN)/python manage.py spectacular --validate --fail-on-warn --file /dev/null

lock: $(VENV)/.development  ## Pin the newest allowed versions in requirements*.txt
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
		--no-strip-extras --no-emit-index-url --output-file requirements.txt requirements.in
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
		--no-strip-extras --no-emit-index-url --output-file requirements-dev.txt requirements-dev.in

messages: $(VENV)/.development  ## Collect the sentences to translate (needs gettext)
	$(PRODUCTION) $(BIN)/python manage.py makemessages --locale ar \
		--no-obsolete --no-location --no-wrap \
		--ignore '.venv*' --ignore '.local'

clean:  ## Remove virtual environments, caches and built files; data in .local stays
	rm -rf .venv .venv-3.* .mypy_cache .pytest_cache .ruff_cache .hypothesis staticfiles htmlcov .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find locale -name '*.mo' -delete

# Installed anew only when a lock has changed.
$(VENV)/.runtime: requirements.txt | $(BIN)/pip
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(VENV)/.development: requirements-dev.txt | $(BIN)/pip
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $(VENV)/.runtime $@

$(BIN)/pip: | python
	$(PYTHON) -m venv $(VENV)

python:
	@$(PYTHON) -c '$(IS_SUPPORTED)' 2>/dev/null || { \
		echo "MediSync needs Python 3.11, 3.12 or 3.13; $(PYTHON) is $(or $(VERSION),not there)." \
			"Install one (Debian: apt install python3 python3-venv) or name it: make run PYTHON=python3.12" >&2; \
		exit 1; }
