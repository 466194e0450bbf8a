module github.com/legato-otel/legato/test/backends/jaeger

go 1.26.0

require github.com/jaegertracing/jaeger v1.76.0
