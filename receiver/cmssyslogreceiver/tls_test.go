// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmssyslogreceiver

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
)

// A bridge that sends by TLS is taken, one that does not is not.
func TestTLS(t *testing.T) {
	server := httptest.NewTLSServer(nil) // for its certificate
	server.Close()
	key, err := x509.MarshalPKCS8PrivateKey(server.TLS.Certificates[0].PrivateKey)
	require.NoError(t, err)
	directory := t.TempDir()
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(directory, name)
		require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
		return path
	}
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) {
		r.Logs = sink
		require.NoError(t, confmap.NewFromStringMap(map[string]any{"tcp": map[string]any{"tls": map[string]any{
			"cert_file": write("cert.pem", "CERTIFICATE", server.Certificate().Raw), "key_file": write("key.pem", "PRIVATE KEY", key),
		}}}).Unmarshal(r.config))
	})
	r.tcp(head + "in clear\n")
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	connection, err := tls.Dial("tcp", r.config.TCP.ListenAddress, &tls.Config{RootCAs: roots, ServerName: "example.com", MinVersion: tls.VersionTLS12})
	require.NoError(t, err)
	_, err = connection.Write([]byte(head + "by TLS\n"))
	require.NoError(t, err)
	require.NoError(t, connection.Close())
	assert.Equal(t, "by TLS", wait(t, sink, 1)[0].Body().Str())
}
