// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// certificate is one of this machine, for a Collector that bridges post to over TLS.
type certificate struct{ certPEM, keyPEM []byte }

func newCertificate() (*certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "collector"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	return &certificate{
		certPEM: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		keyPEM:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}),
	}, err
}

// write puts server.crt and server.key into a directory.
func (c *certificate) write(directory string) error {
	return errors.Join(os.WriteFile(filepath.Join(directory, "server.crt"), c.certPEM, 0o600),
		os.WriteFile(filepath.Join(directory, "server.key"), c.keyPEM, 0o600))
}

// client is the configuration of a bridge that trusts this certificate alone.
func (c *certificate) client() *tls.Config {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(c.certPEM)
	return &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
}
