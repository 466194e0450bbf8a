// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmssyslogreceiver

import (
	"crypto/tls"
	"crypto/x509"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"

	"github.com/legato-otel/legato/internal/testkit"
)

// A bridge that sends by TLS is taken, one that does not is not.
func TestTLS(t *testing.T) {
	certificate, certFile, keyFile := testkit.Certificate(t)
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) {
		r.Logs = sink
		require.NoError(t, confmap.NewFromStringMap(map[string]any{"tcp": map[string]any{"tls": map[string]any{
			"cert_file": certFile, "key_file": keyFile,
		}}}).Unmarshal(r.config))
	})
	r.tcp(head + "in clear\n")
	roots := x509.NewCertPool()
	roots.AddCert(certificate)
	connection, err := tls.Dial("tcp", r.config.TCP.ListenAddress, &tls.Config{RootCAs: roots, ServerName: "example.com", MinVersion: tls.VersionTLS12})
	require.NoError(t, err)
	_, err = connection.Write([]byte(head + "by TLS\n"))
	require.NoError(t, err)
	require.NoError(t, connection.Close())
	assert.Equal(t, "by TLS", wait(t, sink, 1)[0].Body().Str())
}
