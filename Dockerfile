# One image for every command: serve, worker, migrate, sandbox.
#   docker run --read-only --tmpfs /tmp -e ONBOARDING_… -p 8080:8080 IMAGE
#   docker run --read-only --tmpfs /tmp IMAGE migrate
#   docker run --read-only --tmpfs /tmp --no-healthcheck IMAGE worker   (it serves nothing)
#   docker run --read-only --tmpfs /tmp -p 8080:8080 -p 8081:8081 IMAGE sandbox --host 0.0.0.0
FROM python:3.11-slim-bookworm AS build

WORKDIR /build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY requirements.lock ./
RUN python -m venv /tools \
    && /tools/bin/python -m pip install --require-hashes --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
# The service's part of the lock, hashes and all, without the tools.
RUN cp requirements.lock service.lock \
    && /tools/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url \
        --no-annotate pyproject.toml --output-file service.lock \
    && python -m venv /service \
    && /service/bin/python -m pip install --require-hashes --requirement service.lock
COPY app app
COPY migrations migrations
COPY openapi/openapi.json openapi/openapi-3.0.json openapi/
RUN /tools/bin/python -m pip wheel --no-deps --no-build-isolation --wheel-dir wheels . \
    && /service/bin/python -m pip install --no-deps wheels/*.whl \
    && /service/bin/python -m pip uninstall --yes setuptools pip

FROM python:3.11-slim-bookworm

# The folder is not below anybody's home: the sandbox's PostgreSQL must reach its programs.
COPY --from=build /service /service
ENV PATH=/service/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# nobody: a user that exists, which PostgreSQL's initdb insists on, and that owns nothing.
USER 65534:65534
WORKDIR /tmp
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/health/live', timeout=2)"]
ENTRYPOINT ["onboarding"]
CMD ["serve", "--host", "0.0.0.0"]
