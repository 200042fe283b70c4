# A worker. For the generative backend build with --build-arg EXTRAS=gpu on a machine with a card,
# for traces with EXTRAS=otel, for both with EXTRAS=gpu,otel.
FROM python:3.11-slim-bookworm
ARG EXTRAS=
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 \
    PATH=/venv/bin:$PATH PYTHONPATH=/app/platform:/app REKINDLE_VAR_DIR=/var/lib/rekindle
RUN python -m venv /venv && useradd --system --create-home --uid 10001 rekindle \
    && install --directory --owner rekindle /var/lib/rekindle
WORKDIR /app
COPY pyproject.toml constraints.txt LICENSE NOTICE ./
COPY manage.py manage.py
COPY platform platform
COPY restoration restoration
COPY archive archive
COPY templates templates
COPY locale locale
# A worker writes for people too: an evidence pack is in both languages.
RUN pip install --constraint constraints.txt --editable ".${EXTRAS:+[$EXTRAS]}" babel \
    && pybabel compile --domain django --directory locale
COPY docker/entrypoint.sh /entrypoint.sh
# The commit of all this, which backups name: --build-arg REVISION="$(git rev-parse HEAD)".
ARG REVISION=
ENV REKINDLE_REVISION=$REVISION
LABEL org.opencontainers.image.revision=$REVISION
USER 10001
VOLUME /var/lib/rekindle
ENTRYPOINT ["/entrypoint.sh"]
CMD ["worker", "cpu"]
