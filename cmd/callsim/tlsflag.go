// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"os"
)

// tlsOptions say whom callsim trusts and who it is when it posts over https.
type tlsOptions struct {
	ca, cert, key string

	// config is nil when none of the flags is given: the system's CAs count then.
	config *tls.Config
}

func (o *tlsOptions) flags(fs *flag.FlagSet) {
	fs.StringVar(&o.ca, "ca", "", "trust the certificates in this PEM `file`, and no others, when posting to https")
	fs.StringVar(&o.cert, "cert", "", "client certificate as a PEM `file`, for a receiver with client_ca_file; with -key")
	fs.StringVar(&o.key, "key", "", "private key of -cert as a PEM `file`")
}

// load reads the files. An error names the flag and its file.
func (o *tlsOptions) load() error {
	if (o.cert == "") != (o.key == "") {
		return fmt.Errorf("-cert and -key: need each other, got %q and %q", o.cert, o.key)
	}
	if o.ca == "" && o.cert == "" {
		return nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.ca != "" {
		content, err := os.ReadFile(o.ca)
		if err != nil {
			return fmt.Errorf("-ca: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(content) {
			return fmt.Errorf("-ca: %s holds no certificate in PEM", o.ca)
		}
	}
	if o.cert != "" {
		pair, err := tls.LoadX509KeyPair(o.cert, o.key)
		if err != nil {
			return fmt.Errorf("-cert %s, -key %s: %w", o.cert, o.key, err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	o.config = config
	return nil
}
