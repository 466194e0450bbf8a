// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configcompression"
	"go.opentelemetry.io/collector/config/confighttp"

	"github.com/legato-otel/legato/internal/ingest/outbox"
	"github.com/legato-otel/legato/internal/testkit"
)

// What the README promises of a body, whatever is in it, in bytes.
const (
	bombSize    = 20 << 20 // max_request_body_size
	mostHeap    = 64 << 20
	fixedOutput = 64 << 10
)

// bombs are bodies that max_request_body_size lets in and that cost as much as
// their author could think of.
var bombs = map[string]func(size int) string{
	"attributes of a quarantined record, as often as it has parts": func(size int) string {
		value := strings.Repeat("v", size/130)
		return `<records session="s"><record type="moved" correlatorIndex="1"><call id="x">` + many(func(i int) string {
			return fmt.Sprintf("<n%d>%s</n%d>", i, value, i)
		}, 120) + `</call></record></records>`
	},
	"attributes of many quarantined records": func(size int) string {
		return filled(size, func(i int) string {
			return fmt.Sprintf(`<record type="moved" correlatorIndex="%d"><call><a>%s</a></call></record>`, i, strings.Repeat("v", 300<<10))
		})
	},
	"160 000 small records": func(size int) string {
		return filled(size, func(i int) string {
			return fmt.Sprintf(`<record type="callEnd" time="2024-03-05T09:14:12Z" correlatorIndex="%d"><call id="46d49cb4-8171-4abc-97f5"/></record>`, i)
		})
	},
	"the smallest records there are": func(size int) string {
		return filled(size, func(int) string { return `<record type="callEnd"><call/></record>` })
	},
	"the smallest records of no type": func(size int) string {
		return filled(size, func(int) string { return `<record><a/></record>` })
	},
	"as many values as a record may have, and as small as can be": func(size int) string {
		record := `<record type="callEnd"><call>` + strings.Repeat("<a/>", 128) + `</call></record>`
		return filled(size, func(int) string { return record })
	},
	"documented values without text": func(size int) string {
		return filled(size, func(i int) string {
			return fmt.Sprintf(`<record type="callLegUpdate" correlatorIndex="%d"><callLeg><ivr/><state/><call/></callLeg></record>`, i)
		})
	},
	"alarms": func(size int) string {
		return filled(size, func(i int) string {
			return fmt.Sprintf(`<record type="callLegEnd" correlatorIndex="%d"><callLeg>%s</callLeg></record>`, i, many(func(k int) string {
				return fmt.Sprintf(`<alarm type="a%d"/>`, k)
			}, 120))
		})
	},
	"gaps": func(size int) string {
		return filled(size, func(i int) string {
			return fmt.Sprintf(`<record type="callEnd" correlatorIndex="%d"><call/></record>`, 2*i)
		})
	},
	"deep nesting": func(size int) string {
		return `<records session="s"><record type="callEnd"><call>` + strings.Repeat("<a>", size/3-100) + `</call></record></records>`
	},
	"nesting as deep as can be, again and again": func(size int) string {
		record := `<record type="callEnd"><call>` + strings.Repeat("<a>", 28) + "x" + strings.Repeat("</a>", 28) + `</call></record>`
		return filled(size, func(int) string { return record })
	},
	"long names of nested elements": func(size int) string {
		name := strings.Repeat("n", 1000)
		record := `<record type="callEnd"><call>` + strings.Repeat("<"+name+">", 28) + strings.Repeat("<a/>", 100) + strings.Repeat("</"+name+">", 28) + `</call></record>`
		return filled(size, func(int) string { return record })
	},
	"entities": func(size int) string {
		return wrapped(`<name>` + strings.Repeat("&amp;", size/5-100) + `</name>`)
	},
	"numeric entities": func(size int) string {
		return filled(size, func(i int) string {
			return fmt.Sprintf(`<record type="callStart" correlatorIndex="%d"><call><name>%s</name></call></record>`, i, strings.Repeat("&#9;", 1000))
		})
	},
	"one long value":              func(size int) string { return wrapped(`<name>` + strings.Repeat("v", size-200) + `</name>`) },
	"one long value in pieces":    func(size int) string { return wrapped(`<name>` + strings.Repeat("v<!---->", size/8-100) + `</name>`) },
	"one long value nobody knows": func(size int) string { return wrapped(`<a>` + strings.Repeat("v", size-200) + `</a>`) },
	"values just below the limit of a record": func(size int) string {
		value := strings.Repeat("\u202e", (maxRecordBytes-400)/3)
		return filled(size, func(i int) string {
			return fmt.Sprintf(`<record type="callStart" correlatorIndex="%d"><call><name>%s</name></call></record>`, i, value)
		})
	},
	"a long type": func(size int) string {
		return `<records session="s"><record type="` + strings.Repeat("t", size-200) + `"><call/></record></records>`
	},
	"long attributes of the root": func(size int) string {
		return `<records session="s" ` + many(func(i int) string { return fmt.Sprintf(`a%d="%s" `, i, strings.Repeat("v", size/64)) }, 60) +
			`>` + many(func(i int) string {
			return fmt.Sprintf(`<record type="callEnd" correlatorIndex="%d"><call/></record>`, i)
		}, 2000) + `</records>`
	},
	"long session": func(size int) string {
		return `<records session="` + strings.Repeat("s", size-200) + `"><record type="callEnd"><call/></record></records>`
	},
	"secrets in elements": func(size int) string { return wrapped(strings.Repeat("<passcode>1</passcode>", size/22-100)) },
	"secrets in attributes": func(size int) string {
		return filled(size, func(i int) string {
			return fmt.Sprintf(`<record type="moved" correlatorIndex="%d"><call>%s</call></record>`, i, strings.Repeat(`<a token='1'/>`, 100))
		})
	},
	"one long secret":           func(size int) string { return wrapped(`<passcode>` + strings.Repeat("1", size-200) + `</passcode>`) },
	"one long stream's URL":     func(size int) string { return "rtmp://host/" + strings.Repeat("k", size-200) },
	"secrets in no XML":         func(size int) string { return strings.Repeat(`secret='1' `, size/11) },
	"URLs with users in no XML": func(size int) string { return strings.Repeat(`a://b@c `, size/8) },
	"a document for each record": func(size int) string {
		return many(func(i int) string {
			return fmt.Sprintf(`<records session="s%d"><record type="callEnd" correlatorIndex="1"><call/></record></records>`, i)
		}, size/100)
	},
	"comments": func(size int) string {
		return `<records session="s">` + strings.Repeat("<!-- -->", size/8-20) + `</records>`
	},
	"records that are no XML": func(size int) string { return filled(size, func(int) string { return `<record/>` }) },
	"no XML":                  func(size int) string { return strings.Repeat("x", size) },
	"no text":                 func(size int) string { return strings.Repeat("\xff", size) },
	"UTF-16":                  func(size int) string { return "\xff\xfe" + strings.Repeat("<\x00r\x00", size/4-2) },
}

func many(part func(int) string, n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(part(i))
	}
	return b.String()
}

// filled is a document as full of records as max_request_body_size allows.
func filled(size int, record func(int) string) string {
	const head, tail = `<records session="s" callBridge="b">`, `</records>`
	var b strings.Builder
	b.Grow(size)
	b.WriteString(head)
	for i := 0; ; i++ {
		next := record(i)
		if b.Len()+len(next)+len(tail) > size {
			return b.String() + tail
		}
		b.WriteString(next)
	}
}

func wrapped(content string) string {
	return `<records session="s"><record type="callStart" correlatorIndex="1"><call id="c">` + content + `</call></record></records>`
}

// A stranger's body makes at most three times its inflated bytes of output, no
// payload that gRPC's default limit refuses, and 64 MiB of heap. Not even a
// compressed one, which is a few KB for the stranger.
func TestBombs(t *testing.T) {
	next := new(testkit.Scales)
	r := newHarness(t, func(r *harness) { r.Logs = next })
	var clients []*http.Client
	for _, encoding := range []configcompression.Type{"", configcompression.TypeGzip, configcompression.TypeZstd} {
		config := confighttp.NewDefaultClientConfig()
		config.Compression = encoding
		client, err := config.ToClient(t.Context(), nil, componenttest.NewNopTelemetrySettings())
		require.NoError(t, err)
		defer client.CloseIdleConnections()
		clients = append(clients, client)
	}
	for name, make := range bombs {
		t.Run(name, func(t *testing.T) {
			for i, client := range clients {
				if raceEnabled && i > 0 {
					break // ten times as slow, and nothing new
				}
				size := bombSize
				if i > 0 || raceEnabled {
					size /= 8 // how it came makes no difference behind the decoder
				}
				body := make(size)
				require.LessOrEqual(t, len(body), size)
				require.Greater(t, len(body), size/2)
				r.Stop()
				client.CloseIdleConnections() // they are of the server that stopped
				r.Start()
				next.Reset()
				response, err := client.Post(r.URL, "text/xml", strings.NewReader(body))
				require.NoError(t, err)
				require.NoError(t, response.Body.Close())
				require.Equal(t, http.StatusOK, response.StatusCode)
				weight := next.Reset()
				t.Logf("client %d: %d bytes of output, the largest payload has %d, %d MiB of heap", i, weight.Output, weight.Largest, weight.Heap>>20)
				assert.LessOrEqual(t, weight.Output, outbox.MaxExpansion*len(body)+fixedOutput, "output")
				assert.Less(t, weight.Largest, 4<<20, "largest payload")
				assert.LessOrEqual(t, weight.Heap, uint64(mostHeap), "heap")
			}
		})
	}
}
