// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/legato-otel/legato/internal/ingest/ledger"
	"github.com/legato-otel/legato/internal/ingest/webhook"
	"github.com/legato-otel/legato/receiver/cmscdrreceiver/internal/metadata"
)

// BenchmarkAccept measures everything behind the HTTP handler for a body of a
// new session: decode, ledger, log records, metrics and telemetry.
func BenchmarkAccept(b *testing.B) {
	body, err := os.ReadFile(filepath.Join(fixtures, "callLegEnd-rich.xml"))
	require.NoError(b, err)
	_, attribute, _ := strings.Cut(string(body), `session="`)
	session, _, _ := strings.Cut(attribute, `"`)
	before, after, _ := strings.Cut(string(body), session)
	receiver, err := newReceiver(createDefaultConfig().(*Config), receivertest.NewNopSettings(metadata.Type))
	require.NoError(b, err)
	receiver.logs, receiver.metrics = consumertest.NewNop(), consumertest.NewNop()
	accepted := ledger.New(ledger.DefaultLimits, time.Now)
	a := receiver.newAcceptor(b.Context(), accepted, resourceBuilder{mappedParameters: receiver.config.parameters()})
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		request := webhook.Request{Body: before + fmt.Sprintf("%08x", n) + session[8:] + after, URI: "/cdr", ClientAddress: "192.0.2.1", Closing: b.Context()}
		if err := a.accept(b.Context(), request); err != nil {
			b.Fatal(err)
		}
	}
}
