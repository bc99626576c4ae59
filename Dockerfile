# The local gateway as an image: the API, its pages, and a SQLite file in the volume /data. AWS needs no image; it runs
# the functions of template.yaml.
#
#   docker build --tag orgs .
#   docker run --rm --publish 127.0.0.1:8080:8080 --volume orgs:/data orgs

FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags='-s -w' -o /orgs ./cmd/orgs && mkdir -m 700 /data

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /orgs /orgs
COPY --from=build --chown=65532:65532 /data /data
USER 65532:65532
WORKDIR /data
ENV ORGS_STORE=sqlite:/data/orgs.db
EXPOSE 8080
ENTRYPOINT ["/orgs"]
CMD ["serve", "--addr", "0.0.0.0:8080"]
