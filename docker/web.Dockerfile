# The site: no torch in here. Built from the root of the repository.
FROM node:22-bookworm-slim AS bundle
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY platform/config/bundle.mjs platform/config/bundle.mjs
COPY platform/config/static platform/config/static
RUN npm run build

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
RUN pip install --constraint constraints.txt --editable ".${EXTRAS:+[$EXTRAS]}" babel
COPY --from=bundle /app/platform/config/static/dist platform/config/static/dist
RUN pybabel compile --domain django --directory locale \
    && REKINDLE_VAR_DIR=/tmp/build REKINDLE_STATIC_DIR=/app/static \
       python manage.py collectstatic --no-input && rm -r /tmp/build
COPY docker/entrypoint.sh /entrypoint.sh
ENV REKINDLE_STATIC_DIR=/app/static
# The commit of all this, which backups name: --build-arg REVISION="$(git rev-parse HEAD)".
ARG REVISION=
ENV REKINDLE_REVISION=$REVISION
LABEL org.opencontainers.image.revision=$REVISION
USER 10001
VOLUME /var/lib/rekindle
EXPOSE 8000
ENTRYPOINT ["/entrypoint.sh"]
CMD ["web"]
