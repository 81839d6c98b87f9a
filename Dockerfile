# Two builds of one commit with the same base image give the same layers: see docs/deploy.md.

# JavaScript is the same on every platform, so it is built on the platform of the machine that builds.
FROM --platform=$BUILDPLATFORM node:24-slim AS build
WORKDIR /service
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json ./
COPY functions functions
RUN npm run build

FROM node:24-slim AS runtime
WORKDIR /service
# These hold all that runs: the functions, and the libraries that they load once they listen.
COPY --from=build /service/dist/main.js /service/dist/libraries.js /service/dist/jose.js \
     /service/dist/opentelemetry.js /service/dist/built-page.js /service/dist/openapi.json \
     /service/dist/*.LEGAL.txt ./
ENV NODE_ENV=production
# Under load a fifth less memory, for some 4 % of the CPU of GET /time: a small young generation, and
# one arena of malloc instead of several a core.
ENV NODE_OPTIONS=--max-semi-space-size=2 MALLOC_ARENA_MAX=1
# `node` by number, so that Kubernetes can see that it is not root.
USER 1000:1000

# Starts once and answers once, so that every later start finds its code compiled. The two options make
# the compiled code the same in every build.
FROM runtime AS cache
RUN NODE_COMPILE_CACHE=/tmp/cache MONGO_HOST=localhost LOG_LEVEL=silent PORT=0 \
      node --predictable --random-seed=1 --eval \
      "require('./main').start().then(({ url }) => fetch(url + '/time')).then(() => process.exit())" && \
    chmod -R a+rX /tmp/cache

FROM runtime
COPY --from=cache --chown=0:0 /tmp/cache cache
ENV NODE_COMPILE_CACHE=/service/cache
EXPOSE 8080
CMD ["node", "main.js"]

# npm run image gives both. Last, so that a new revision rebuilds nothing above.
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="functions-on-knative" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.licenses="MIT"
ENV REVISION=$REVISION
