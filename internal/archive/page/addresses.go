// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/legato-otel/legato/internal/archive/store"
)

// traceURL is the address of a trace's page, from where the pages begin, and the
// place of a span on it. The span is in the query too: of a big meeting a page shows
// some of the legs.
func traceURL(kind, trace, span string) string {
	text := kind + "/" + url.PathEscape(trace)
	if isHex(span) {
		text += "?" + paramSpan + "=" + span + "#" + anchor(span)
	}
	return text
}

// anchor of a span on the page of its trace.
func anchor(span string) string {
	if !isHex(span) {
		return ""
	}
	return "s-" + span
}

// isHex tells an id that we computed from whatever else there may be.
func isHex(id string) bool {
	return id != "" && len(id) <= 32 && strings.Trim(id, "0123456789abcdef") == ""
}

// find leads from an id to its page, and from anything else to the search.
func (h *handler) find(ctx context.Context, v *store.View, r *http.Request) (answer, error) {
	id := strings.TrimSpace(r.URL.Query().Get(paramID))
	if id == "" || len(id) > maxValue {
		return answer{location: "./"}, nil
	}
	found, ok, err := v.Find(ctx, strings.ToValidUTF8(strings.ReplaceAll(id, "\x00", ""), ""))
	if err != nil {
		return answer{}, err
	}
	if !ok {
		return answer{location: "./search?" + url.Values{paramSearch: {id}}.Encode()}, nil
	}
	return answer{location: "./" + traceURL("conferences", found.TraceID, found.SpanID)}, nil
}
