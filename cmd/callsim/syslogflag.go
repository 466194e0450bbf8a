// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"fmt"
	"net"

	"github.com/legato-otel/legato/cmd/callsim/internal/syslog"
)

// syslogOptions are the flags about the syslog of the bridges.
type syslogOptions struct{ path, udp, tcp string }

func (o *syslogOptions) flags(fs *flag.FlagSet) {
	fs.StringVar(&o.path, "syslog", "", "append the syslog of the bridges, with the API requests of a client that schedules meetings, to this `file`")
	fs.StringVar(&o.udp, "syslog-udp", "", "send it to this `host:port` by UDP")
	fs.StringVar(&o.tcp, "syslog-tcp", "", "send it to this `host:port` by TCP, in both framings of RFC 6587")
}

func (o *syslogOptions) wanted() bool { return o.path != "" || o.udp != "" || o.tcp != "" }

func (o *syslogOptions) check() error {
	for _, address := range []struct{ flag, value string }{{"-syslog-udp", o.udp}, {"-syslog-tcp", o.tcp}} {
		if address.value == "" {
			continue
		}
		if _, port, err := net.SplitHostPort(address.value); err != nil || port == "" {
			return fmt.Errorf("%s: must be a host and a port as in localhost:514, got %q", address.flag, address.value)
		}
	}
	return nil
}

// openSyslog opens where the syslog goes, if it is wanted.
func (c *cluster) openSyslog() (err error) {
	o := &c.opts.syslog
	if !o.wanted() {
		return nil
	}
	c.syslog, err = syslog.Open(syslog.Options{Seed: c.opts.seed, Bridges: c.bridges, Path: o.path, UDP: o.udp, TCP: o.tcp})
	if err != nil {
		return fmt.Errorf("-syslog: %w", err)
	}
	return nil
}

func (c *cluster) closeSyslog() error {
	if c.syslog == nil {
		return nil
	}
	if err := c.syslog.Close(); err != nil {
		return fmt.Errorf("-syslog: %w", err)
	}
	return nil
}
