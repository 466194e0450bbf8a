// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package reconcile

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/goleak"

	"github.com/legato-otel/legato/exporter/callrecordexporter"
	"github.com/legato-otel/legato/internal/archive/store"
	"github.com/legato-otel/legato/internal/testkit/loopback"
	"github.com/legato-otel/legato/processor/callstitchprocessor"
	"github.com/legato-otel/legato/receiver/cmsapireceiver"
	"github.com/legato-otel/legato/receiver/cmscdrreceiver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	bridgeID = "d80df859-cbc0-44ee-8611-449ab1bf39d7"
	session  = "ebbd0059-8629-42bd-8e92-b7f12692b0d5"
	patience = 30 * time.Second
)

var began = time.Date(2026, 3, 5, 9, 0, 0, 0, time.UTC)

// bridge plays the API of a Call Bridge. Its clock makes a minute for each scrape.
type bridge struct {
	mu          sync.Mutex
	calls, legs []string
	scrapes     int
	most        int // scrapes that are answered, 0 for all
}

// set changes what the bridge has. Of the scrapes that begin later it answers some, 0
// for all.
func (b *bridge) set(calls, legs []string, scrapes int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls, b.legs = calls, legs
	if scrapes > 0 {
		b.most = b.scrapes + scrapes
	}
}

func (b *bridge) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.scrapes
}

func (b *bridge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := func(name, item string, ids []string) string {
		var out strings.Builder
		fmt.Fprintf(&out, `<%s total="%d">`, name, len(ids))
		for _, id := range ids {
			fmt.Fprintf(&out, `<%s id="%s"/>`, item, id)
		}
		return out.String() + "</" + name + ">"
	}
	path := strings.TrimPrefix(r.URL.Path, "/api/v1")
	body := ""
	switch {
	case path == "/system/status" && b.most > 0 && b.scrapes >= b.most:
	case path == "/system/status":
		b.scrapes++
		now := began.Add(time.Hour + time.Duration(b.scrapes)*time.Minute)
		body = fmt.Sprintf(`<status><uptimeSeconds>%d</uptimeSeconds><cdrTime>%s</cdrTime></status>`, int(now.Sub(began).Seconds()), now.Format(time.RFC3339))
	case path == "/system/configuration/cluster":
		body = `<cluster><uniqueName>cms1</uniqueName></cluster>`
	case path == "/callBridges":
		body = `<callBridges total="1"><callBridge id="` + bridgeID + `"><name>cms1</name></callBridge></callBridges>`
	case path == "/calls":
		body = list("calls", "call", b.calls)
	case path == "/callLegs" && r.URL.Query().Get("alarms") == "":
		body = list("callLegs", "callLeg", b.legs)
	case path == "/callLegs":
		body = list("callLegs", "callLeg", nil)
	case strings.HasPrefix(path, "/callLegs/"):
		body = `<callLeg id="` + strings.TrimPrefix(path, "/callLegs/") + `"><status><state>connected</state><rxAudio><packetLossPercentage>4.5</packetLossPercentage></rxAudio></status></callLeg>`
	}
	if body == "" {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	_, _ = io.WriteString(w, body)
}

// configure fills the default configuration of a component.
func configure[C any](t *testing.T, config component.Config, with map[string]any) C {
	t.Helper()
	require.NoError(t, confmap.NewFromStringMap(with).Unmarshal(config))
	require.NoError(t, confmap.Validate(config))
	return config.(C)
}

func start(t *testing.T, c component.Component) {
	t.Helper()
	require.NoError(t, c.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, c.Shutdown(context.WithoutCancel(t.Context()))) })
}

// estate is a Call Bridge, the components in a row and the archive behind them.
type estate struct {
	t       *testing.T
	bridge  *bridge
	posts   string // where records are posted to
	archive *store.Store
	index   int
}

func newEstate(t *testing.T) *estate {
	t.Helper()
	source := filepath.Join(t.TempDir(), "calls.db")
	e := &estate{t: t, bridge: &bridge{}}
	api := httptest.NewServer(e.bridge)
	t.Cleanup(api.Close)
	t.Cleanup(http.DefaultTransport.(*http.Transport).CloseIdleConnections)

	records := callrecordexporter.NewFactory()
	exporter, err := records.CreateLogs(t.Context(), exportertest.NewNopSettings(records.Type()),
		configure[component.Config](t, records.CreateDefaultConfig(), map[string]any{"datasource": source}))
	require.NoError(t, err)
	start(t, exporter)
	stitch := callstitchprocessor.NewFactory()
	processor, err := stitch.CreateLogs(t.Context(), processortest.NewNopSettings(stitch.Type()),
		configure[component.Config](t, stitch.CreateDefaultConfig(), map[string]any{"linger": "200ms"}), exporter)
	require.NoError(t, err)
	start(t, processor)

	address := loopback.MustAddress(t)
	cdr := cmscdrreceiver.NewFactory()
	receiver, err := cdr.CreateLogs(t.Context(), receivertest.NewNopSettings(cdr.Type()),
		configure[component.Config](t, cdr.CreateDefaultConfig(), map[string]any{"endpoint": address}), processor)
	require.NoError(t, err)
	start(t, receiver)
	e.posts = "http://" + address + "/cdr"
	scrapes := cmsapireceiver.NewFactory()
	scraper, err := scrapes.CreateLogs(t.Context(), receivertest.NewNopSettings(scrapes.Type()),
		configure[component.Config](t, scrapes.CreateDefaultConfig(), map[string]any{
			"collection_interval": "300ms", "initial_delay": "0s",
			"servers": []any{map[string]any{"endpoint": api.URL, "username": "u", "password": "p", "tls": map[string]any{"insecure": true}}},
		}), processor)
	require.NoError(t, err)
	start(t, scraper)
	e.archive, err = store.Open(t.Context(), store.SQLite, source)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.archive.Close()) })
	return e
}

// record posts one call detail record.
func (e *estate) record(kind, element string) {
	e.t.Helper()
	body := fmt.Sprintf(`<records session="%s" callBridge="%s"><record type="%s" time="%s" correlatorIndex="%d">%s</record></records>`,
		session, bridgeID, kind, began.Add(time.Minute).Format(time.RFC3339), e.index, element)
	e.index++
	response, err := http.Post(e.posts, "text/xml", strings.NewReader(body)) //nolint:noctx // a test
	require.NoError(e.t, err)
	require.NoError(e.t, response.Body.Close())
	require.Equal(e.t, http.StatusOK, response.StatusCode)
}

// running are the ids of the calls and legs that the archive shows as running.
func (e *estate) running() (ids []string) {
	e.t.Helper()
	calls, err := store.Select[store.Call](e.t.Context(), e.archive, "WHERE state = 'running' ORDER BY id")
	require.NoError(e.t, err)
	legs, err := store.Select[store.Leg](e.t.Context(), e.archive, "WHERE state = 'running' ORDER BY id")
	require.NoError(e.t, err)
	for i := range calls {
		ids = append(ids, calls[i].ID)
	}
	for i := range legs {
		ids = append(ids, legs[i].ID)
	}
	return ids
}

const (
	call1 = "46d49cb4-8171-4abc-97f5-b88035b1da01"
	call2 = "46d49cb4-8171-4abc-97f5-b88035b1da02"
	leg1  = "fc9c85ca-8c41-4a1a-9252-b16977d1e401"
	leg2  = "fc9c85ca-8c41-4a1a-9252-b16977d1e402"
	leg3  = "fc9c85ca-8c41-4a1a-9252-b16977d1e403"
)

// TestRunningIsTrueAgain: the ends of a call with its leg, and of a leg of a call that
// goes on, are lost. Two scrapes later the archive shows what the bridge has.
func TestRunningIsTrueAgain(t *testing.T) {
	e := newEstate(t)
	e.bridge.set([]string{call1, call2}, []string{leg1, leg2, strings.ToUpper(leg3)}, 0)
	for call, legs := range map[string][]string{call1: {leg1}, call2: {leg2, leg3}} {
		e.record("callStart", `<call id="`+call+`"><name>Room</name></call>`)
		for _, leg := range legs {
			e.record("callLegStart", `<callLeg id="`+leg+`"><remoteParty>a@example.test</remoteParty></callLeg>`)
			e.record("callLegUpdate", `<callLeg id="`+leg+`"><state>connected</state><call>`+call+`</call></callLeg>`)
		}
	}
	all := []string{call1, call2, leg1, leg2, leg3}
	require.Eventually(t, func() bool { return assert.ObjectsAreEqual(all, e.running()) }, patience, 10*time.Millisecond)
	before := e.bridge.count()
	require.Eventually(t, func() bool { return e.bridge.count() > before+3 }, patience, 10*time.Millisecond)
	assert.Equal(t, all, e.running(), "all of them are listed")
	quality, err := store.Select[store.LegQuality](t.Context(), e.archive, "ORDER BY id")
	require.NoError(t, err)
	require.Len(t, quality, 3, "and show how they are now")
	assert.InDelta(t, 4.5, *quality[0].LossPercent, 0)

	e.bridge.set([]string{call2}, []string{leg3}, 2)
	require.Eventually(t, func() bool { return assert.ObjectsAreEqual([]string{call2, leg3}, e.running()) }, patience, 10*time.Millisecond)
	for _, row := range []string{call1, leg1, leg2} {
		var outcome string
		for _, table := range []string{"calls", "call_legs"} {
			found, err := e.archive.Query(t.Context(), "SELECT outcome FROM "+table+" WHERE id = $1", row)
			require.NoError(t, err)
			for found.Next() {
				require.NoError(t, found.Scan(&outcome))
			}
			require.NoError(t, found.Err())
			require.NoError(t, found.Close())
		}
		assert.Equal(t, "unlisted", outcome, row)
	}
	quality, err = store.Select[store.LegQuality](t.Context(), e.archive, "")
	require.NoError(t, err)
	assert.Len(t, quality, 1)
}
