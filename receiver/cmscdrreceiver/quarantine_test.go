// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

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
	const session = `<records session="d80df859-cbc0-44ee-8611-449ab1bf39d7" callBridge="s3cret">`
	for _, row := range []struct {
		name, body, message, outcome, errorType, reason string
	}{
		{"empty body", "", msgMalformed, "malformed", "malformed_record", "byte 0: document ends too early"},
		{"JSON", `{"s3cret": 1}`, msgMalformed, "malformed", "malformed_record", "byte 0: content outside the root element"},
		{"wrong root", `<s3cret/>`, msgMalformed, "malformed", "malformed_record", "root element is not <records>"},
		{"truncated", session + `<record type="callStart" correlatorIndex="0"><call id="s3cret">`, msgMalformed, "malformed", "malformed_record", "byte 139: document ends too early"},
		{"unknown type", session + `<record type="s3cret" correlatorIndex="0"><call id="1"/></record></records>`, msgUnknownRecordType, "unknown", "unknown_record_type", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newHarness(t, func(r *harness) { r.Logs = consumertest.NewNop() })
			require.Equal(t, http.StatusOK, r.Post(row.body))
			require.Equal(t, http.StatusOK, r.Post(row.body+" "))
			lines := r.Log.FilterLevelExact(zap.WarnLevel).All()
			require.Len(t, lines, 1, "once a minute")
			fields := lines[0].ContextMap()
			assert.Equal(t, row.message, lines[0].Message)
			assert.Equal(t, "127.0.0.1", fields["client.address"])
			assert.Equal(t, row.outcome, fields["outcome"])
			assert.Equal(t, row.errorType, fields["error.type"])
			assert.EqualValues(t, 1, fields["records"])
			reason, _ := fields["error"].(string)
			assert.Equal(t, row.reason, reason)
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
