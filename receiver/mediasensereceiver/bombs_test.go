// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/ingest/outbox"
	"github.com/legato-otel/legato/internal/testkit"
)

// What the README promises of a body, whatever is in it, in bytes.
const (
	bombSize    = 4 << 20 // max_request_body_size
	mostHeap    = 64 << 20
	fixedOutput = 64 << 10
)

// bombs are bodies that max_request_body_size lets in and that cost as much as
// their author could think of.
var bombs = map[string]func() string{
	"the smallest events": func() string {
		return filled(func(i int) string {
			return fmt.Sprintf(`{"eventType":"SESSION_EVENT","eventAction":"STARTED","eventBody":{"sessionId":"%d"}}`, i)
		})
	},
	"the smallest events of no type": func() string { return filled(func(i int) string { return fmt.Sprintf(`{"a":%d}`, i) }) },
	"as many members as an object may have": func() string {
		return filled(func(i int) string { return fmt.Sprintf(`{"eventType":"X","eventBody":{%s"i":%d}}`, members(120), i) })
	},
	"an event of no type with long members": func() string {
		return `{"eventType":"X","eventBody":{"a":"` + strings.Repeat("v", bombSize-100) + `"}}`
	},
	"long members in many events": func() string {
		return filled(func(i int) string {
			return fmt.Sprintf(`{"eventType":"X","eventBody":{"a":"%s","i":%d}}`, strings.Repeat("v", 200<<10), i)
		})
	},
	"a long type": func() string {
		return `{"eventType":"` + strings.Repeat("t", bombSize-100) + `","eventAction":"A","eventBody":{}}`
	},
	"pruned sessions": func() string {
		return `{"eventType":"SESSION_EVENT","eventAction":"PRUNED","eventBody":{"sessionIds":["a"` + strings.Repeat(`,"a"`, bombSize/4-50) + `]}}`
	},
	"a long identity, which every piece would repeat": func() string {
		tag := `{"tagName":"<&>","tagType":"USER_DEFINED","tagOffset":1}`
		return `{"eventType":"SESSION_EVENT","eventAction":"ENDED","eventBody":{"sessionId":"` + strings.Repeat("s", bombSize/2) + `","tags":[` +
			strings.TrimSuffix(strings.Repeat(tag+",", (bombSize/2-200)/(len(tag)+1)), ",") + `]}}`
	},
	"deep nesting":    func() string { return strings.Repeat("[", bombSize) },
	"damaged":         func() string { return filled(func(i int) string { return fmt.Sprintf(`{"eventType":"X" "a":%d}`, i) }) },
	"secrets":         func() string { return filled(func(i int) string { return fmt.Sprintf(`{"token":"1","i":%d}`, i) }) },
	"one long secret": func() string { return `{"token":"` + strings.Repeat("1", bombSize-100) + `"}` },
	"no JSON":         func() string { return strings.Repeat("x", bombSize) },
	"no text":         func() string { return strings.Repeat("\xff", bombSize) },
}

func members(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"%c%c":1,`, 'a'+i%26, 'a'+i/26)
	}
	return b.String()
}

// filled is a body as full of events as max_request_body_size allows.
func filled(event func(int) string) string {
	var b strings.Builder
	b.Grow(bombSize)
	for i := 0; ; i++ {
		next := event(i)
		if b.Len()+len(next) > bombSize {
			return b.String()
		}
		b.WriteString(next)
	}
}

// A stranger's body makes at most three times its inflated bytes of output, no
// payload that gRPC's default limit refuses, and 64 MiB of heap.
func TestBombs(t *testing.T) {
	next := new(testkit.Scales)
	r := newHarness(t, func(r *harness) { r.Logs = next })
	for name, bomb := range bombs {
		t.Run(name, func(t *testing.T) {
			body := bomb()
			require.LessOrEqual(t, len(body), bombSize)
			require.Greater(t, len(body), bombSize/2)
			next.Reset()
			require.Equal(t, http.StatusOK, r.Post(body))
			weight := next.Reset()
			t.Logf("%d bytes of output, the largest payload has %d, %d MiB of heap", weight.Output, weight.Largest, weight.Heap>>20)
			assert.LessOrEqual(t, weight.Output, outbox.MaxExpansion*len(body)+fixedOutput, "output")
			assert.Less(t, weight.Largest, 4<<20, "largest payload")
			assert.LessOrEqual(t, weight.Heap, uint64(mostHeap), "heap")
		})
	}
}
