# geocast in a container: docs/operating.md says how it is run. The binary brings PROJ and its database along; the last stage
# has the C++ library that it needs, certificates, and no shell.
FROM node:22-bookworm-slim AS web
WORKDIR /build
COPY clients/js clients/js
COPY web web
WORKDIR /build/web
RUN npm ci --ignore-scripts && npm run build

FROM rust:1.95-slim-bookworm AS build
# What `scripts/setup build` would install.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends build-essential cmake pkg-config sqlite3 \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY . .
# The live map, which the binary has within it.
COPY --from=web /build/web/dist web/dist
RUN cargo build --release --locked -p geocast \
    && install -D -m 755 target/release/geocast /out/geocast \
    && install -d -m 755 /out/data

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /out/geocast /usr/bin/geocast
# Whoever mounts nothing at /data can give it to --data all the same.
COPY --from=build --chown=65532:65532 /out/data /data
# All networks of the container; which of them are reachable from outside, its host says.
ENV GEOCAST_HOST=0.0.0.0 GEOCAST_PORT=8765 GEOCAST_LOG_FORMAT=json
# By number, as orchestrators want it to see that it is not root.
USER 65532:65532
EXPOSE 8765
# It takes longer than the ten seconds that are waited by default (drain_delay, 3s, and drain_timeout, 25s): see `docker stop --time`.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["/usr/bin/geocast", "probe", "live"]
ENTRYPOINT ["/usr/bin/geocast"]
CMD ["serve"]
