# One image for each of our programs: `docker build --build-arg WORKSPACE=hub --build-arg PROGRAM=hub/dist/main.js .`
# Only the production tree of that workspace is in it: no compiler, no tests, no other part's libraries.

FROM node:20-slim AS build
WORKDIR /app
COPY . .
RUN npm ci --include=dev --ignore-scripts && npm run build && rm -rf node_modules

FROM node:20-slim AS dependencies
ARG WORKSPACE
WORKDIR /app
COPY --from=build /app ./
RUN npm ci --omit=dev --ignore-scripts --workspace "$WORKSPACE" && npm cache clean --force

FROM node:20-slim
ARG PROGRAM
ENV NODE_ENV=production PROGRAM=$PROGRAM
WORKDIR /app
COPY --from=dependencies --chown=root:root /app ./
# Volumes mounted here take over owner and mode, so that the program can write without being root.
RUN mkdir -p /var/lib/drawbridge && chown node:node /var/lib/drawbridge && chmod 700 /var/lib/drawbridge
USER node
# Young objects live until their entry is committed. With room for them the core took a fifth to a quarter less CPU to encode,
# decode and apply entries (docs/performance.md); it costs up to 192 MB.
# The shell only puts the program's path in; node takes its place and gets the signals.
ENTRYPOINT ["/bin/sh", "-c", "exec node --max-semi-space-size=64 \"$PROGRAM\" \"$@\"", "drawbridge"]
