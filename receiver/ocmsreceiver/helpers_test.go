// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocmsreceiver

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/testkit"
	"github.com/legato-otel/legato/internal/testkit/receiverkit"
)

const fixtures = "../../testdata/ocms"

const waitFor, tick = 20 * time.Second, 5 * time.Millisecond

// harness is a started receiver with sinks and a directory of files to read.
type harness struct {
	*receiverkit.Receiver
	config *Config
	dir    string
}

// newHarness starts a receiver of all files of a directory, which polls fast; change
// may alter it before.
func newHarness(t *testing.T, change func(*harness)) *harness {
	t.Helper()
	config := createDefaultConfig().(*Config)
	r := &harness{receiverkit.New(t, NewFactory(), config, zap.InfoLevel), config, t.TempDir()}
	config.File.Include = []string{filepath.Join(r.dir, "*.log*")}
	config.File.StartAt = "beginning"
	config.File.PollInterval = 10 * time.Millisecond
	config.RetryOnFailure.InitialInterval = 5 * time.Millisecond
	config.RetryOnFailure.MaxInterval = 20 * time.Millisecond
	config.ResourceAttributes = map[string]string{"host.name": "ocms1", "service.instance.id": "ocms1"}
	if change != nil {
		change(r)
	}
	r.Start()
	t.Cleanup(r.Stop)
	return r
}

// withStorage lets a receiver keep what it knows.
func withStorage(r *harness, store *testkit.Storage) {
	id := component.MustNewID("store")
	r.config.Storage, r.Host = &id, testkit.Host{id: store}
}

func (r *harness) path(name string) string { return filepath.Join(r.dir, name) }

// write appends text to a file.
func (r *harness) write(name, text string) {
	r.T.Helper()
	file, err := os.OpenFile(r.path(name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	require.NoError(r.T, err)
	_, err = file.WriteString(text)
	require.NoError(r.T, err)
	require.NoError(r.T, file.Close())
}

// event is the line of the answer to an INVITE; n distinguishes it from others.
func event(n int) string {
	return fmt.Sprintf("CreationTime=2024-06-10T09:00:00.%03dZ,To=<sip:8600@example.test>;tag=t%d,TimeZoneOffset=120,Method=INVITE,"+
		"Service=eventlogger.a.B.RESPONSE.INVITE.200,Call-ID=call-%d@192.0.2.33,StatusCode=200,CSeq=1 INVITE,"+
		"Via=SIP/2.0/TCP 192.0.2.10:5060;branch=z9hG4bK%d,From=Paula <sip:paula@example.test>;tag=f%d\n", n%1000, n, n, n, n)
}

// events are the lines from and up to, without the last.
func events(from, to int) string {
	var b strings.Builder
	for n := from; n < to; n++ {
		b.WriteString(event(n))
	}
	return b.String()
}

// callIDs are those of all records, in the order of their numbers.
func callIDs(sink *consumertest.LogsSink) (all []string) {
	for _, lr := range receiverkit.Records(sink.AllLogs()) {
		id, _ := lr.Attributes().Get(names.SIPCallID)
		all = append(all, id.Str())
	}
	slices.SortFunc(all, func(a, b string) int {
		if n := len(a) - len(b); n != 0 {
			return n
		}
		return strings.Compare(a, b)
	})
	return all
}

// callIDsOf are the Call-IDs of events.
func callIDsOf(from, to int) (all []string) {
	for n := from; n < to; n++ {
		all = append(all, fmt.Sprintf("call-%d@192.0.2.33", n))
	}
	return all
}

// eventually waits until the sink has exactly these events.
func (r *harness) eventually(sink *consumertest.LogsSink, want []string) {
	r.T.Helper()
	require.Eventually(r.T, func() bool { return sink.LogRecordCount() >= len(want) }, waitFor, tick)
	require.Equal(r.T, want, callIDs(sink))
}

func (r *harness) outcome(what string) int64 { return r.Counter("otelcol_receiver_ocms_records", what) }

func fixture(tb testing.TB, path string) string {
	tb.Helper()
	content, err := os.ReadFile(path)
	require.NoError(tb, err)
	return string(content)
}

// everything is all text that a receiver sent or logged.
func (r *harness) everything(all []plog.Logs) string {
	var text strings.Builder
	for _, logs := range all {
		for _, rl := range logs.ResourceLogs().All() {
			fmt.Fprintln(&text, rl.Resource().Attributes().AsRaw())
		}
	}
	for _, lr := range receiverkit.Records(all) {
		body := lr.Body().AsString()
		if lr.Body().Type() == pcommon.ValueTypeBytes {
			body = string(lr.Body().Bytes().AsRaw())
		}
		for key, value := range lr.Attributes().All() {
			if value.Type() == pcommon.ValueTypeBytes {
				fmt.Fprintln(&text, key, string(value.Bytes().AsRaw()))
			}
		}
		fmt.Fprintln(&text, lr.EventName(), body, lr.Attributes().AsRaw())
	}
	for _, entry := range r.Log.All() {
		fmt.Fprintln(&text, entry.Message, entry.ContextMap())
	}
	return text.String()
}
