// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocmsreceiver

import (
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/legato-otel/legato/internal/names"
)

// methods are the methods of RFC 3261 and its extensions (IANA, SIP methods).
var methods = map[string]bool{
	"ACK": true, "BYE": true, "CANCEL": true, "INFO": true, "INVITE": true, "MESSAGE": true, "NOTIFY": true, "OPTIONS": true,
	"PRACK": true, "PUBLISH": true, "REFER": true, "REGISTER": true, "SUBSCRIBE": true, "UPDATE": true,
}

// codes are the registered status codes (IANA, SIP response codes).
var codes = map[int]bool{
	100: true, 180: true, 181: true, 182: true, 183: true, 199: true, 200: true, 202: true, 204: true,
	300: true, 301: true, 302: true, 305: true, 380: true,
	400: true, 401: true, 402: true, 403: true, 404: true, 405: true, 406: true, 407: true, 408: true, 410: true, 412: true, 413: true,
	414: true, 415: true, 416: true, 417: true, 420: true, 421: true, 422: true, 423: true, 424: true, 425: true, 428: true, 429: true,
	430: true, 433: true, 436: true, 437: true, 438: true, 439: true, 440: true, 469: true, 470: true, 480: true, 481: true, 482: true,
	483: true, 484: true, 485: true, 486: true, 487: true, 488: true, 489: true, 491: true, 493: true, 494: true,
	500: true, 501: true, 502: true, 503: true, 504: true, 505: true, 513: true, 555: true, 580: true,
	600: true, 603: true, 604: true, 606: true, 607: true, 608: true,
}

// methodLabel returns the label for a method: unknown ones share one label.
func methodLabel(method string) string {
	if method == "" || methods[method] {
		return method
	}
	return names.Other
}

// codeLabel returns the label for a status code: unknown ones share one label.
func codeLabel(code int) string {
	switch {
	case code == 0:
		return ""
	case codes[code]:
		return strconv.Itoa(code)
	default:
		return names.Other
	}
}

// failureClass returns the class of a failed call. 487 means that the caller cancelled.
func failureClass(code int) string {
	switch {
	case code == 487:
		return "cancelled"
	case code >= 600:
		return "6xx"
	case code >= 500:
		return "5xx"
	default:
		return "4xx"
	}
}

// labels returns the attributes of a measurement. It leaves out empty values.
func labels(pairs ...pair) metric.MeasurementOption {
	attributes := make([]attribute.KeyValue, 0, len(pairs))
	for _, p := range pairs {
		if p.value != "" {
			attributes = append(attributes, attribute.String(p.key, p.value))
		}
	}
	return metric.WithAttributeSet(attribute.NewSet(attributes...))
}
