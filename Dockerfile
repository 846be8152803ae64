# The shop in containers is this one image: web, worker, scheduler, migrations and every command.
# docker-compose.yml says how it is run; docs/deployment-compose.md explains.

FROM python:3.13-slim-trixie AS packages
COPY requirements.txt requirements-observing.txt /
# OBSERVING=1 brings what sends traces and faults somewhere: docs/observing.md.
ARG OBSERVING=
RUN --mount=type=cache,target=/var/cache/pip \
    python -m venv /venv \
    && PIP_CACHE_DIR=/var/cache/pip /venv/bin/python -m pip install --disable-pip-version-check --require-hashes -r /requirements.txt \
        ${OBSERVING:+-r /requirements-observing.txt}

FROM packages AS code
ENV PATH=/venv/bin:$PATH \
    DJANGO_SETTINGS_MODULE=site_config.settings.production \
    STATIC_ROOT=/app/static
WORKDIR /app
COPY . .
# Production settings insist on a key and a way to be paid. These stand for them on this one line;
# they open nothing, and the running shop never sees them. Bytecode is made here, for nothing can be
# written there later.
RUN SECRET_KEY=only-while-the-image-is-built-and-then-never-again-anywhere \
    SITE_BASE_URL=http://127.0.0.1:8000 STRIPE_SANDBOX=1 DATABASE_URL=sqlite:////tmp/none.sqlite3 \
    VAR_DIR=/tmp/var MEDIA_ROOT=/tmp/media \
    python manage.py collectstatic --noinput --verbosity 0 \
    && python -m compileall -q /app

FROM python:3.13-slim-trixie
# pg_dump and pg_restore, for `manage.py backup` and `restore`; of the base image's Debian, whatever its version.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends postgresql-client-17 \
    && rm -rf /var/lib/apt/lists/*
# Every folder that a volume covers is made here, because a new volume takes owner and rights from it.
RUN groupadd --gid 10001 shop \
    && useradd --uid 10001 --gid shop --home-dir /data --no-create-home --shell /usr/sbin/nologin shop \
    && install -d -o shop -g shop -m 750 /data /data/media /data/protected /data/var /data/tmp /data/s3 /keys /backups \
    && install -d -o shop -g shop /srv/static
ENV PATH=/venv/bin:$PATH \
    DJANGO_SETTINGS_MODULE=site_config.settings.production \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PORT=8000 \
    STATIC_ROOT=/app/static \
    VAR_DIR=/data/var \
    MEDIA_ROOT=/data/media \
    PROTECTED_MEDIA_ROOT=/data/protected \
    TMPDIR=/data/tmp
COPY --from=packages /venv /venv
COPY --from=code /app /app
WORKDIR /app
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "deploy/shop/healthy.py"]
CMD ["deploy/shop/web"]
