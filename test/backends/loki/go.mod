module github.com/legato-otel/legato/test/backends/loki

go 1.26.0

// Loki 2.2.1, the last release under the Apache licence.
require github.com/grafana/loki v1.6.2-0.20210406003638-babea82ef558
