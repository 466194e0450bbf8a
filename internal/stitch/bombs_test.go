// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/names"
)

// bombs are messages that anybody may write into an accounting log, or send through
// a proxy that writes one. n counts up.
var bombs = map[string]func(n int) Message{
	"endless Call-IDs": func(n int) Message {
		return Message{CallID: strconv.Itoa(n), Method: methodInvite, FromTag: "a"}
	},
	"endless Call-IDs, as long as can be": func(n int) Message {
		return Message{CallID: fmt.Sprint(n, strings.Repeat("x", maxCallID-10)), Method: methodInvite, FromTag: "a"}
	},
	"endless To tags": func(n int) Message {
		return Message{CallID: "c", Method: methodInvite, Code: 180, FromTag: "a", ToTag: strconv.Itoa(n)}
	},
	"endless hang-ups": func(n int) Message {
		return Message{CallID: "c", Method: methodBye, FromTag: "a", ToTag: strconv.Itoa(n)}
	},
	"endless attempts": func(n int) Message {
		return Message{CallID: "c", Method: methodInvite, CSeq: int64(n), Code: int64(n % 2 * 487), FromTag: strconv.Itoa(n)}
	},
	"all status codes": func(n int) Message {
		return Message{CallID: strconv.Itoa(n / 1000), Method: methodInvite, Code: int64(n % 1000), FromTag: "a", ToTag: "b"}
	},
	"endless forks": func(n int) Message {
		return Message{CallID: "c", Method: methodInvite, Code: 200, FromTag: "a", ToTag: strconv.Itoa(n)}
	},
	"as many forks as a call may have, of many calls": func(n int) Message {
		return Message{CallID: strconv.Itoa(n / maxItems), Method: methodInvite, Code: 200, FromTag: "a", ToTag: strconv.Itoa(n)}
	},
	"forks with all status codes": func(n int) Message {
		return Message{CallID: strconv.Itoa(n / 512), Method: methodInvite, Code: []int64{200, int64(n % 512)}[n%2], FromTag: "a", ToTag: strconv.Itoa(n)}
	},
	"forks of calls with long attributes": func(n int) Message {
		m := Message{CallID: strconv.Itoa(n / maxItems), Method: methodInvite, Code: 200, FromTag: "a", ToTag: strconv.Itoa(n)}
		if n%maxItems < 14 {
			m.Fields = []Field{textField(fmt.Sprint(names.OCMSAttributePrefix, ".", n%maxItems), strings.Repeat("x", maxText))}
		}
		return m
	},
	"forks of calls with many attributes": func(n int) Message {
		m := Message{CallID: strconv.Itoa(n / maxItems), Method: methodInvite, Code: 200, FromTag: "a", ToTag: strconv.Itoa(n)}
		if n%maxItems < 14 {
			for i := range 100 {
				m.Fields = append(m.Fields, textField(fmt.Sprint(names.OCMSAttributePrefix, ".", n%maxItems*100+i), "1"))
			}
		}
		return m
	},
	"forks of calls between long addresses": func(n int) Message {
		m := Message{CallID: strconv.Itoa(n / maxItems), Method: methodInvite, Code: 200, FromTag: "a", ToTag: strconv.Itoa(n)}
		if n%maxItems == 0 {
			for _, key := range []string{names.SIPFromURI, names.SIPToURI, names.SIPFromName, names.SIPToName} {
				m.Fields = append(m.Fields, textField(key, strings.Repeat("x", maxText)))
			}
		}
		return m
	},
}

// leastLine is how long an accounting event is at least that says what a message
// does, in bytes: its Service, date, Via and the names of its attributes.
const leastLine = 300

func sizeOfMessage(m *Message) int {
	return leastLine + len(m.CallID) + len(m.FromTag) + len(m.ToTag) + sizeOfFields(m.Fields)
}

func sizeOfFields(fields []Field) (size int) {
	for _, f := range fields {
		size += len(f.Key) + len(f.Value.Text) + 8
	}
	return size
}

// sizeOfStitched is about how long a stitched record is in OTLP.
func sizeOfStitched(o *Stitched) int {
	size := 100 + len(o.ID) + len(o.Resource) + sizeOfFields(o.Fields)
	for _, list := range o.Lists {
		for _, fields := range list.Maps {
			size += 8 + sizeOfFields(fields)
		}
	}
	return size
}

// TestBombs: what a stranger sends becomes a small multiple of it, in the state and
// in what is emitted.
func TestBombs(t *testing.T) {
	t.Parallel()
	const (
		messages  = 1_500
		expansion = 4
		free      = 64 << 10
	)
	for name, message := range bombs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			limited := options
			limited.MaxObjects = 1_000
			s := newStory(t, limited)
			sent, emitted, most := 0, 0, 0
			take := func() {
				for _, o := range s.out() {
					emitted += sizeOfStitched(&o)
				}
			}
			for n := range messages {
				m := message(n)
				m.Time = at(n / 100)
				sent += sizeOfMessage(&m)
				r, ok := m.Record()
				require.True(t, ok)
				if _, err := s.e.Apply(s.now, &r); err != nil {
					require.ErrorIs(t, err, ErrFull)
				}
				if n%100 == 0 {
					s.wait(options.Linger / 10)
					take()
				}
				most = max(most, s.e.arena.bytes())
				require.LessOrEqual(t, s.e.objects.used(), limited.MaxObjects)
				require.LessOrEqual(t, s.e.arena.bytes(), expansion*sent+free, "bytes of the state after %d messages", n+1)
			}
			for _, wait := range []time.Duration{options.Linger, options.MaxOpen, options.Linger} {
				s.wait(wait)
				for range limited.MaxObjects / 1000 {
					take()
				}
			}
			assert.Positive(t, emitted)
			t.Logf("%d bytes of messages, at most %d of state, %d emitted", sent, most, emitted)
			assert.LessOrEqual(t, emitted, expansion*sent+free, "bytes emitted")
		})
	}
}
