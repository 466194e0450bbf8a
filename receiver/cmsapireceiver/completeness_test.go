// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmsapireceiver

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/meetingserver/api/object"
	"github.com/legato-otel/legato/internal/meetingserver/completeness"
	"github.com/legato-otel/legato/internal/names"
)

// TestCompletenessEvents: the records of a bridge stop to arrive at a receiver of this
// process, and come again.
func TestCompletenessEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var position atomic.Uint64
		defer completeness.Register("cmscdr/test", func() []completeness.Position {
			return []completeness.Position{{CallBridge: northID, Next: position.Load()}, {CallBridge: southID, Next: 1}}
		})()
		tg := &target{identity: identity{callBridge: northID, known: true}}
		start := time.Now().Add(-time.Hour)
		scrape := func(created int64, received uint64) (lines []string) {
			position.Store(received)
			to := plog.NewLogRecordSlice()
			tg.putCompleteness(to, &reading{at: time.Now(), start: start, status: object.Status{CDRCorrelatorIndex: &created}})
			for _, lr := range to.All() {
				lines = append(lines, fmt.Sprint(strings.TrimPrefix(lr.EventName(), names.MeetingServer), " ", lr.SeverityText(), " ", lr.Attributes().AsRaw(), " ", lr.Body().Str()))
			}
			time.Sleep(time.Minute)
			return lines
		}
		for n := range int64(4) {
			assert.Empty(t, scrape(10+n, uint64(10+n)))
		}
		assert.Empty(t, scrape(20, 13), "it may be on its way")
		assert.Equal(t, []string{
			".record.incomplete ERROR map[cisco.meeting_server.record.created_index:20 cisco.meeting_server.record.position_index:13 " +
				"cisco.meeting_server.record.receiver:cmscdr/test error.type:behind] " +
				"call detail records do not arrive at cmscdr/test: the Call Bridge has created 20, and the position is 13",
		}, scrape(20, 13))
		assert.Empty(t, scrape(25, 13), "once")
		assert.Equal(t, []string{
			".record.complete INFO map[cisco.meeting_server.record.created_index:26 cisco.meeting_server.record.position_index:26 " +
				"cisco.meeting_server.record.receiver:cmscdr/test] call detail records arrive again at cmscdr/test",
		}, scrape(26, 26))
	})
}

// TestCompletenessNeedsNumbers: releases that do not count their records have no such
// events.
func TestCompletenessNeedsNumbers(t *testing.T) {
	b := newBridge(t)
	b.answers["/system/status"] = `<status><uptimeSeconds>100</uptimeSeconds><cdrTime>2026-03-05T14:12:31Z</cdrTime></status>`
	r := newHarness(t, nil, b)
	events := r.scrapeEvents()
	require.NotEmpty(t, events)
	assert.Empty(t, events[names.EventRecordsIncomplete])
}
