# WePhone's server. docker-compose.yml builds it; by hand: docker build -t wephone .
FROM python:3.11-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
RUN python -m venv /opt/wephone
# What the lock names, each file checked against its hash, and nothing that would have to be compiled.
COPY requirements.lock ./
RUN /opt/wephone/bin/pip install --require-hashes --only-binary :all: --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY licensing licensing
COPY signaling signaling
COPY wephone wephone
RUN /opt/wephone/bin/pip install --no-deps --no-build-isolation --no-index .

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin wephone \
    && install --directory --owner wephone --group wephone --mode 700 /data
COPY --from=build /opt/wephone /opt/wephone
ENV PATH=/opt/wephone/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    WEPHONE_DATA=/data \
    WEPHONE_LISTEN=0.0.0.0:8080
USER 10001:10001
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
CMD ["wephone", "serve"]
