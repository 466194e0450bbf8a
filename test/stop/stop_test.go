// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stop

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/goleak"
	_ "modernc.org/sqlite"

	"github.com/legato-otel/legato/connector/logtospanconnector"
	"github.com/legato-otel/legato/exporter/callrecordexporter"
	"github.com/legato-otel/legato/internal/testkit"
	"github.com/legato-otel/legato/internal/testkit/loopback"
	"github.com/legato-otel/legato/processor/callstitchprocessor"
	"github.com/legato-otel/legato/receiver/cmsapireceiver"
	"github.com/legato-otel/legato/receiver/cmscdrreceiver"
	"github.com/legato-otel/legato/receiver/cmseventsreceiver"
	"github.com/legato-otel/legato/receiver/cmssyslogreceiver"
	"github.com/legato-otel/legato/receiver/mediasensereceiver"
	"github.com/legato-otel/legato/receiver/ocmsreceiver"
)

// most is how long a stop may take, whatever its component waits for. All rows but
// one have a shutdown_timeout of short, so that the rest is room for a slow machine.
const (
	most  = 10 * time.Second
	short = "500ms"
)

// row is a component that was started and waits somewhere.
type row struct {
	t    *testing.T
	gate *gate // where it waits
	// defaultTimeout leaves the component its own shutdown_timeout.
	defaultTimeout bool
	// parts of the component, one for each signal, and where it listens.
	parts   []component.Component
	address string
}

// rows start components and bring them to where they wait.
var rows = map[string]func(*row){
	"cmscdr: nothing": func(r *row) {
		r.receiver(cmscdrreceiver.NewFactory(), r.listen(nil), consumertest.NewNop(), consumertest.NewNop(), nil)
		r.gate.arrive()
	},
	"cmscdr: consumer that ignores its context, with the default shutdown_timeout": func(r *row) {
		r.defaultTimeout = true
		r.receiver(cmscdrreceiver.NewFactory(), r.listen(nil), logs(r.gate.ignore, all), nil, nil)
		r.post("/cdr", cdrBody)
	},
	"cmscdr: a body of one byte and no more": func(r *row) {
		r.receiver(cmscdrreceiver.NewFactory(), r.listen(nil), consumertest.NewNop(), nil, nil)
		r.slowBody("/cdr")
	},
	"cmscdr: consumer": func(r *row) {
		r.receiver(cmscdrreceiver.NewFactory(), r.listen(nil), logs(r.gate.wait, all), nil, nil)
		r.post("/cdr", cdrBody)
	},
	"cmscdr: consumer that ignores its context": func(r *row) {
		r.receiver(cmscdrreceiver.NewFactory(), r.listen(nil), logs(r.gate.ignore, all), nil, nil)
		r.post("/cdr", cdrBody)
	},
	"cmscdr: storage": func(r *row) {
		host, stuck := r.storage()
		r.receiver(cmscdrreceiver.NewFactory(), r.listen(map[string]any{"storage": "stuck"}), consumertest.NewNop(), nil, host)
		stuck.armed.Store(true)
		r.post("/cdr", cdrBody)
	},
	"cmscdr: metrics": func(r *row) {
		r.receiver(cmscdrreceiver.NewFactory(), r.listen(fastMetrics), consumertest.NewNop(), metrics(r.gate.wait), nil)
		r.post("/cdr", cdrBody)
	},
	"cmscdr: metrics consumer that ignores its context": func(r *row) {
		r.receiver(cmscdrreceiver.NewFactory(), r.listen(fastMetrics), consumertest.NewNop(), metrics(r.gate.ignore), nil)
		r.post("/cdr", cdrBody)
	},
	"cmscdr: last metrics": func(r *row) {
		r.receiver(cmscdrreceiver.NewFactory(), r.listen(nil), consumertest.NewNop(), metrics(r.gate.ignore), nil)
		r.post("/cdr", cdrBody)
		r.gate.arrive() // it waits when it is stopped
	},
	"cmscdr: API": func(r *row) {
		r.receiver(cmscdrreceiver.NewFactory(), r.listen(map[string]any{"registration": map[string]any{
			"uri": "http://collector:8080/cdr", "servers": []any{r.server()},
		}}), consumertest.NewNop(), nil, nil)
	},

	"mediasense: a body of one byte and no more": func(r *row) {
		r.receiver(mediasensereceiver.NewFactory(), r.listen(nil), consumertest.NewNop(), nil, nil)
		r.slowBody("/mediasense")
	},
	"mediasense: consumer": func(r *row) {
		r.receiver(mediasensereceiver.NewFactory(), r.listen(nil), logs(r.gate.wait, all), nil, nil)
		r.post("/mediasense", eventBody)
	},
	"mediasense: consumer that ignores its context": func(r *row) {
		r.receiver(mediasensereceiver.NewFactory(), r.listen(nil), logs(r.gate.ignore, all), nil, nil)
		r.post("/mediasense", eventBody)
	},
	"mediasense: storage": func(r *row) {
		host, stuck := r.storage()
		r.receiver(mediasensereceiver.NewFactory(), r.listen(map[string]any{"storage": "stuck"}), consumertest.NewNop(), nil, host)
		stuck.armed.Store(true)
		r.post("/mediasense", eventBody)
	},
	"mediasense: metrics consumer that ignores its context": func(r *row) {
		r.receiver(mediasensereceiver.NewFactory(), r.listen(fastMetrics), consumertest.NewNop(), metrics(r.gate.ignore), nil)
		r.post("/mediasense", eventBody)
	},
	"mediasense: API": func(r *row) {
		r.receiver(mediasensereceiver.NewFactory(), r.listen(map[string]any{"subscription": map[string]any{
			"callback": "http://collector:8085/mediasense", "servers": []any{r.server()},
		}}), consumertest.NewNop(), nil, nil)
	},

	"ocms: consumer": func(r *row) {
		r.receiver(ocmsreceiver.NewFactory(), r.file(nil), logs(r.gate.wait, all), nil, nil)
	},
	"ocms: consumer that ignores its context": func(r *row) {
		r.receiver(ocmsreceiver.NewFactory(), r.file(nil), logs(r.gate.ignore, all), nil, nil)
	},
	"ocms: a pause before the next attempt": func(r *row) {
		refusing := logs(func(context.Context) error { r.gate.arrive(); return errors.New("busy") }, all)
		r.receiver(ocmsreceiver.NewFactory(), r.file(map[string]any{"retry_on_failure": map[string]any{"initial_interval": "1h", "max_interval": "1h"}}), refusing, nil, nil)
	},
	"ocms: storage": func(r *row) {
		host, stuck := r.storage()
		values := r.file(map[string]any{"storage": "stuck"})
		armed := logs(func(context.Context) error { stuck.armed.Store(true); return nil }, all)
		r.receiver(ocmsreceiver.NewFactory(), values, armed, nil, host)
	},
	"ocms: metrics consumer that ignores its context": func(r *row) {
		r.receiver(ocmsreceiver.NewFactory(), r.file(fastMetrics), consumertest.NewNop(), metrics(r.gate.ignore), nil)
	},
	"ocms: a message by TCP": func(r *row) {
		address := loopback.MustAddress(r.t)
		r.receiver(ocmsreceiver.NewFactory(), map[string]any{"syslog": map[string]any{"tcp": map[string]any{"listen_address": address}}}, logs(r.gate.ignore, all), nil, nil)
		connection, err := net.Dial("tcp", address)
		require.NoError(r.t, err)
		r.t.Cleanup(func() { _ = connection.Close() })
		_, err = io.WriteString(connection, ocmsLine)
		require.NoError(r.t, err)
	},

	"cmsevents: API": func(r *row) {
		r.receiver(cmseventsreceiver.NewFactory(), map[string]any{"servers": []any{r.server()}}, consumertest.NewNop(), consumertest.NewNop(), nil)
	},
	"cmsevents: socket": func(r *row) {
		r.receiver(cmseventsreceiver.NewFactory(), map[string]any{"servers": []any{r.serverWithToken()}}, consumertest.NewNop(), consumertest.NewNop(), nil)
	},

	"cmssyslog: nothing": func(r *row) {
		r.receiver(cmssyslogreceiver.NewFactory(), r.syslog(nil), consumertest.NewNop(), consumertest.NewNop(), nil)
		r.gate.arrive()
	},
	"cmssyslog: consumer": func(r *row) {
		r.receiver(cmssyslogreceiver.NewFactory(), r.syslog(nil), logs(r.gate.wait, all), nil, nil)
		r.sendLine()
	},
	"cmssyslog: consumer that ignores its context": func(r *row) {
		r.receiver(cmssyslogreceiver.NewFactory(), r.syslog(nil), logs(r.gate.ignore, all), nil, nil)
		r.sendLine()
	},
	"cmssyslog: file, consumer that ignores its context, with the default shutdown_timeout": func(r *row) {
		r.defaultTimeout = true
		r.receiver(cmssyslogreceiver.NewFactory(), r.syslogFile(nil), logs(r.gate.ignore, all), nil, nil)
	},
	"cmssyslog: storage": func(r *row) {
		host, stuck := r.storage()
		r.receiver(cmssyslogreceiver.NewFactory(), r.syslogFile(map[string]any{"storage": "stuck"}), consumertest.NewNop(), nil, host)
		stuck.armed.Store(true) // every poll stores offsets
	},
	"cmssyslog: metrics consumer that ignores its context": func(r *row) {
		r.receiver(cmssyslogreceiver.NewFactory(), r.syslog(fastMetrics), consumertest.NewNop(), metrics(r.gate.ignore), nil)
		r.sendLine()
	},
	"cmssyslog: an open connection": func(r *row) {
		r.receiver(cmssyslogreceiver.NewFactory(), r.syslog(nil), consumertest.NewNop(), nil, nil)
		connection, err := net.Dial("tcp", r.address)
		require.NoError(r.t, err)
		r.t.Cleanup(func() { _ = connection.Close() })
		_, err = io.WriteString(connection, "99 <14>")
		require.NoError(r.t, err)
		r.gate.arrive()
	},

	"cmsapi: API": func(r *row) {
		r.scraper([]any{r.server()}, consumertest.NewNop())
	},
	"cmsapi: consumer": func(r *row) {
		r.scraper([]any{r.serverWithStatus()}, metrics(r.gate.wait))
	},
	"cmsapi: consumer that ignores its context": func(r *row) {
		r.scraper([]any{r.serverWithStatus()}, metrics(r.gate.ignore))
	},

	"callstitch: consumer": func(r *row) {
		r.consume(r.stitch(nil, logs(r.gate.wait, stitched), nil))
	},
	"callstitch: consumer that ignores its context": func(r *row) {
		r.consume(r.stitch(nil, logs(r.gate.ignore, stitched), nil))
	},
	"callstitch: consumer of what passes": func(r *row) {
		r.consume(r.stitch(nil, logs(r.gate.wait, all), nil))
	},
	"callstitch: consumer of what requests share": func(r *row) {
		host, _ := r.storage()
		r.consume(r.stitch(map[string]any{"storage": "stuck"}, logs(r.gate.wait, all), host))
	},
	"callstitch: consumer of what requests share, that ignores its context": func(r *row) {
		host, _ := r.storage()
		r.consume(r.stitch(map[string]any{"storage": "stuck"}, logs(r.gate.ignore, all), host))
	},
	"callstitch: storage": func(r *row) {
		host, stuck := r.storage()
		part := r.stitch(map[string]any{"storage": "stuck"}, consumertest.NewNop(), host)
		stuck.armed.Store(true)
		r.consume(part)
	},

	"callrecord: database that is never reached": func(r *row) {
		r.export(map[string]any{"driver": "postgres", "datasource": "postgres://u@" + deaf(r.t, r.gate) + "/calls?sslmode=disable"}, nil)
	},
	"callrecord: database that is locked": func(r *row) {
		file := filepath.Join(r.t.TempDir(), "calls.db")
		r.export(map[string]any{"datasource": file, "timeout": "0s"}, nil)
		r.lock(file)
		r.consume(r.parts[0].(consumer.Logs))
		r.gate.arrive()
	},
	"callrecord: database that is locked, behind a queue": func(r *row) {
		file := filepath.Join(r.t.TempDir(), "calls.db")
		r.export(map[string]any{"datasource": file, "timeout": "0s", "sending_queue": map[string]any{}}, nil)
		r.lock(file)
		r.consume(r.parts[0].(consumer.Logs))
		r.gate.arrive()
	},
	"callrecord: storage of the queue": func(r *row) {
		host, stuck := r.storage()
		r.export(map[string]any{
			"datasource": filepath.Join(r.t.TempDir(), "calls.db"), "sending_queue": map[string]any{"storage": "stuck"},
		}, host)
		stuck.armed.Store(true)
		r.consume(r.parts[0].(consumer.Logs))
	},
	"callrecord: a request for a page that does not end": func(r *row) {
		address := loopback.MustAddress(r.t)
		r.export(map[string]any{"datasource": filepath.Join(r.t.TempDir(), "calls.db"), "http": map[string]any{"endpoint": address}}, nil)
		connection, err := net.Dial("tcp", address)
		require.NoError(r.t, err)
		r.t.Cleanup(func() { _ = connection.Close() })
		_, err = io.WriteString(connection, "GET / HTTP/1.1\r\nHost: a\r\n")
		require.NoError(r.t, err)
		r.gate.arrive()
	},

	"logtospan: consumer that ignores its context": func(r *row) {
		factory := logtospanconnector.NewFactory()
		next, err := consumer.NewTraces(func(ctx context.Context, _ ptrace.Traces) error { return r.gate.ignore(ctx) })
		require.NoError(r.t, err)
		part, err := factory.CreateLogsToTraces(context.Background(), connector.Settings{
			ID: component.NewID(factory.Type()), TelemetrySettings: componenttest.NewNopTelemetrySettings(), BuildInfo: component.NewDefaultBuildInfo(),
		}, factory.CreateDefaultConfig(), next)
		require.NoError(r.t, err)
		r.start(part, nil)
		r.consumeStitched(part)
	},
}

// TestMain lets all rows wait at the same time: they need no processor for it.
func TestMain(m *testing.M) {
	_ = flag.Set("test.parallel", strconv.Itoa(len(rows))) // there is such a flag
	os.Exit(m.Run())
}

// Every component stops within ten seconds, whatever it waits for, though nobody
// gives it a deadline, and leaves nothing behind that does not end when what it
// waited for does.
func TestStop(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Run("all", func(t *testing.T) {
		for name, start := range rows {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := &row{t: t, gate: newGate()}
				t.Cleanup(r.gate.open)
				start(r)
				select {
				case <-r.gate.entered:
				case <-time.After(30 * time.Second):
					require.Fail(t, "the component does not wait where it should")
				}
				stopped := make(chan time.Duration, 1)
				go func() {
					began := time.Now()
					for _, part := range r.parts {
						_ = part.Shutdown(context.Background()) // what it could not do in time is an error, or a warning
					}
					stopped <- time.Since(began)
				}()
				select {
				case <-stopped:
				case <-time.After(most):
					assert.Fail(t, "the component does not stop")
				}
			})
		}
	})
	http.DefaultClient.CloseIdleConnections()
	var left error // goroutines that are ending need a moment
	if !assert.Eventually(t, func() bool {
		left = goleak.Find(before)
		return left == nil
	}, time.Minute, 100*time.Millisecond) {
		assert.NoError(t, left)
	}
}

func (r *row) start(part component.Component, host component.Host) {
	r.t.Helper()
	if host == nil {
		host = componenttest.NewNopHost()
	}
	require.NoError(r.t, part.Start(context.Background(), host))
	r.parts = append(r.parts, part)
}

// load reads a configuration. A component gets a short shutdown_timeout.
func (r *row) load(config component.Config, values map[string]any) component.Config {
	r.t.Helper()
	if !r.defaultTimeout {
		values = maps.Clone(values)
		values["shutdown_timeout"] = short
	}
	require.NoError(r.t, confmap.NewFromStringMap(values).Unmarshal(config))
	require.NoError(r.t, confmap.Validate(config))
	return config
}

// fastMetrics lets metrics be sent while the component runs, and not only at its
// stop.
var fastMetrics = map[string]any{"metrics": map[string]any{"interval": "10ms"}}

// listen is the configuration of a receiver on a free port.
func (r *row) listen(more map[string]any) map[string]any {
	values := map[string]any{"endpoint": loopback.MustAddress(r.t)}
	maps.Copy(values, more)
	return values
}

// syslogLine is one of a bridge.
const syslogLine = "2024-03-05T16:50:25.736 user.info cms-n1 host:server: INFO : text\n"

// syslog is the configuration of cmssyslog on a free port.
func (r *row) syslog(more map[string]any) map[string]any {
	r.address = loopback.MustAddress(r.t)
	values := map[string]any{"tcp": map[string]any{"listen_address": r.address}}
	maps.Copy(values, more)
	return values
}

// syslogFile is that of cmssyslog with a file of one line.
func (r *row) syslogFile(more map[string]any) map[string]any {
	path := filepath.Join(r.t.TempDir(), "messages")
	require.NoError(r.t, os.WriteFile(path, []byte(syslogLine), 0o600))
	values := map[string]any{"include": []any{path}, "start_at": "beginning", "poll_interval": "10ms"}
	maps.Copy(values, more)
	return values
}

// sendLine sends a line to cmssyslog.
func (r *row) sendLine() {
	connection, err := net.Dial("tcp", r.address)
	require.NoError(r.t, err)
	_, err = io.WriteString(connection, syslogLine)
	require.NoError(r.t, err)
	require.NoError(r.t, connection.Close())
}

func (r *row) receiver(factory receiver.Factory, values map[string]any, logs consumer.Logs, metrics consumer.Metrics, host component.Host) {
	r.t.Helper()
	config := r.load(factory.CreateDefaultConfig(), values)
	set := receivertest.NewNopSettings(factory.Type())
	part, err := factory.CreateLogs(context.Background(), set, config, logs)
	require.NoError(r.t, err)
	parts := []component.Component{part}
	if metrics != nil {
		part, err := factory.CreateMetrics(context.Background(), set, config, metrics)
		require.NoError(r.t, err)
		parts = append(parts, part)
	}
	for _, part := range parts {
		r.start(part, host)
	}
	if endpoint, ok := values["endpoint"].(string); ok {
		r.address = endpoint
	}
}

const (
	cdrBody = `<records session="s" callBridge="b"><record type="callEnd" time="2024-03-05T09:14:12Z" correlatorIndex="1">` +
		`<call id="46d49cb4-8171-4abc-97f5-b88035b1da0a"><durationSeconds>5</durationSeconds></call></record></records>`
	eventBody = `{"eventType":"SESSION_EVENT","eventAction":"STARTED","eventBody":{"sessionId":"s1","sessionStartDate":1700000000000}}`
)

// ocmsLine is an accounting event.
const ocmsLine = "CreationTime=2024-06-10T09:00:03.830Z,Method=INVITE,Service=eventlogger.a.B.RESPONSE.INVITE.200,Call-ID=c,StatusCode=200,CSeq=2 INVITE\n"

// file is the configuration of a receiver of a file with one event.
func (r *row) file(more map[string]any) map[string]any {
	name := filepath.Join(r.t.TempDir(), "events.log")
	require.NoError(r.t, os.WriteFile(name, []byte(ocmsLine), 0o600))
	values := map[string]any{"include": []any{name}, "start_at": "beginning"}
	maps.Copy(values, more)
	return values
}

// post posts a body and does not wait for the answer.
func (r *row) post(path, body string) {
	address := r.address
	go func() {
		response, err := http.Post("http://"+address+path, "text/plain", strings.NewReader(body))
		if err == nil {
			_ = response.Body.Close()
		}
	}()
}

// slowBody begins a body, and waits until the receiver reads it.
func (r *row) slowBody(path string) {
	connection, err := net.Dial("tcp", r.address)
	require.NoError(r.t, err)
	r.t.Cleanup(func() { _ = connection.Close() })
	_, err = fmt.Fprintf(connection, "POST %s HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n", path)
	require.NoError(r.t, err)
	_, err = io.ReadFull(connection, make([]byte, len("HTTP/1.1 100")))
	require.NoError(r.t, err)
	_, err = io.WriteString(connection, "<")
	require.NoError(r.t, err)
	r.gate.arrive()
}

// server is the configuration of an API server that never answers.
func (r *row) server() map[string]any {
	return serverAt(deaf(r.t, r.gate))
}

func serverAt(address string) map[string]any {
	return map[string]any{"endpoint": "http://" + address, "username": "u", "password": "p", "tls": map[string]any{"insecure": true}}
}

// serverWithToken is that of one that gives a token and does not answer on the
// event socket.
func (r *row) serverWithToken() map[string]any {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(r.t, err)
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.Method == http.MethodPost {
			w.Header().Set("X-Cisco-CMS-Auth-Token", "token")
			return
		}
		_ = r.gate.ignore(q.Context())
	})}
	go func() { _ = server.Serve(listener) }()
	r.t.Cleanup(func() { r.gate.open(); _ = server.Close() })
	return serverAt(listener.Addr().String())
}

// scraper starts a receiver that has metrics alone.
func (r *row) scraper(servers []any, next consumer.Metrics) {
	factory := cmsapireceiver.NewFactory()
	config := r.load(factory.CreateDefaultConfig(), map[string]any{"initial_delay": "0s", "servers": servers})
	part, err := factory.CreateMetrics(context.Background(), receivertest.NewNopSettings(factory.Type()), config, next)
	require.NoError(r.t, err)
	r.start(part, nil)
}

// serverWithStatus is that of one that says how it is and knows nothing else.
func (r *row) serverWithStatus() map[string]any {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(r.t, err)
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if strings.HasSuffix(q.URL.Path, "/system/status") {
			_, _ = io.WriteString(w, "<status><uptimeSeconds>5</uptimeSeconds></status>")
			return
		}
		w.WriteHeader(http.StatusNotFound)
	})}
	go func() { _ = server.Serve(listener) }()
	r.t.Cleanup(func() { _ = server.Close() })
	return serverAt(listener.Addr().String())
}

func (r *row) storage() (component.Host, *stuckStorage) {
	stuck := newStuckStorage(r.gate)
	return testkit.Host{component.MustNewID("stuck"): stuck}, stuck
}

// stitched tells a stitched record from those that pass.
func stitched(lr plog.LogRecord) bool { return strings.HasSuffix(lr.EventName(), ".span") }

// stitch starts callstitch.
func (r *row) stitch(more map[string]any, next consumer.Logs, host component.Host) consumer.Logs {
	values := map[string]any{"linger": "10ms"}
	maps.Copy(values, more)
	factory := callstitchprocessor.NewFactory()
	part, err := factory.CreateLogs(context.Background(), processortest.NewNopSettings(factory.Type()), r.load(factory.CreateDefaultConfig(), values), next)
	require.NoError(r.t, err)
	r.start(part, host)
	return part
}

// consume gives a leg that ends to a component, and does not wait for it.
func (r *row) consume(to consumer.Logs) {
	data := plog.NewLogs()
	rl := data.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", "cisco-meeting-server")
	lr := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	lr.SetEventName("cisco.meeting_server.call_leg.end")
	lr.SetTimestamp(1_700_000_000_000_000_000)
	lr.Attributes().PutStr("cisco.meeting_server.call_leg.id", "fc9c85ca-8c41-4a1a-9252-b16977d1e4e1")
	lr.Attributes().PutDouble("cisco.meeting_server.call_leg.duration_seconds", 5)
	go func() { _ = to.ConsumeLogs(context.Background(), data) }()
}

// consumeStitched gives a stitched record to a component.
func (r *row) consumeStitched(to consumer.Logs) {
	data := plog.NewLogs()
	lr := data.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	lr.SetEventName("cisco.meeting_server.call_leg.span")
	lr.SetTimestamp(1_700_000_000_000_000_000)
	lr.SetTraceID([16]byte{1})
	lr.SetSpanID([8]byte{1})
	lr.Attributes().PutStr("span.name", "call_leg")
	lr.Attributes().PutStr("span.kind", "server")
	lr.Attributes().PutInt("span.start_unix_nano", 1_699_999_999_000_000_000)
	go func() { _ = to.ConsumeLogs(context.Background(), data) }()
}

func (r *row) export(values map[string]any, host component.Host) {
	factory := callrecordexporter.NewFactory()
	part, err := factory.CreateLogs(context.Background(), exportertest.NewNopSettings(factory.Type()), r.load(factory.CreateDefaultConfig(), values))
	require.NoError(r.t, err)
	r.start(part, host)
}

// lock holds the write lock of a database until the test ends.
func (r *row) lock(file string) {
	db, err := sql.Open("sqlite", file)
	require.NoError(r.t, err)
	connection, err := db.Conn(context.Background())
	require.NoError(r.t, err)
	_, err = connection.ExecContext(context.Background(), "BEGIN IMMEDIATE")
	require.NoError(r.t, err)
	r.t.Cleanup(func() { _ = connection.Close(); _ = db.Close() })
}
