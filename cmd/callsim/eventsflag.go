// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/events"
)

// eventsOptions are the flags about the Events servers.
type eventsOptions struct {
	listen      string
	addresses   []string // one for each bridge, none without Events servers
	user        string
	password    string
	tls         bool
	certificate string
	ack         time.Duration
	linger      time.Duration
	await       bool
	followed    func() // unless nil: begin when the first server has a client, and call it then
}

func (e *eventsOptions) flags(fs *flag.FlagSet) {
	fs.StringVar(&e.listen, "events", "", "serve the events of the first bridge at this host:port `address`, those of the next ones at the ports that follow (port 0: any); or a comma-separated address for each bridge")
	fs.StringVar(&e.user, "events-user", "api", "`name` a client of the events must log in with")
	fs.StringVar(&e.password, "events-password", "x", "its `password`")
	fs.BoolVar(&e.tls, "events-tls", false, "serve the events by HTTPS, with a self-signed certificate made anew")
	fs.StringVar(&e.certificate, "events-cert", "", "with -events-tls: write the certificate to this `file`")
	fs.DurationVar(&e.ack, "events-ack", 10*time.Second, "never send again on a socket that leaves a message unacknowledged for this long")
	fs.DurationVar(&e.linger, "linger-events", 0, "serve events this long after all is delivered; 0 means until stopped")
	fs.BoolVar(&e.await, "await-events", false, "begin when every Events server has a client that subscribed to its calls")
}

func (e *eventsOptions) check(bridges int, printing bool, f faults) error {
	if e.listen == "" {
		if f.events != (events.Faults{}) {
			return fmt.Errorf("-faults: faults of the Events servers need -events, got %q", f.text)
		}
		return nil
	}
	if printing {
		return errors.New("-events: does not go with -print, which has no clock")
	}
	if e.certificate != "" && !e.tls {
		return fmt.Errorf("-events-cert: needs -events-tls, got %q", e.certificate)
	}
	var err error
	e.addresses, err = expandAddresses("-events", e.listen, bridges, "bridges")
	return err
}

// expandAddresses makes an address for each of n things from the text of a flag:
// one for each, or the first one, which the next ports follow.
func expandAddresses(name, text string, n int, things string) ([]string, error) {
	list := strings.Split(text, ",")
	if len(list) != 1 && len(list) != n {
		return nil, fmt.Errorf("%s: must be one address or as many as there are %s (%d), got %q", name, things, n, text)
	}
	var out []string
	for _, address := range list {
		host, number, err := net.SplitHostPort(address)
		port, bad := strconv.ParseUint(number, 10, 16)
		if err != nil || bad != nil || len(list) == 1 && port > 0 && int(port)+n-1 > 65535 {
			return nil, fmt.Errorf("%s: must be host:port with room for all %s, got %q", name, things, text)
		}
		out = append(out, address)
		for i := 1; len(list) == 1 && i < n; i++ {
			next := 0
			if port > 0 {
				next = int(port) + i
			}
			out = append(out, net.JoinHostPort(host, strconv.Itoa(next)))
		}
	}
	return out, nil
}

// config is that of [selfSigned], nil for plain HTTP.
func (e *eventsOptions) config() (*tls.Config, error) {
	if !e.tls {
		return nil, nil //nolint:nilnil // no configuration is plain HTTP
	}
	return selfSigned("-events-cert", e.addresses, e.certificate)
}

// selfSigned makes a certificate for addresses and writes it where the flag
// wants it.
func selfSigned(name string, addresses []string, file string) (*tls.Config, error) {
	var hosts []string
	for _, address := range addresses {
		host, _, _ := net.SplitHostPort(address)
		hosts = append(hosts, host)
	}
	config, text, err := events.SelfSigned(hosts)
	if err == nil && file != "" {
		err = os.WriteFile(file, text, 0o644) //nolint:gosec // a certificate is for everybody
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return config, nil
}
