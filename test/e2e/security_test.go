// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// authority signs certificates for one test.
type authority struct {
	t           *testing.T
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	directory   string
}

func newAuthority(t *testing.T, directory, name string) *authority {
	t.Helper()
	a := &authority{t: t, directory: directory}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	a.certificate, err = x509.ParseCertificate(der)
	require.NoError(t, err)
	a.key = key
	a.write(name+".crt", "CERTIFICATE", der)
	return a
}

func (a *authority) write(name, kind string, der []byte) string {
	a.t.Helper()
	file := filepath.Join(a.directory, name)
	require.NoError(a.t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
	return file
}

// issue writes name.crt and name.key, valid until notAfter.
func (a *authority) issue(name string, notAfter time.Time) tls.Certificate {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(a.t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: notAfter,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &key.PublicKey, a.key)
	require.NoError(a.t, err)
	private, err := x509.MarshalECPrivateKey(key)
	require.NoError(a.t, err)
	pair, err := tls.LoadX509KeyPair(a.write(name+".crt", "CERTIFICATE", der), a.write(name+".key", "EC PRIVATE KEY", private))
	require.NoError(a.t, err)
	return pair
}

// Only bridges with a certificate of ours can post, and only those of now.
func TestMutualTLS(t *testing.T) {
	directory := t.TempDir()
	ours := newAuthority(t, directory, "ca")
	ours.issue("server", time.Now().Add(time.Hour))
	c := newCollector(t, ", tls: { cert_file: "+directory+"/server.crt, key_file: "+directory+"/server.key, client_ca_file: "+directory+"/ca.crt }")

	f := func(certificates []tls.Certificate, accepted bool) {
		t.Helper()
		roots := x509.NewCertPool()
		roots.AddCert(ours.certificate)
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: certificates, MinVersion: tls.VersionTLS12}}
		defer transport.CloseIdleConnections()
		client := &http.Client{Transport: transport}
		response, err := client.Post("https://"+c.address+"/cdr", "text/xml", strings.NewReader(`<records session="s"/>`))
		if !accepted {
			assert.Error(t, err)
			return
		}
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		assert.Equal(t, http.StatusOK, response.StatusCode)
	}
	f([]tls.Certificate{ours.issue("bridge", time.Now().Add(time.Hour))}, true)
	f([]tls.Certificate{ours.issue("expired", time.Now().Add(-time.Hour))}, false)
	f([]tls.Certificate{newAuthority(t, directory, "foreign").issue("stranger", time.Now().Add(time.Hour))}, false)
	f(nil, false)

	// callsim proves who it is like a bridge.
	output, err := exec.CommandContext(t.Context(), binary("callsim"), "-target", "https://"+c.address+"/cdr", "-ca", directory+"/ca.crt",
		"-cert", directory+"/bridge.crt", "-key", directory+"/bridge.key", "-meetings", "1", "-give-up", "30s").CombinedOutput()
	assert.NoError(t, err, "%s", output)
}

// An authentication extension guards the path; who is refused leaves no record.
func TestAuthentication(t *testing.T) {
	c := newCollector(t, ", auth: { authenticator: basicauth }")
	f := func(user, password string, want int) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.url(), strings.NewReader("not XML, from "+user))
		require.NoError(t, err)
		if user != "" {
			request.SetBasicAuth(user, password)
		}
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		assert.Equal(t, want, response.StatusCode)
	}
	f("", "", http.StatusUnauthorized)
	f("cms", "wrong", http.StatusUnauthorized)
	f("cms", "secret", http.StatusOK)
	all := c.output()
	require.Len(t, all, 1)
	assert.Equal(t, "not XML, from cms", all[0].body)
	assert.NotContains(t, c.log.String(), "secret")
}

// A bridge that sends its body one byte at a time, or nothing at all, does not
// hold a connection without end, and does not keep others from being served.
func TestSlowBody(t *testing.T) {
	c := newCollector(t, ", read_timeout: 500ms, read_header_timeout: 500ms")
	const slow = 20
	closed := make(chan error, slow)
	for range slow {
		connection, err := net.Dial("tcp", c.address)
		require.NoError(t, err)
		defer connection.Close()
		_, err = connection.Write([]byte("POST /cdr HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n<"))
		require.NoError(t, err)
		require.NoError(t, connection.SetReadDeadline(time.Now().Add(waitFor)))
		go func() {
			buffer := make([]byte, 1024)
			for {
				if _, err := connection.Read(buffer); err != nil {
					closed <- err
					return
				}
			}
		}()
	}
	assert.Equal(t, http.StatusOK, c.post(`<records session="s"/>`), "others are served meanwhile")
	for range slow {
		err := <-closed
		assert.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the receiver did not close the connection")
	}
	assert.Empty(t, c.output())
}
