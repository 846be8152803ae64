# In place of valkey/valkey:8.1.
FROM stand-in-debian:trixie
RUN groupadd --system --gid 999 valkey \
    && useradd --system --uid 999 --gid valkey --no-create-home valkey \
    && apt-get update \
    && apt-get install -y --no-install-recommends valkey-server valkey-tools \
    && rm -rf /var/lib/apt/lists/* \
    && install -d -o valkey -g valkey /data
WORKDIR /data
CMD ["valkey-server"]
