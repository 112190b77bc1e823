# The image: the binary, with the Swift runtime in it, and the libraries of Debian 13 that it is linked with. No shell, no package
# manager; any user may run it, and its root may be read-only.
#
#   make image                               TAG=sluice:0.1.0-dev by default
#   docker build --build-arg SLUICE_BUILD_COMMIT=$(git rev-parse --short=12 HEAD) --tag sluice:0.1.0-dev .

FROM debian:trixie-slim AS toolchain
ARG SWIFT_VERSION=6.3.1
# Swift 6.x Release Signing Key <swift-infrastructure@forums.swift.org>
ARG SWIFT_SIGNING_KEY=52BB7E3DE28A71BE22EC05FFEF80A866B47A981F
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends ca-certificates curl gpg
RUN case $(dpkg --print-architecture) in amd64) suffix=;; arm64) suffix=-aarch64 ;; *) exit 1 ;; esac; \
    archive=https://download.swift.org/swift-$SWIFT_VERSION-release/debian12$suffix/swift-$SWIFT_VERSION-RELEASE; \
    archive+=/swift-$SWIFT_VERSION-RELEASE-debian12$suffix.tar.gz; \
    curl --fail --silent --show-error --location --output /swift.tar.gz "$archive" --output /swift.sig "$archive.sig"; \
    curl --fail --silent --show-error --location https://www.swift.org/keys/all-keys.asc | gpg --batch --quiet --import; \
    gpg --batch --status-fd 1 --verify /swift.sig /swift.tar.gz | grep -q "^\[GNUPG:\] VALIDSIG $SWIFT_SIGNING_KEY "; \
    mkdir /opt/swift; tar --extract --gzip --file /swift.tar.gz --directory /opt/swift --strip-components=1; rm /swift.*

FROM debian:trixie-slim AS build
COPY scripts/image /source/scripts/image
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends $(/source/scripts/image --packages)
COPY --from=toolchain /opt/swift /opt/swift
ENV PATH=/usr/bin:/usr/sbin:/opt/swift/usr/bin LC_ALL=C.UTF-8
COPY . /source
ARG SLUICE_BUILD_COMMIT=unknown
RUN SLUICE_BUILD_COMMIT=$SLUICE_BUILD_COMMIT /source/scripts/image --root /image

FROM scratch
COPY --from=build /image/ /
USER 15480:15480
ENTRYPOINT ["/usr/bin/sluice"]
CMD ["run"]
