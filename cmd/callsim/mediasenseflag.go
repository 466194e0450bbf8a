// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// mediasenseOptions are the flags about the MediaSense servers.
type mediasenseOptions struct {
	target      string
	targets     []string
	api         string
	addresses   []string // of the API, one for each server, none without
	servers     int
	user        string
	password    string
	tls         bool
	certificate string
	disk        float64 // megabytes
	retry       time.Duration
	linger      time.Duration
	await       bool
}

func (m *mediasenseOptions) flags(fs *flag.FlagSet) {
	fs.StringVar(&m.target, "mediasense-target", "", "let MediaSense servers record calls, and post their events to this `URL`, or to several, separated by commas")
	fs.StringVar(&m.api, "mediasense-api", "", "let MediaSense servers record calls, and post their events to who subscribes by the API of the first one at this host:port `address`, of the next ones at the ports that follow (port 0: any); or a comma-separated address for each server")
	fs.IntVar(&m.servers, "mediasense-servers", 2, "simulate this many MediaSense servers")
	fs.StringVar(&m.user, "mediasense-user", "api", "`name` a client of the MediaSense API must sign in with")
	fs.StringVar(&m.password, "mediasense-password", "x", "its `password`")
	fs.BoolVar(&m.tls, "mediasense-tls", false, "serve the MediaSense API by HTTPS, with a self-signed certificate made anew")
	fs.StringVar(&m.certificate, "mediasense-cert", "", "with -mediasense-tls: write the certificate to this `file`")
	fs.Float64Var(&m.disk, "mediasense-disk", 0, "size of each disk for recordings in `megabytes`; 0 is one that is full within minutes with -live, and within an hour otherwise")
	fs.DurationVar(&m.retry, "mediasense-retry", 0, "post an event again this long after a 503; 0 means never, as MediaSense does")
	fs.DurationVar(&m.linger, "linger-mediasense", 0, "serve the MediaSense API this long after all is posted; 0 means until stopped")
	fs.BoolVar(&m.await, "await-mediasense", false, "begin when somebody has subscribed at every MediaSense server")
}

// wanted reports whether there are MediaSense servers at all.
func (m *mediasenseOptions) wanted() bool { return m.target != "" || m.api != "" }

func (m *mediasenseOptions) check(printing bool, f faults) error {
	if m.servers < 1 || m.servers > 9 {
		return fmt.Errorf("-mediasense-servers: must be between 1 and 9, got \"%d\"", m.servers)
	}
	if !(m.disk >= 0 && m.disk <= 1e9) {
		return fmt.Errorf("-mediasense-disk: must be between 0 and 1e9, got \"%g\"", m.disk)
	}
	if m.certificate != "" && !m.tls {
		return fmt.Errorf("-mediasense-cert: needs -mediasense-tls, got %q", m.certificate)
	}
	switch {
	case m.target != "" && m.api != "":
		return fmt.Errorf("-mediasense-target: does not go with -mediasense-api, got %q", m.target)
	case m.await && m.api == "":
		return errors.New("-await-mediasense: needs -mediasense-api")
	case m.tls && m.api == "":
		return errors.New("-mediasense-tls: needs -mediasense-api")
	case f.mediasense.Any() && !m.wanted():
		return fmt.Errorf("-faults: faults of MediaSense need -mediasense-target or -mediasense-api, got %q", f.text)
	case f.mediasense.API() && m.api == "":
		return fmt.Errorf("-faults: faults of the MediaSense API need -mediasense-api, got %q", f.text)
	case m.api != "" && printing:
		return errors.New("-mediasense-api: does not go with -print, which has no clock")
	}
	return m.expand()
}

// expand makes the lists of addresses and of targets.
func (m *mediasenseOptions) expand() error {
	if m.target != "" {
		for text := range strings.SplitSeq(m.target, ",") {
			u, err := url.Parse(text)
			if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
				return fmt.Errorf("-mediasense-target: must be http or https URLs, got %q", m.target)
			}
			m.targets = append(m.targets, text)
		}
	}
	if m.api == "" {
		return nil
	}
	var err error
	m.addresses, err = expandAddresses("-mediasense-api", m.api, m.servers, "servers")
	return err
}

// config is that of [selfSigned], nil for plain HTTP.
func (m *mediasenseOptions) config() (*tls.Config, error) {
	if !m.tls {
		return nil, nil //nolint:nilnil // no configuration is plain HTTP
	}
	return selfSigned("-mediasense-cert", m.addresses, m.certificate)
}
