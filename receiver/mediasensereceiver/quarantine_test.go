// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/testkit/receiverkit"
)

// A body that is acknowledged although it cannot be decoded is one warning a minute, with its
// sender and the kind of the fault, and without text of the body.
func TestQuarantineIsLogged(t *testing.T) {
	for _, row := range []struct {
		name, body, message, outcome, errorType, reason string
	}{
		{"XML", `<s3cret/>`, msgMalformed, "malformed", "malformed_event", "not JSON"},
		{"truncated", `{"eventType": "s3cret", "eventBody": {`, msgMalformed, "malformed", "malformed_event", "not JSON"},
		{"no event", `{"s3cret": 1}`, msgMalformed, "malformed", "malformed_event", "the object has no eventType"},
		{"unknown type", `{"eventType": "s3cret", "eventAction": "s3cret", "eventBody": {"a": 1}}`, msgUnknown, "unknown", "unknown_event", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newHarness(t, func(r *harness) { r.Logs = consumertest.NewNop() })
			require.Equal(t, http.StatusOK, r.Post(row.body))
			require.Equal(t, http.StatusOK, r.Post(row.body))
			lines := r.Log.FilterLevelExact(zap.WarnLevel).All()
			require.Len(t, lines, 1, "once a minute")
			fields := lines[0].ContextMap()
			assert.Equal(t, row.message, lines[0].Message)
			assert.Equal(t, "127.0.0.1", fields["client.address"])
			assert.Equal(t, row.outcome, fields["outcome"])
			assert.Equal(t, row.errorType, fields["error.type"])
			assert.EqualValues(t, 1, fields["events"])
			reason, _ := fields["error"].(string)
			assert.Contains(t, reason, row.reason)
			assert.NotContains(t, fmt.Sprint(fields), "s3cret")
		})
	}
}

// A permanent refusal is logged as before, and not a second time as a fault of the body.
func TestRefusedQuarantineIsLoggedOnce(t *testing.T) {
	r := newHarness(t, func(r *harness) {
		r.Logs = &receiverkit.Failing{Next: consumertest.NewNop(), Err: consumererror.NewPermanent(assert.AnError), Times: 1}
	})
	require.Equal(t, http.StatusOK, r.Post("<s3cret/>"))
	assert.Empty(t, r.Log.FilterLevelExact(zap.WarnLevel).All())
	assert.Equal(t, 1, r.Log.FilterMessage(deliveryMessages.Quarantined).Len())
}
