# In place of nginx:1.30: Debian's nginx of the same branch, which is in its next release.
FROM stand-in-debian:trixie
ARG MIRROR=http://deb.debian.org/debian
RUN groupadd --system --gid 101 nginx \
    && useradd --system --uid 101 --gid nginx --no-create-home nginx \
    && echo "deb $MIRROR sid main" >/etc/apt/sources.list.d/sid.list \
    && apt-get -o Acquire::Check-Valid-Until=false update \
    && apt-get install -y --no-install-recommends --target-release sid nginx curl \
    && rm -rf /var/lib/apt/lists/* /etc/nginx/modules-enabled/*
STOPSIGNAL SIGQUIT
CMD ["nginx", "-g", "daemon off;"]
