// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package names

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
)

// conventional are the constants whose names OpenTelemetry's semantic conventions
// define. The package itself imports nothing of OpenTelemetry.
var conventional = map[string]attribute.Key{
	"ClientAddress":          semconv.ClientAddressKey,
	"ClientPort":             semconv.ClientPortKey,
	"ContainerID":            semconv.ContainerIDKey,
	"ErrorType":              semconv.ErrorTypeKey,
	"HTTPRequestBodySize":    semconv.HTTPRequestBodySizeKey,
	"HTTPRequestMethod":      semconv.HTTPRequestMethodKey,
	"HTTPResponseBodySize":   semconv.HTTPResponseBodySizeKey,
	"HTTPResponseStatusCode": semconv.HTTPResponseStatusCodeKey,
	"HTTPRoute":              semconv.HTTPRouteKey,
	"HostName":               semconv.HostNameKey,
	"KeyMethod":              semconv.HTTPRequestMethodKey,
	"KeyRoute":               semconv.HTTPRouteKey,
	"LogFileName":            semconv.LogFileNameKey,
	"LogFilePath":            semconv.LogFilePathKey,
	"LogRecordOriginal":      semconv.LogRecordOriginalKey,
	"LogRecordUID":           semconv.LogRecordUIDKey,
	"ProcessPID":             semconv.ProcessPIDKey,
	"ServerAddress":          semconv.ServerAddressKey,
	"ServerPort":             semconv.ServerPortKey,
	"ServiceInstanceID":      semconv.ServiceInstanceIDKey,
	"ServiceName":            semconv.ServiceNameKey,
	"URLPath":                semconv.URLPathKey,
	"URLQuery":               semconv.URLQueryKey,
	"URLTemplate":            semconv.URLTemplateKey,
	"UserName":               semconv.UserNameKey,
}

// unconventional are the constants in a namespace of the semantic conventions that
// version 1.41 does not define, with the reason.
var unconventional = map[string]string{
	"ErrorMessage":    "removed in favour of messages of a domain; the records here are of several domains",
	"LogRecordOffset": "the name that pkg/stanza gives to it",
	"RecordEventName": "logtospan writes the event name of a log record as an attribute of the span",
}

func TestSemanticConventions(t *testing.T) {
	namespaces := make(map[string]bool)
	for _, key := range conventional {
		namespace, _, _ := strings.Cut(string(key), ".")
		namespaces[namespace] = true
	}
	namespaces["event"] = true
	all := constants(t)
	for name, key := range conventional {
		assert.Equal(t, string(key), all[name], "%s", name)
	}
	for name, text := range all {
		namespace, _, dotted := strings.Cut(text, ".")
		if group := groupOf(name); !dotted || !namespaces[namespace] || group == "Metric" || group == "Event" {
			continue
		}
		_, defined := conventional[name]
		_, excepted := unconventional[name]
		assert.NotEqual(t, defined, excepted, "%s = %q: name the constant of the semantic conventions, or the reason why there is none", name, text)
	}
	for name := range unconventional {
		assert.Contains(t, all, name)
	}
}
