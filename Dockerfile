FROM python:3.13-slim-bookworm

ENV DJANGO_SETTINGS_MODULE=site_config.settings.production \
    PYTHONUNBUFFERED=1 \
    PORT=8000 \
    WEB_THREADS=16 \
    STATIC_ROOT=/app/static \
    VAR_DIR=/data \
    MEDIA_ROOT=/data/media \
    PROTECTED_MEDIA_ROOT=/data/protected

RUN useradd --uid 10001 --create-home shop \
    && install -d -o shop -g shop /data/media /data/protected

WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt
COPY . .

# Production settings insist on a key and a way to be paid. These stand for them on this one line;
# they open nothing, and the running shop never sees them.
RUN SECRET_KEY=only-while-the-image-is-built-and-then-never-again-anywhere \
    SITE_BASE_URL=http://127.0.0.1:8000 STRIPE_SANDBOX=1 DATABASE_URL=sqlite:////tmp/none.sqlite3 \
    python manage.py collectstatic --noinput --verbosity 0

USER 10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=90s --retries=6 \
    CMD ["python", "-c", "import os, urllib.request as web; web.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz/', timeout=4)"]

# Threads, because a download keeps one busy while it lasts; more than one process needs REDIS_URL.
CMD ["sh", "-c", "python manage.py migrate --noinput && exec gunicorn site_config.wsgi:application --bind \"0.0.0.0:$PORT\" --worker-class site_config.web_worker.WebWorker --workers 1 --threads \"$WEB_THREADS\" --worker-tmp-dir /dev/shm --graceful-timeout 25 --no-control-socket"]
