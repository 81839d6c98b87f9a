FROM node:24-slim AS build
WORKDIR /service
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json ./
COPY functions functions
RUN npm run build

FROM node:24-slim
LABEL org.opencontainers.image.title="functions-on-knative" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT"
WORKDIR /service
# One file holds all that runs: the functions and the libraries they use.
COPY --from=build /service/dist/main.js /service/dist/main.js.LEGAL.txt ./
ENV NODE_ENV=production
# `node` by number, so that Kubernetes can see that it is not root.
USER 1000:1000
EXPOSE 8080
CMD ["node", "main.js"]
