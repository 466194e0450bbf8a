// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmssyslogreceiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/meetingserver/syslog"
	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/testkit/receiverkit"
)

// A line that names a call has room for the attributes of that call, beside the longest header.
func TestRoomForStamps(t *testing.T) {
	header := syslog.Header{
		Time: time.Unix(1_700_000_000, 0), Priority: 14, Facility: "user", Severity: "info", Tag: "host:server", Level: "INFO", Container: "c1", PID: "12",
	}
	for _, key := range []string{names.CallID, names.CallLegID, names.ParticipantID, names.CallCorrelator, names.CoSpaceID} {
		logs := plog.NewLogs()
		appendRecord(logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords(), &syslog.Record{
			Header: header, Source: filePrefix + "/var/log/cms.log", Observed: header.Time,
			Fields: []syslog.Field{{Key: key, Text: "1492c61c-870f-4063-87ae-e2b5a2d4dce3"}, {Key: names.CallName, Text: "Weekly sync"}},
		})
		assert.Equal(t, 1, receiverkit.AssertRoomForStamps(t, []plog.Logs{logs}, key))
	}
}
