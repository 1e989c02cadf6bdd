# Debian, not Alpine: the embedded analytics engine has no build for musl.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
COPY terminal/string-width terminal/string-width
# The package node-av would fetch an ffmpeg of its own: the image brings Debian's.
ENV SKIP_FFMPEG=true
RUN npm ci --no-audit --no-fund
COPY . .
RUN node bin/build.mjs && npm prune --omit=dev --no-audit --no-fund

FROM node:24-bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ffmpeg tini \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --create-home --shell /usr/sbin/nologin cliptape \
 && install -d -o cliptape -g cliptape -m 0700 /data
WORKDIR /app
COPY --from=build --chown=root:root /app ./
ENV NODE_ENV=production CLIPTAPE_HOME=/data
USER cliptape
VOLUME ["/data"]
EXPOSE 4400
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 4400}/healthz`).then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# tini reaps the engine's process when it is restarted, and passes signals on.
ENTRYPOINT ["tini", "--", "node", "bin/cliptape.mjs"]
CMD ["serve"]
