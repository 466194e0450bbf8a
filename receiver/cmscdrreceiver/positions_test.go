// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer/consumertest"

	"github.com/legato-otel/legato/internal/meetingserver/completeness"
	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/testkit"
)

// TestPositionsAfterARestart: what the ledger knows is there before the next record,
// of each bridge what it was in the session that was heard of last.
func TestPositionsAfterARestart(t *testing.T) {
	id := component.MustNewID("test_storage")
	store := testkit.NewStorage()
	started := func(sink *consumertest.MetricsSink, change func(*Config)) *harness {
		return newHarness(t, func(r *harness) {
			r.Logs, r.Metrics = consumertest.NewNop(), sink
			r.config.Metrics.Interval = 10 * time.Millisecond
			r.config.Storage = &id
			r.Host = testkit.Host{id: store}
			if change != nil {
				change(r.config)
			}
		})
	}
	record := func(session, bridge string, index int) string {
		if bridge != "" {
			bridge = fmt.Sprintf(` callBridge="%s"`, bridge)
		}
		return fmt.Sprintf(`<records session="%s"%s><record type="callEnd" time="2024-03-05T09:14:12Z" correlatorIndex="%d">`+
			`<call id="46d49cb4-8171-4abc-97f5-b88035b1da0a"/></record></records>`, session, bridge, index)
	}
	const first, second = "d80df859-cbc0-44ee-8611-449ab1bf39d7", "fdfa7d72-d206-4e33-82c1-d00a347bf752"
	r := started(new(consumertest.MetricsSink), nil)
	for _, body := range []string{record("s1", first, 100), record("s2", first, 6), record("s3", strings.ToUpper(second), 40)} {
		require.Equal(t, http.StatusOK, r.Post(body))
	}
	require.Equal(t, http.StatusOK, r.PostTo(r.URL+"?system_id=cms9", record("s4", "", 8)))
	require.Equal(t, http.StatusOK, r.Post(record("nameless", "", 3)))
	before, _ := completeness.Positions(first, "")
	assert.Equal(t, map[string]uint64{r.Settings.ID.String(): 7}, before)
	r.Stop()
	before, _ = completeness.Positions(first, "")
	assert.Empty(t, before, "it has stopped")

	sink := new(consumertest.MetricsSink)
	r = started(sink, nil)
	require.Eventually(t, func() bool { return len(sink.AllMetrics()) > 0 }, waitFor, tick)
	got := make(map[string]int64)
	missing := 0
	for _, rm := range sink.AllMetrics()[0].ResourceMetrics().All() {
		instance, _ := rm.Resource().Attributes().Get(names.ServiceInstanceID)
		for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
			switch m.Name() {
			case names.MetricRecordPosition:
				got[instance.Str()] = m.Gauge().DataPoints().At(0).IntValue()
			case names.MetricRecordMissing:
				assert.Zero(t, m.Sum().DataPoints().At(0).IntValue(), "born at 0")
				missing++
			}
		}
	}
	assert.Equal(t, map[string]int64{first: 7, second: 41, "s4": 9}, got)
	assert.Equal(t, 3, missing)
	of, receivers := completeness.Positions(second, "")
	assert.Equal(t, map[string]uint64{r.Settings.ID.String(): 41}, of)
	assert.Positive(t, receivers)
	of, _ = completeness.Positions("", "cms9")
	assert.Equal(t, map[string]uint64{r.Settings.ID.String(): 9}, of)

	// Without the other parameters of a request it would be another resource.
	sink = new(consumertest.MetricsSink)
	quiet := started(sink, func(c *Config) { c.QueryParameters = map[string]string{"site": "site.name"} })
	quiet.Stop()
	assert.Empty(t, sink.AllMetrics())
}
