# The server as an image: docs/operations.md, "Containers". test/tools/dockerfile.test.ts runs these steps as a script,
# which is why they are plain: paths below /app, one command in a RUN, commands as lists.

FROM node:24.21.0-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional

FROM node:24.21.0-slim
WORKDIR /app
# the number of the image's user `node`: Kubernetes can tell from a number alone that it is not root
RUN install --directory --owner=1000 --group=1000 --mode=0700 data
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY deploy ./deploy
COPY migrations ./migrations
COPY views ./views
COPY src ./src
# DATABASE_URL is left alone, so that DATABASE_URL_FILE can be given: its default is a file in /app/data
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 KEYS_DIR=/app/data/keys NODE_COMPILE_CACHE=/tmp/latchkey
USER 1000:1000
VOLUME /app/data
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "src/main.ts"]
